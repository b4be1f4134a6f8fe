"""The standard slotting experiment: carts as written, figures anyone can recompute, and no layout that knows the
future.
"""

from __future__ import annotations

import csv
import io
import json
import os
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.optimise import recompute
from wms.optimise.bench.slot.hall import HALL, SLOT_AISLE, SLOT_Y_MM, SLOTS
from wms.optimise.bench.slot.orders import Order, OrderFile, Season, read_orders, season_of
from wms.optimise.bench.slot.policies import (
    MEAN_OF_SEEDS,
    MOVES_PER_WEEK,
    POLICIES,
    RENEWED_SHARE,
    START_WEEK,
    Layout,
    abc_place,
    turnover_place,
)
from wms.optimise.bench.slot.run import Asked, Weeks, bench_slot, run_policy, week_metres
from wms.optimise.geometry import Stop
from wms.optimise.routing import plan_route

GIVEN = Path(os.environ.get("CHUWEI_DATA_DIR", "")) / "orders/orders_2010-12_2011-06.csv.gz"
MONDAY = date(2010, 11, 29)
WEEKS, SKUS = 12, 400


def some_orders(seed: int = 1, last_week: int = WEEKS) -> OrderFile:
    """A small shop: fast and slow SKUs, things bought together, a large order now and then."""
    dice = np.random.default_rng(seed)
    weight = dice.gamma(0.4, 1.0, SKUS)
    orders = []
    for day in range(7 * last_week):
        for number in range(6):
            size = 45 if number == 0 and day % 5 == 0 else int(dice.integers(1, 12))
            skus = dice.choice(SKUS, size, replace=False, p=weight / weight.sum())
            orders.append(Order(MONDAY + timedelta(days=day), tuple(int(sku) for sku in skus)))
    return OrderFile(tuple(f"S{number:03d}" for number in range(SKUS)), tuple(orders))


def as_csv(file: OrderFile, path: Path) -> Path:
    with path.open("w", newline="") as text:
        rows = csv.writer(text)
        rows.writerow(["InvoiceNo", "StockCode", "InvoiceDate", "qty"])
        for number, order in enumerate(file.orders):
            rows.writerows([number, file.codes[sku], f"{order.day} 08:30", 1] for sku in order.skus)
    return path


def told(path: Path, **asked: Any) -> dict[str, dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    assert bench_slot(Asked(str(path), **asked), out, err) == 0, err.getvalue()
    return {row["policy"]: row for row in map(json.loads, out.getvalue().splitlines())}


def layouts(season: Season, name: str, last: int) -> list[Layout]:
    return list(POLICIES[name](season, last, 1))


def test_a_cart_closes_before_its_11th_order_before_its_41st_line_and_at_night() -> None:
    def order(day: int, size: int) -> Order:
        return Order(MONDAY + timedelta(days=day), tuple(range(size)))

    many = [order(0, 1)] * 11
    full = [order(1, 30), order(1, 10), order(1, 1), order(1, 40)]
    week = season_of(OrderFile(tuple(map(str, range(50))), (*many, *full))).weeks[0]
    assert np.bincount(week.cart_tour).tolist() == [10, 1, 40, 1, 40]


def test_a_large_order_goes_alone_in_equal_parts_of_its_walking_order() -> None:
    large = Order(MONDAY, tuple(range(85)))
    week = season_of(OrderFile(tuple(map(str, range(85))), (large,))).weeks[0]
    place = np.random.default_rng(1).permutation(len(SLOTS))[:85]
    stops = week.stops(place)
    assert np.bincount(stops.tour).tolist() == [29, 28, 28]
    walked = [(aisle, y if aisle % 2 == 0 else -y) for aisle, y in zip(stops.aisle, stops.y_mm, strict=True)]
    assert walked == sorted(walked)


def test_small_orders_leave_out_the_others_and_fill_smaller_carts() -> None:
    season = season_of(some_orders(), small_orders=True)
    sizes = [np.bincount(week.cart_tour) for week in season.weeks]
    assert max(size.max() for size in sizes) <= 20
    assert all(not week.large for week in season.weeks)
    assert season.skus == SKUS


def test_slots_are_filled_from_the_middle_aisle_outwards_front_to_back() -> None:
    assert SLOTS[:11].tolist() == [[10, side, 0, level] for side in (0, 1) for level in range(5)] + [[10, 0, 1, 0]]
    assert SLOTS[::300, 0].tolist() == [10, 9, 11, 8, 12, 7, 13, 6, 14, 5, 15, 4, 16, 3, 17, 2, 18, 1, 19, 0]
    assert (SLOT_Y_MM.min(), SLOT_Y_MM.max()) == (2_000, 60_000)


def test_classes_hold_80_15_and_5_percent_of_the_lines() -> None:
    lines = np.array([80.0, 0.0, 15.0, 5.0])
    assert abc_place(lines, 1).argmin() == 0
    assert set(abc_place(lines, 1)[[1, 3]]) == {2, 3}
    assert turnover_place(np.array([1.0, 2.0, 2.0])).tolist() == [2, 0, 1]


@pytest.fixture(scope="module")
def dumped(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, dict[str, Any]], Season]:
    folder = tmp_path_factory.mktemp("slot")
    file = some_orders()
    path = as_csv(file, folder / "orders.csv")
    rows = told(path, first=9, last=11, dump=str(folder / "dump"))
    return folder / "dump", rows, season_of(read_orders(path))


def read_dump(path: Path, season: Season) -> dict[int, np.ndarray[Any, Any]]:
    """Week by week the slot of each SKU, from nothing but the file."""
    number = {code: index for index, code in enumerate(season.codes)}
    slot = {tuple(row): index for index, row in enumerate(SLOTS.tolist())}
    found: dict[int, np.ndarray[Any, Any]] = {}
    with path.open() as text:
        for row in csv.DictReader(text):
            place = found.setdefault(int(row["week"]), np.full(season.skus, -1))
            place[number[row["sku"]]] = slot[tuple(int(row[name]) for name in ("aisle", "side", "bay", "level"))]
    return found


def walked_one_by_one(season: Season, week: int, place: np.ndarray[Any, Any]) -> float:
    stops = season.weeks[week].stops(place)
    tours: list[list[Stop]] = [[] for _ in range(stops.tours)]
    for tour, aisle, y in zip(stops.tour, stops.aisle, stops.y_mm, strict=True):
        tours[tour].append(Stop(int(aisle), int(y)))
    return sum(plan_route(HALL, tour).length_mm for tour in tours) / 1000.0


def test_every_policy_answers_one_line(dumped: tuple[Path, dict[str, dict[str, Any]], Season]) -> None:
    _, rows, season = dumped
    assert list(rows) == list(POLICIES)
    assert rows["random"]["ratio"] == 1.0
    assert {row["tours"] for row in rows.values()} == {sum(season.weeks[week].tours for week in (9, 10, 11))}


@pytest.mark.parametrize("name", [name for name in POLICIES if name not in MEAN_OF_SEEDS])
def test_metres_and_moves_recomputed_from_the_dump_agree(
    dumped: tuple[Path, dict[str, dict[str, Any]], Season], name: str
) -> None:
    folder, rows, season = dumped
    place = read_dump(folder / f"{name}.csv", season)
    assert list(place) == [8, 9, 10, 11]
    assert all(len(set(each.tolist())) == season.skus and each.min() >= 0 for each in place.values())
    assert rows[name]["metres"] == round(sum(walked_one_by_one(season, week, place[week]) for week in (9, 10, 11)))
    dice, moves = np.random.default_rng(1), 0
    for week in range(START_WEEK, 12):
        known = np.flatnonzero(season.counts[:week].any(axis=0))
        free_of_charge = known[dice.random(len(known)) < RENEWED_SHARE] if name.startswith("dynamic") else known[:0]
        if week > START_WEEK:
            moved = np.setdiff1d(np.flatnonzero(place[week] != place[week - 1]), free_of_charge)
            moves += len(moved)
            assert not name.startswith("dynamic") or len(moved) <= MOVES_PER_WEEK
    assert rows[name]["moves_per_day"] == round(moves / 18, 2)


@pytest.mark.parametrize("name", ["turnover_static", "dynamic_from_random", "dynamic_from_static"])
def test_whoever_has_only_the_files_finds_the_same_metres_and_moves(
    dumped: tuple[Path, dict[str, dict[str, Any]], Season], name: str
) -> None:
    folder, rows, _ = dumped
    of, weeks = recompute.orders(folder.parent / "orders.csv"), range(9, 12)
    found = recompute.metres_and_tours(of, recompute.dumped(folder / f"{name}.csv"), weeks)
    assert found == (rows[name]["metres"], rows[name]["tours"])
    assert rows[name]["moves_per_day"] == round(recompute.moves(of, folder, name, weeks) / 18, 2)


def test_the_same_seed_gives_the_same_lines(
    dumped: tuple[Path, dict[str, dict[str, Any]], Season], tmp_path: Path
) -> None:
    _, rows, _ = dumped
    path = as_csv(some_orders(), tmp_path / "orders.csv")
    assert told(path, first=9, last=11) == rows
    assert told(path, first=9, last=11, seed=2)["dynamic_from_random"] != rows["dynamic_from_random"]


@pytest.mark.parametrize("name", [name for name in POLICIES if name != "hindsight"])
def test_what_is_ordered_later_changes_no_layout_before(name: str) -> None:
    file = some_orders()
    for week in (9, 11):
        honest = layouts(season_of(file), name, week)
        shuffled = layouts(season_of(file, shuffle_from=week, seed=3), name, week)
        assert all((one.place == other.place).all() for one, other in zip(honest, shuffled, strict=True))


def test_hindsight_does_know_its_week() -> None:
    file = some_orders()
    honest, shuffled = (layouts(season_of(file, shuffle_from=each, seed=3), "hindsight", 9) for each in (None, 9))
    assert (honest[0].place == shuffled[0].place).all()
    assert (honest[1].place != shuffled[1].place).any()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("InvoiceNo,StockCode\n1,A\n", "line 1: no column InvoiceDate"),
        ("InvoiceNo,StockCode,InvoiceDate\n1,A,soon\n", "line 2: 'soon' is no time"),
        ("InvoiceNo,StockCode,InvoiceDate\n1,,2010-12-01\n", "line 2: order number and SKU code"),
        ("InvoiceNo,StockCode,InvoiceDate\n1,A\n", "line 2: 2 columns, but the header has 3"),
        ("InvoiceNo,StockCode,InvoiceDate\n", "line 1: no order lines"),
        ("InvoiceNo,StockCode,InvoiceDate\n1,A,2010-12-01\n", "weeks must lie between 8 and 0"),
        ("\x00\ud800", "cannot be read as CSV"),
    ],
)
def test_a_file_that_is_no_good_is_named_with_line_and_reason(tmp_path: Path, content: str, complaint: str) -> None:
    path = tmp_path / "orders.csv"
    path.write_bytes(content.encode("utf-8", "surrogatepass"))
    out, err = io.StringIO(), io.StringIO()
    assert bench_slot(Asked(str(path)), out, err) == 2
    assert complaint in err.getvalue()
    assert err.getvalue().count("\n") == 1
    assert out.getvalue() == ""


def test_columns_of_other_names_are_read(tmp_path: Path) -> None:
    path = as_csv(some_orders(), tmp_path / "orders.csv")
    path.write_text(path.read_text().replace("StockCode", "Item", 1))
    assert "random" in told(path, first=8, last=8, columns="sku=Item")
    err = io.StringIO()
    assert bench_slot(Asked(str(path), columns="colour=Item"), io.StringIO(), err) == 2
    assert "--map colour=Item" in err.getvalue()


CONTROLS = {"compact": 0.72, "sku_number": 0.56, "abc_static": 0.595, "turnover_static": 0.52, "hindsight": 0.334}


@pytest.mark.skipif(not GIVEN.is_file(), reason="CHUWEI_DATA_DIR names no folder with orders/ in it")
def test_the_controls_of_the_given_file_are_met_within_two_percent() -> None:
    season, weeks = season_of(read_orders(GIVEN)), Weeks(8, 29)
    random = run_policy(season, "random", weeks, 1)
    assert random.tours == 5_394
    assert random.metres == pytest.approx(3.55e6, rel=0.02)
    found = {name: run_policy(season, name, weeks, 1).metres / random.metres for name in CONTROLS}
    assert found == {name: pytest.approx(ratio, rel=0.02) for name, ratio in CONTROLS.items()}
    plain = [Layout(week, turnover_place(_faded(season, week))) for week in range(8, 30)]
    metres = sum(week_metres(season, layout) for layout in plain)
    assert metres / random.metres == pytest.approx(0.43, rel=0.02)


def _faded(season: Season, week: int) -> Any:
    return 0.5 ** (np.arange(week - 1, -1, -1) / 2.0) @ season.counts[:week]


def test_aisles_of_the_hall_are_those_of_the_slots() -> None:
    assert set(SLOT_AISLE.tolist()) == set(range(len(HALL.aisle_x_mm)))
