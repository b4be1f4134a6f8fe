#!/usr/bin/env python3
"""Build a park and live a day in it: makes `.venv` if it is missing, installs, runs `wms demo` with these options."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts import environment


def main() -> int:
    """Prepare, then become the command; its exit code is ours."""
    command = [str(environment.prepare(dev=False)), "-m", "wms.cli", "demo", *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
