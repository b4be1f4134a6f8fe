"""Published problems with known best values, from an optional folder (CHUWEI_DATA_DIR)."""

from __future__ import annotations

import csv
import io
import json
import os
import random
import tarfile
from pathlib import Path

import pytest

from wms.optimise.bench.batch import bench_batch
from wms.optimise.bench.route import bench_route

FOLDER = Path(os.environ.get("CHUWEI_DATA_DIR", "")) / "routing"
pytestmark = pytest.mark.skipif(
    not os.environ.get("CHUWEI_DATA_DIR") or not FOLDER.is_dir(),
    reason="CHUWEI_DATA_DIR names no folder with routing/ in it",
)


def some(name: str, count: int, tmp_path: Path) -> dict[str, float]:
    """Unpack a random sample of a set: best known value by file."""
    with (FOLDER / f"{name}_bks.csv").open() as table:
        rows = [row for row in csv.DictReader(table) if row["best_known"]]
    sample = random.Random(1).sample(rows, count)
    with tarfile.open(FOLDER / f"{name}.tar.gz") as archive:
        archive.extractall(tmp_path, members=[archive.getmember(row["file"]) for row in sample], filter="data")
    return {str(tmp_path / row["file"]): float(row["best_known"]) for row in sample}


def routed(best: dict[str, float]) -> list[dict[str, float]]:
    out, err = io.StringIO(), io.StringIO()
    assert bench_route(list(best), out, err) == 0, err.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_single_tours_are_all_optimal(tmp_path: Path) -> None:
    best = some("sprp", 100, tmp_path)
    answers = routed(best)
    assert {str(answer["file"]): answer["length"] for answer in answers} == best


def test_scattered_tours_are_near_optimal_and_never_claim_more(tmp_path: Path) -> None:
    best = some("sprp_scattered", 25, tmp_path)
    answers = routed(best)
    ratio = [answer["length"] / best[str(answer["file"])] for answer in answers]
    assert sum(ratio) / len(ratio) <= 1.015
    for answer in answers:
        assert answer["lower_bound"] <= best[str(answer["file"])] <= answer["length"] + 1e-6
        assert not answer["optimal"] or answer["length"] == best[str(answer["file"])]


@pytest.mark.parametrize(("name", "gap", "worst"), [("foodmart", None, 1.1), ("muter_oencan", "1.5", 1.15)])
def test_batches_are_never_shorter_than_the_proved_best(tmp_path: Path, name: str, gap: str, worst: float) -> None:
    best = some(name, 3, tmp_path)
    out, err = io.StringIO(), io.StringIO()
    assert bench_batch(list(best), 1.0, 1, gap, out, err) == 0, err.getvalue()
    for line in out.getvalue().splitlines():
        answer = json.loads(line)
        known = best[answer["file"]]
        assert answer["lower_bound"] <= known + 1e-6
        assert known - 1e-6 <= answer["length"] <= worst * known
