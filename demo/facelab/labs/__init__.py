"""The chapters' labs: what the reader moves, and what answers. A lab computes; the page draws (see panels)."""

from __future__ import annotations

from .panels import Lab

LABS: dict[str, Lab] = {}
