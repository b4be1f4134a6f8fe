#!/usr/bin/env python3
"""Prove the promises under fire: `scripts/prove.py [NAME...] [--full] [--on sqlite] [--json] [--write]`.

Makes `.venv` if it is missing, installs, runs the proofs of tests/proofs and their sabotages.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts import environment


def main() -> int:
    """Prepare, then become the runner; its exit code is ours."""
    os.chdir(environment.ROOT)
    command = [str(environment.prepare(dev=True)), "-m", "tests.proofs", *sys.argv[1:]]
    if os.name != "nt":
        os.execv(command[0], command)
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
