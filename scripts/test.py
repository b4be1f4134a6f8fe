#!/usr/bin/env python3
"""Everything a change has to pass: linters, types, the rules of the house, the whole test suite.

Options go to pytest: `scripts/test.py tests/ledger -k hold`. The other checks always run; the exit code is 0 only when
all of them hold. PostgreSQL comes from `WMS_TEST_PG_URL` or from the machine's own server binaries, Chromium from the
machine; where one is missing its tests skip and say so.

Tests of simulated machines, browsers and whole days live in real time, and a machine that is busy with something else
may starve one. So if no more than three of those failed, and nothing else, they run once more with the machine to
themselves, and are named: whoever reads that twice looks for a race.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts import environment

WORKERS_MAX = 4
FAILED = environment.ROOT / ".pytest_cache" / "v" / "cache" / "lastfailed"
REAL_TIME = ("tests/devices/", "tests/handheld/page/", "tests/demo/")
AGAIN_MAX = 3
# With one of these pytest goes by what failed before, which is kept then.
BY_LAST_TIME = {"--lf", "--last-failed", "--ff", "--failed-first", "--nf", "--new-first", "--sw", "--stepwise"}
# With one of these the person wants to see or count the tests in one process.
ONE_PROCESS = (
    "-n",
    "--numprocesses",
    "-s",
    "--capture=no",
    "--pdb",
    "--co",
    "--collect-only",
    "-h",
    "--help",
    "--version",
)


def steps(python: str, options: list[str]) -> list[tuple[str, list[str]]]:
    """Name and command of every check, in the order in which they run."""
    run = [python, "-m"]
    return [
        ("lint", [*run, "ruff", "check", "--quiet"]),
        ("format", [*run, "ruff", "format", "--check", "--quiet"]),
        ("types", [*run, "mypy", "--no-error-summary"]),
        ("imports", [str(Path(python).with_name("lint-imports")), "--no-logo"]),
        ("tests", [*run, "pytest", *anew(options), *spread(options), *options]),
    ]


def anew(options: list[str]) -> list[str]:
    """Forget what failed before, so that what is kept afterwards failed in this run."""
    return [] if BY_LAST_TIME.intersection(options) else ["--cache-clear"]


def spread(options: list[str]) -> list[str]:
    """Several processes, a file at a time, unless the options ask for one."""
    if any(option.startswith(ONE_PROCESS) for option in options):
        return []
    workers = max(2, min(WORKERS_MAX, os.cpu_count() or 2))
    return ["-n", str(workers), "--dist", "loadfile"]


def alone(python: str) -> int:
    """Once more what was perhaps starved; the exit code of that, or 1 where more or something else had failed."""
    names = sorted(json.loads(FAILED.read_text("utf-8"))) if FAILED.exists() else []
    if not 0 < len(names) <= AGAIN_MAX or not all(name.startswith(REAL_TIME) for name in names):
        return 1
    environment.say("once more with the machine to themselves: " + ", ".join(names))
    code = subprocess.run([python, "-m", "pytest", *names], cwd=environment.ROOT, check=False).returncode
    if code == 0:
        environment.say("held alone, failed beside others: " + ", ".join(names))
    return code


def main() -> int:
    """Run every check even when one fails, so that one run shows all there is to mend."""
    python = str(environment.prepare(dev=True))
    failed = []
    for name, command in steps(python, sys.argv[1:]):
        environment.say(f"{name} ...")
        began_s = time.monotonic()
        code = subprocess.run(command, cwd=environment.ROOT, check=False).returncode
        if name == "tests" and code == 1 and anew(sys.argv[1:]):
            code = alone(python)
        environment.say(f"{name}: {'holds' if code == 0 else 'DOES NOT HOLD'} ({time.monotonic() - began_s:.0f} s)")
        failed += [name] * (code != 0)
    environment.say("everything holds" if not failed else "does not hold: " + ", ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
