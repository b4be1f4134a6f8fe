"""Draw one sample of every label as PNG: `python scripts/print_samples.py FOLDER [--dpi 203] [--only NAME ...]`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from wms.printing import TEMPLATES, render, to_png
from wms.printing.raster import DOTS_PER_MM
from wms.printing.samples import samples


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Draw one sample of every label into a folder as PNG.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--dpi", type=int, choices=sorted(DOTS_PER_MM), default=203)
    parser.add_argument("--only", nargs="+", choices=sorted(TEMPLATES), default=sorted(TEMPLATES), metavar="NAME")
    chosen = parser.parse_args(arguments)
    chosen.folder.mkdir(parents=True, exist_ok=True)
    for sample in samples():
        if sample.template.name in chosen.only:
            picture = chosen.folder / f"{sample.template.name}.png"
            picture.write_bytes(to_png(render(sample.template, sample.values, chosen.dpi)))
            print(picture)
    return 0


if __name__ == "__main__":
    sys.exit(main())
