"""`wms bench` answers good files exactly as promised and names bad ones with line and reason."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from wms.optimise.bench.batch import bench_batch
from wms.optimise.bench.route import bench_route

HEADER = """NAME : small
TYPE : {type}
{extra}LAYOUT : single-block
NUM_AISLES : 3
NUM_CELLS : 10
DEPOT_AISLE : 0
DEPOT_LOCATION : bottom
DISTANCE_AISLE_TO_AISLE : 2.5
DISTANCE_CELL_TO_CELL : 1
DISTANCE_TOP_TO_CELL : 1
DISTANCE_BOTTOM_TO_CELL : 1
DISTANCE_TOP_OR_BOTTOM_TO_DEPOT : 0
ARTICLE_SECTION
NUM_ARTICLES : 3
ID 0 WEIGHT 1
ID 1 WEIGHT 2
ID 2 WEIGHT 1
"""
ONE_TOUR = (
    HEADER.format(type="Single_picker_routing", extra="")
    + """SKU_SECTION
NUM_SKUS : 3
ID 0 AISLE 0 CELL 9 QUANTITY 1 LEFT_RIGHT_HAND_SIDE left
ID 1 AISLE 1 CELL 7 QUANTITY 1 LEFT_RIGHT_HAND_SIDE left
ID 2 AISLE 0 CELL 5 QUANTITY 1 LEFT_RIGHT_HAND_SIDE right
ORDER_SECTION
NUM_ARTICLES : 2
ID 1 QUANTITY 1
ID 0 QUANTITY 1
EOF"""
)
SCATTERED = ONE_TOUR.replace("NUM_SKUS : 3", "NUM_SKUS : 4").replace(
    "ID 2 AISLE 0", "ID 1 AISLE 0 CELL 8 QUANTITY 1 LEFT_RIGHT_HAND_SIDE left\nID 2 AISLE 0"
)
BATCHES = (
    HEADER.format(type="Order_batching", extra="PICKER_CAPACITY : 4\n")
    + """SKU_SECTION
NUM_SKUS : 3
ID 0 AISLE 0 CELL 9 QUANTITY 1 LEFT_RIGHT_HAND_SIDE left
ID 1 AISLE 1 CELL 7 QUANTITY 1 LEFT_RIGHT_HAND_SIDE left
ID 2 AISLE 2 CELL 5 QUANTITY 1 LEFT_RIGHT_HAND_SIDE right
ORDER_SECTION
NUM_ORDERS : 3
NUM_ARTICLES_IN_ORDER : 1
ID 2 QUANTITY 4
NUM_ARTICLES_IN_ORDER : 1
ID 0 QUANTITY 1
NUM_ARTICLES_IN_ORDER : 1
ID 1 QUANTITY 1
"""
)
RECT: dict[str, Any] = {
    "format": "tour/1",
    "layout": {"kind": "rect", "aisle_x_mm": [0, 4_000], "cross_y_mm": [0, 62_000], "depot_mm": [1_000, 0]},
    "stops": [[1, 10_000], [0, 5_000], [1, 10_000]],
}
GRAPH: dict[str, Any] = {
    "format": "tour/1",
    "layout": {
        "kind": "graph",
        "edges": [["a", "b", 3_500, "both"], ["b", "c", 2_000, "oneway"], ["c", "a", 1_000, "oneway"]],
        "depot": "a",
    },
    "stops": ["c", "b"],
}


def solve(tmp_path: Path, *contents: str, batch: bool = False, gap: str | None = None) -> tuple[int, list[Any], str]:
    """Exit code, answers and complaints for files of the given contents."""
    names = []
    for number, content in enumerate(contents):
        path = tmp_path / f"{number}.txt"
        path.write_text(content, encoding="latin-1")
        names.append(str(path))
    out, err = io.StringIO(), io.StringIO()
    code = bench_batch(names, 0.5, 1, gap, out, err) if batch else bench_route(names, out, err)
    return code, [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()


def test_one_tour_is_answered_in_the_files_unit(tmp_path: Path) -> None:
    code, [answer], complaints = solve(tmp_path, ONE_TOUR)
    assert (code, complaints) == (0, "")
    assert answer["length"] == 2 * 1 + 2 * 2.5 + 2 * 3
    assert answer["file"] == str(tmp_path / "0.txt")
    assert answer["lower_bound"] == answer["length"]
    assert sorted(answer["sequence"]) == [0, 1]
    assert answer["optimal"] is True
    assert {"method", "cpu_ms"} <= answer.keys()
    assert "cells" not in answer


def test_scattered_storage_takes_the_nearer_cell(tmp_path: Path) -> None:
    code, [answer], _ = solve(tmp_path, SCATTERED)
    assert code == 0
    assert answer["length"] == 4
    assert answer["cells"] in ([[0, 9, 0, 1], [0, 8, 1, 1]], [[0, 8, 1, 1], [0, 9, 0, 1]])
    assert sorted(answer["sequence"]) == [0, 1]


def test_a_rectangular_tour_counts_repeated_stops_each(tmp_path: Path) -> None:
    code, [answer], _ = solve(tmp_path, json.dumps(RECT))
    assert code == 0
    assert answer["length"] == 2 * (4_000 + 10_000 + 5_000)
    assert sorted(answer["sequence"]) == [0, 1, 2]


def test_a_tour_over_a_graph_respects_one_way_edges(tmp_path: Path) -> None:
    code, [answer], _ = solve(tmp_path, json.dumps(GRAPH))
    assert code == 0
    assert answer["length"] == 3_500 + 2_000 + 1_000
    assert answer["sequence"] == [1, 0]


def test_batches_name_each_order_once_within_the_capacity(tmp_path: Path) -> None:
    code, [answer], _ = solve(tmp_path, BATCHES, batch=True)
    assert code == 0
    assert sorted(map(sorted, answer["batches"])) == [[0], [1, 2]]
    assert answer["length"] == 2 * (5 + 5) + 2 * (1 + 2.5 + 3)
    assert answer["lower_bound"] <= answer["length"]
    assert {"first_plan_s", "cpu_s", "wall_s"} <= answer.keys()


def test_the_end_gap_of_the_file_can_be_replaced(tmp_path: Path) -> None:
    _, [answer], _ = solve(tmp_path, BATCHES, batch=True, gap="1.5")
    assert answer["length"] == 2 * (5 + 5.5) + 2 * (1.5 + 2.5 + 3.5)


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        (ONE_TOUR.replace("CELL 7", "CELL 10"), "line 21: aisle 1, cell 10 is outside the hall of 3 x 10"),
        (ONE_TOUR.replace("NUM_SKUS : 3", "NUM_SKUS : 4"), "line 19: NUM_SKUS says 4, the file holds 3"),
        (ONE_TOUR.replace("ID 0 QUANTITY 1\nEOF", "ID 7 QUANTITY 1"), "line 26: article 7 lies in no cell"),
        (ONE_TOUR.replace("ID 0 QUANTITY 1\nEOF", "ID 0 QUANTITY x"), "line 26: QUANTITY 'x' is no whole number"),
        (ONE_TOUR.replace("ID 0 QUANTITY 1\nEOF", "ID 0 QUANTITY 2"), "line 26: article 0: 2 ordered, 1 in its cell"),
        (SCATTERED.replace("ID 1 QUANTITY 1\n", "ID 1 QUANTITY 3\n"), "article 1: 3 are needed and 2 lie in the hall"),
        (ONE_TOUR.replace("NUM_AISLES : 3\n", ""), "NUM_AISLES is missing"),
        (ONE_TOUR.replace("bottom\n", "left\n"), "line 7: DEPOT_LOCATION 'left' is not one of bottom, top"),
        ("nonsense", "line 1: expected KEY : value, found 'nonsense'"),
        ("", "LAYOUT is missing"),
        ('{"format": "tour/1",\n "stops": [1,}', "line 2:"),
        (json.dumps({**RECT, "stops": [[2, 5]]}), "there is no aisle 2"),
        (json.dumps({**RECT, "stops": [[1, 5.5]]}), "[1, 5.5] is no pair of whole numbers"),
        (json.dumps({**GRAPH, "stops": ["z"]}), "unknown node z"),
        (json.dumps({**GRAPH, "layout": {**GRAPH["layout"], "depot": "y"}}), "unknown node y"),
    ],
)
def test_a_bad_file_is_named_and_the_good_ones_are_answered(tmp_path: Path, broken: str, complaint: str) -> None:
    code, answers, complaints = solve(tmp_path, ONE_TOUR, broken, json.dumps(RECT))
    assert code == 2
    assert [Path(answer["file"]).name for answer in answers] == ["0.txt", "2.txt"]
    assert len(complaints.splitlines()) == 1
    assert complaints.startswith(f"{tmp_path / '1.txt'}: ")
    assert complaint in complaints


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert bench_route([str(tmp_path / "none.txt")], out, err) == 2
    assert "none.txt: No such file" in err.getvalue()


def test_an_order_too_big_for_the_cart_is_named(tmp_path: Path) -> None:
    code, answers, complaints = solve(tmp_path, BATCHES.replace("ID 2 QUANTITY 4", "ID 2 QUANTITY 5"), batch=True)
    assert (code, answers) == (2, [])
    assert "order 0 fits no cart" in complaints
