"""`python -m tests.experiments [NAME ...]`: the measurements that the book tells, into `docs/results/NAME.json`.

Each reads the evaluation photos (`--data`, beside the checkout by default); the book's tables and charts are drawn from
what it writes when the site is built. Without a name: all of them, about a quarter of an hour.
"""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from pathlib import Path

from facelab.errors import FacelabError

from .photos import DATA

EXPERIMENTS = (
    "whom",
    "chips",
    "proxies",
    "preprocessing",
    "alignment",
    "detectors",
    "turns",
    "coverings",
    "recaptures",
    "classifiers",
    "rollcall",
    "distances",
    "training",
    "distillation",
    "network",
)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.experiments", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(EXPERIMENTS))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of lfw100, orl39, utk9k, actors6")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(EXPERIMENTS):
        parser.error(f"no experiment is called {', '.join(sorted(unknown))}: there are {', '.join(EXPERIMENTS)}")
    if not arguments.data.is_dir():
        parser.error(f"{arguments.data} is no folder: name the evaluation photos with --data")
    for name in arguments.names or EXPERIMENTS:
        try:
            import_module(f".{name}", __package__).measure(arguments.data.resolve()).save(name)
        except FacelabError as error:
            print(f"{name}: {error}", file=sys.stderr)
            return 2
        print(f"docs/results/{name}.json")
    return 0


if __name__ == "__main__":
    sys.exit(main())
