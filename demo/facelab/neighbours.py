"""Finds near pairs among many points block by block, without a table of all pairs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from .verify import distance, distances_between

ROWS, COLUMNS = 1024, 2048  # the side of a block: its products fill 8 MB
PAIRS = 4096  # blocks looked at together
DENSE = 0.05  # from this share of a block's pairs on, all its distances are computed at once
ROUNDING = 4e-6  # relative error of float32 products: pairs that are too far away by so much are looked at as well

Indices = NDArray[np.intp]


def blocks(count: int) -> Iterator[tuple[slice, slice]]:
    """Rows and columns of blocks that together cover each pair (first, second) once, with first before second."""
    for row in range(0, count, ROWS):
        for column in range(row, count, COLUMNS):
            yield slice(row, min(row + ROWS, count)), slice(column, min(column + COLUMNS, count))


def pair_distances(a: NDArray[np.floating], of_a: Indices, b: NDArray[np.floating], of_b: Indices) -> NDArray[np.float64]:
    """The distances [P] between rows of a and rows of b, pair by pair. of_a, of_b: the indices of the rows, [P]."""
    apart = np.empty(len(of_a))
    for at in range(0, len(of_a), PAIRS):
        apart[at : at + PAIRS] = distance(a[of_a[at : at + PAIRS]], b[of_b[at : at + PAIRS]])
    return apart


def near_pairs(
    points: NDArray[np.float64], reach: NDArray[np.float64], rows: slice, columns: slice
) -> tuple[Indices, Indices, NDArray[np.float64]]:
    """The pairs of a block that are closer than the sum of their reaches: first < second [P], and their distances [P].

    points: [N, D]. reach: [N]. With the reaches r and s, d < r + s means a·b + rs + (r² - a²)/2 + (s² - b²)/2 > 0. So a single
    matrix product in float32 finds the candidates, and only their distances are computed in float64.
    """
    a, b, r, s = points[rows], points[columns], reach[rows], reach[columns]
    a_squares, b_squares = (a**2).sum(axis=1), (b**2).sum(axis=1)
    left = np.column_stack([a, r, (r**2 - a_squares) / 2, np.ones(len(a))]).astype(np.float32)
    right = np.column_stack([b, s, np.ones(len(b)), (s**2 - b_squares) / 2]).astype(np.float32)
    margin = ROUNDING * (a_squares.max() + b_squares.max() + (r**2).max() + (s**2).max())
    first, second = np.divmod(np.flatnonzero(left @ right.T > -margin), len(b))
    later = first + rows.start < second + columns.start
    first, second = first[later], second[later]
    dense = len(first) > DENSE * len(a) * len(b)
    apart = distances_between(a, b)[first, second] if dense else pair_distances(a, first, b, second)
    near = apart < r[first] + s[second]
    return first[near] + rows.start, second[near] + columns.start, apart[near]
