"""The measurements run, count what they say they count, and tell what the bare machine can do beside it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from scripts.benches.rest import report

ROOT = Path(__file__).resolve().parent.parent


def test_figures_are_told_per_call_and_in_sum() -> None:
    found = {
        "seconds": 2.0,
        "cpu_s": 0.5,
        "cycles": 10,
        "times_s": {"pick": [0.001 * number for number in range(1, 101)]},
        "refused": [],
    }
    pick, machine, total = report(found, {"raw_commits_per_s": 500}, connections=8)
    assert (pick["call"], pick["count"], pick["p50_ms"], pick["p99_ms"]) == ("pick", 100, 50.0, 99.0)
    assert machine["machine"]["raw_commits_per_s"] == 500
    assert (total["cycles_per_s"], total["scans_per_s"], total["cpu_ms_per_cycle"]) == (5.0, 50.0, 50.0)
    assert total["scans_per_raw_commit"] == 0.1


def test_without_proc_no_processor_time_is_invented() -> None:
    found = {"seconds": 1.0, "cpu_s": math.nan, "cycles": 1, "times_s": {"pick": [0.1]}, "refused": []}
    *_, total = report(found, {"raw_commits_per_s": 1}, connections=1)
    assert total["cpu_ms_per_cycle"] is None


@pytest.mark.slow
def test_a_short_measurement_lives_whole_cycles_without_a_refusal() -> None:
    words = ["rest", "--json", "--seconds", "3", "--warm-up", "1", "--connections", "2"]
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert {line["call"] for line in lines if "call" in line} == {
        "receipt",
        "putaway",
        "order",
        "allocate",
        "pick",
        "ship",
    }
    assert lines[-1]["refused"] == 0
    assert lines[-1]["scans_per_s"] > 0
