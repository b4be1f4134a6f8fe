"""`python -m wms.migrations "what changed"`: write the next step of the schema's history."""

from __future__ import annotations

import subprocess
import sys

from wms.migrations.commands import generate


def main() -> int:
    """Write the step and say where it lies."""
    if len(sys.argv) != 2:
        print('usage: python -m wms.migrations "what changed"', file=sys.stderr)
        return 2
    written = generate(sys.argv[1])
    for path in written:
        subprocess.run([sys.executable, "-m", "ruff", "format", "--quiet", path], check=True)
        print(path)
    if not written:
        print("the newest step already leads to the tables of the rooms", file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
