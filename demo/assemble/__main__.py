"""`python -m assemble`: fills docs/app. With --plain, with the runtimes as they are published; else with faster ones (optimise)."""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path

from optimise.pipeline import optimise

from .after_site.build_folder import write_list
from .inputs import AssembleError
from .plain import lay_plain
from .stills import kept_stills

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
MODULES = ROOT / "demo" / "web" / "node_modules"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m assemble", description=__doc__)
    parser.add_argument("-o", "--out", type=Path, default=ROOT / "docs" / "app", help="the folder to fill (docs/app)")
    parser.add_argument("--web", type=Path, default=BUILD / "web", help="the folder with the page's scripts (build/web)")
    parser.add_argument("--plain", action="store_true", help="leave Pyodide, NumPy and ONNX Runtime as they are published")
    parser.add_argument("--without", default="", metavar="PASS,...", help="passes of the optimiser to leave out")
    parser.add_argument("--wheels", type=Path, help="a folder that has NumPy's wheel for Pyodide, if no other source has it")
    options = parser.parse_args()
    out: Path = options.out
    try:
        fresh = out.with_name(out.name + ".part")
        shutil.rmtree(fresh, ignore_errors=True)
        lay_plain(fresh, options.web, BUILD, MODULES, options.wheels)
        if not options.plain:
            optimise(fresh, BUILD / "optimised", options.without.split(",") if options.without else ())
        shutil.copytree(kept_stills(BUILD / "models", fresh / "samples", BUILD / "stills"), fresh / "stills")
        write_list(fresh)
        shutil.rmtree(out, ignore_errors=True)
        fresh.rename(out)
    except (AssembleError, OSError) as error:
        print(f"assemble: {error}", file=sys.stderr)
        return 2
    files = [path for path in out.rglob("*") if path.is_file()]
    print(f"{out}: {sum(file.stat().st_size for file in files) / 1e6:.1f} MB in {len(files)} files")
    return 0


if __name__ == "__main__":
    sys.exit(main())
