"""`scripts/bench.py planning` measures against answers of its own and keeps what it measured."""

from __future__ import annotations

import json
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scripts import bench
from scripts.benches.planning import page
from scripts.benches.planning.made import two_floors
from scripts.benches.planning.oracle import graph_distances, shortest_circuit
from tests.optimise.oracles import cheapest_cycle
from wms.optimise.routing import plan_graph_route

ROW: dict[str, Any] = {"figure": "B4", "what": "5,000 orders", "goal": "<= 3 s", "cpu_s": 4.0, "reached": False}


def test_the_oracle_finds_what_trying_every_order_finds() -> None:
    dice = random.Random(1)
    for _ in range(5):
        table = [[dice.randint(1, 99) for _ in range(6)] for _ in range(6)]
        home_and_back = [[*row, row[0]] for row in [*table, table[0]]]
        assert shortest_circuit(table, 600, 5.0) == (cheapest_cycle(home_and_back), True)


def test_a_made_map_of_two_floors_can_be_walked_from_every_place() -> None:
    for seed in range(30):
        hall, names = two_floors(seed, 10)
        table = graph_distances(hall, [hall.depot, *names])
        route = plan_graph_route(hall, names)
        tour = [0, *(index + 1 for index in route.sequence), 0]
        assert sum(table[a][b] for a, b in pairwise(tour)) == route.length_mm


def test_a_row_measured_anew_replaces_the_old_one_and_the_others_stay(tmp_path: Path) -> None:
    page.write(tmp_path, [ROW, {**ROW, "what": "50,000 orders"}])
    page.write(tmp_path, [{**ROW, "cpu_s": 2.0, "reached": True}])
    kept = json.loads((tmp_path / "reference" / "planning.json").read_text("utf-8"))
    assert {(row["what"], row["cpu_s"]) for row in kept} == {("5,000 orders", 2.0), ("50,000 orders", 4.0)}
    text = (tmp_path / "reference" / "planning.md").read_text("utf-8")
    assert "| B4 | 5,000 orders | <= 3 s | 2.0 s | yes |" in text
    assert "| B4 | 50,000 orders | <= 3 s | 4.0 s | **no** |" in text
    assert "<polyline" in (tmp_path / "pictures" / "planning" / "tour.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "complaint"),
    [(["--only", "R9"], "--only R9: not one of"), (["--data", "nowhere"], "--data nowhere: holds no table")],
)
def test_what_there_is_not_is_named(
    options: list[str], complaint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["planning", *options, "--docs", str(tmp_path)]) == 2
    assert complaint in capsys.readouterr().err


def test_without_data_published_problems_are_left_out_and_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert bench.main(["planning", "--only", "R2,B1", "--docs", str(tmp_path)]) == 0
    said = capsys.readouterr().err
    assert "R2: published problems left out" in said
    assert "B1: published problems left out" in said
