"""The measurements run, count what they say they count, and tell what the bare machine can do beside it."""

from __future__ import annotations

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from scripts.benches import wave
from scripts.benches.crowd import Done
from scripts.benches.ledger import _ratios
from scripts.benches.replay import Pick, Sent, function_of
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


def test_scans_while_a_wave_is_planned_are_told_beside_those_at_rest() -> None:
    found = {
        "scans": {"rest": [0.010] * 99 + [0.020], "planning": [0.030] * 100},
        "phases": {"rest": 1.0, "planning": 2.0},
        "refused": ["x"],
        **dict.fromkeys(("plan_ms", "memory_mb", "walk_m", "first_come_m", "s_shape_m", "batches"), 1),
    }
    rest, planning, _machine, total = wave.report(found, {"raw_commits_per_s": 1}, 5_000)
    assert (rest["phase"], rest["p99_ms"], planning["p99_ms"]) == ("rest", 10.0, 30.0)
    assert (total["planning_p99_over_rest"], total["refused"]) == (3.0, 1)


@pytest.mark.slow
def test_a_short_wave_reaches_the_floor_while_people_scan() -> None:
    words = ["wave", "--json", "--orders", "40", "--seconds", "2", "--rest", "1"]
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=400, check=False)
    assert done.returncode == 0, done.stderr
    total = json.loads(done.stdout.splitlines()[-1])
    assert total["batches"] >= 40 / 12
    assert 0 < total["walk_m"] <= total["first_come_m"]


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


@pytest.mark.slow
def test_picks_are_measured_beside_the_bare_driver_and_leave_true_books() -> None:
    """Also that every statement of a pick was heard: what is sent again by the bare driver is a whole pick."""
    words = ["ledger", "--only", "throughput", "--on", "sqlite", "--seconds", "0.2", "--rounds", "1", "--json"]
    lines = measured(words)
    rates = {line["way"]: line["picks_per_s"] for line in lines if "way" in line}
    assert len(rates) == 4
    assert min(rates.values()) > 0
    ratios = [line for line in lines if "ratio" in line]
    assert [line["goal"] for line in ratios] == [0.5, 0.3]
    assert all(line["statements"] == 7 for line in ratios)
    assert [line["broken"] for line in lines if "audit_after" in line] == [[], []]


@pytest.mark.slow
def test_a_pick_is_measured_in_a_small_and_a_large_book_and_the_large_one_is_audited() -> None:
    size = ["--movements", "3000", "--rows", "600", "--picks", "6"]
    lines = measured(["ledger", "--only", "growth", "--on", "sqlite", *size])
    books = {line["book"]: (line["movements"], line["rows"], line["statements"]) for line in lines if "book" in line}
    assert books == {"small": (10_000, 6_000, 7), "large": (3_000, 600, 7)}
    assert [line["goal_max"] for line in lines if "growth" in line] == [1.3]


def measured(words: list[str]) -> list[dict[str, Any]]:
    """What a measurement printed; a goal that a busy machine misses is no failure here."""
    command = [sys.executable, str(ROOT / "scripts" / "bench.py"), *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=180, check=False)
    assert done.returncode in (0, 1), done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_goal_on_postgresql_stands_beside_the_best_raw_way() -> None:
    done = {"raw, slow": Done(100, 1.0, 1.0), "raw, fast": Done(400, 1.0, 1.0), "product": Done(150, 1.0, 1.0)}
    (line,) = _ratios("postgresql", done, statements=9)
    assert (line["ratio"], line["to"], line["reached"]) == (0.375, "raw, fast", False)
    (line,) = _ratios("sqlite", done, statements=8)
    assert (line["ratio"], line["to"], line["reached"]) == (1.5, "raw, slow", True)
    assert line["to_each"] == {"raw, slow": 1.5, "raw, fast": 0.38}


def test_the_statements_of_a_pick_become_one_function_of_the_server() -> None:
    read = Sent("SELECT a FROM t WHERE b = %(b)s::BIGINT AND c LIKE 'x%%' FOR UPDATE", {"b": 1}, ())
    kept = Sent("INSERT INTO t (a, c) VALUES (%(a)s, %(c)s) RETURNING t.a", {"a": 7, "c": "walk-1"}, ("c",))
    text = function_of(Pick("walk-1", (read, kept)))
    assert "PERFORM * FROM (SELECT a FROM t WHERE b = (v[1]::bigint)::BIGINT AND c LIKE 'x%' FOR UPDATE) AS" in text
    assert "VALUES ((v[2]::bigint), (v[3]::text)) RETURNING t.a LOOP END LOOP;" in text
    assert kept.anew("walk-1", "walk-2") == {"a": 7, "c": "walk-2"}
