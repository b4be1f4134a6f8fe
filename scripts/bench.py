#!/usr/bin/env python3
"""Measure this program on this machine: `python scripts/bench.py rest --json`.

Every measurement prints JSON Lines on stdout and what the bare machine can do beside it; talk goes to stderr.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.benches import audit, ledger, planning, redivision, rest, slotting, wave

BENCHES = (audit, ledger, planning, redivision, rest, slotting, wave)


def main(arguments: list[str] | None = None) -> int:
    """Run one measurement; 0 when it could be made, 1 when a call was refused or failed."""
    parser = argparse.ArgumentParser(prog="bench.py", description="Measure this program on this machine.")
    kinds = parser.add_subparsers(dest="kind", metavar="KIND", required=True)
    for bench in BENCHES:
        bench.add_to(kinds)
    given = parser.parse_args(arguments)
    return int(given.run(given))


if __name__ == "__main__":
    sys.exit(main())
