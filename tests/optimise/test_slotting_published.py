"""The planner against what is known exactly: closed forms of storage policies, and small layouts solved to the end."""

from __future__ import annotations

import csv
import os
import tarfile
from collections.abc import Callable
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wms.optimise.geometry import Point, RectHall
from wms.optimise.slotting.flow import assign
from wms.optimise.slotting.layout import into_slots
from wms.optimise.slotting.plan import Planner
from wms.optimise.slotting.values import Floats, Ints, Lines, Tuning, ground_of
from wms.optimise.twin import Stops, tour_lengths_mm

FOLDER = Path(os.environ.get("CHUWEI_DATA_DIR", "")) / "slotting"
CELLS = 400
RANDOM = 2.0 / 3.0  # mean one-way travel in a rack that is square in time
# Skewness s of demand: the busiest i of all items make i**s of the demand (Hausman, Schwarz, Graves 1976).
SKEWS = (0.5693, 0.3174, 0.2216, 0.1386, 0.0655)


def trips_to(share: Floats | float, s: float) -> Floats:
    """Share of all trips to the busiest `share` of the pallets, when lots are economic (from their equation 6)."""
    return np.asarray(share ** (2.0 * s / (s + 1.0)))


def travel_to(share: Floats | float) -> Floats:
    """Sum of the one-way travel to the nearest `share` of the slots."""
    return np.asarray(RANDOM * share**1.5)


def classes_walk(ends: tuple[float, ...], s: float) -> float:
    """Mean travel when classes end at these shares of the rack, random inside a class."""
    edges = np.array((0.0, *ends, 1.0))
    parts = np.diff(trips_to(edges, s)) * np.diff(travel_to(edges)) / np.diff(edges)
    return float(parts.sum()) / RANDOM


@pytest.mark.parametrize("s", SKEWS)
def test_the_flow_stores_by_turnover_and_walks_as_the_closed_form_says(s: float) -> None:
    edges = np.arange(CELLS + 1) / CELLS
    trips, travel = np.diff(trips_to(edges, s)), np.diff(travel_to(edges)) * CELLS
    mixed = np.random.default_rng(1).permutation(CELLS)
    band = assign(np.multiply.outer(trips[mixed], travel) * 1e8, np.ones(CELLS, dtype=np.int64))
    assert (band == mixed).all()
    power = 2.0 * s / (s + 1.0)
    inside = np.diff(edges ** (power + 0.5)) * power / (power + 0.5)  # trips times travel, exact in every cell
    assert inside.sum() / RANDOM == pytest.approx(6.0 * s / (5.0 * s + 1.0), rel=1e-9)


@pytest.mark.parametrize("s", SKEWS)
def test_the_flow_fills_classes_as_the_closed_form_does(s: float) -> None:
    edges = np.arange(CELLS + 1) / CELLS
    trips = np.diff(trips_to(edges, s))
    ends = (0.1, 0.35)
    room = np.diff(np.array([0, *ends, 1]) * CELLS).round().astype(np.int64)
    mean = np.array([float(travel_to(b) - travel_to(a)) / (b - a) for a, b in pairwise((0.0, *ends, 1.0))])
    band = assign(np.multiply.outer(trips, mean) * 1e6, room)
    assert float((trips * mean[band]).sum()) / RANDOM == pytest.approx(classes_walk(ends, s), rel=1e-6)


@pytest.mark.skipif(not (FOLDER / "hsg1976_closed_form.csv").is_file(), reason="CHUWEI_DATA_DIR names no slotting/")
def test_the_published_ratios_of_turnover_two_and_three_classes_are_met() -> None:
    steps = [float(each) for each in np.geomspace(0.002, 0.9, 60)]
    with (FOLDER / "hsg1976_closed_form.csv").open() as table:
        for row in csv.DictReader(table):
            s = float(row["s"])
            two = min(classes_walk((end,), s) for end in steps)
            three = min(classes_walk(ends, s) for ends in combinations(steps, 2))
            assert 6.0 * s / (5.0 * s + 1.0) == pytest.approx(float(row["full_turnover_ratio"]), abs=2e-4)
            assert two == pytest.approx(float(row["two_class_ratio"]), abs=1e-3)
            assert three == pytest.approx(float(row["three_class_ratio"]), abs=2e-3)


Instance = tuple[int, list[list[int]]]  # bays of the one aisle, SKUs of each order from 0


def one_aisle_instances() -> list[tuple[str, Instance]]:
    """Those of the slaprp set with one aisle of five bays: two SKUs a bay, everything placed anew."""
    found = []
    with tarfile.open(FOLDER / "slaprp" / "prunett_SLAPRP_instances.tar.gz") as archive:
        for member in sorted(archive.getmembers(), key=lambda each: each.name):
            if "SLAP-PRP_A1_B5_" in member.name and (content := archive.extractfile(member)):
                rows = [[int(each) for each in line.split()] for line in content.read().decode().splitlines()]
                orders = [[sku - 1 for sku in row] for row in rows[5:] if row]
                found.append((Path(member.name).stem, (rows[0][1], orders)))
    return found


def depth_sum(bay: Ints, orders: list[list[int]]) -> int:
    """Walk into the aisle to the deepest bay of each order."""
    return sum(int(bay[order].max()) + 1 for order in orders)


def cheapest(instance: Instance) -> int:
    """The least sum of depths that any layout has, proved by CP-SAT."""
    from ortools.sat.python import cp_model

    bays, orders = instance
    model = cp_model.CpModel()
    lies: Any = [[model.new_bool_var("") for _ in range(bays)] for _ in range(2 * bays)]
    for sku in lies:
        model.add_exactly_one(sku)
    for bay in range(bays):
        model.add(sum(sku[bay] for sku in lies) <= 2)
    deepest = [model.new_int_var(1, bays, "") for _ in orders]
    for order, depth in zip(orders, deepest, strict=True):
        for sku in order:
            model.add(depth >= sum((bay + 1) * lies[sku][bay] for bay in range(bays)))
    model.minimize(sum(deepest))
    solver = cp_model.CpSolver()
    solver.parameters.num_workers = 1
    solver.parameters.max_time_in_seconds = 20.0
    assert solver.solve(model) == cp_model.OPTIMAL
    return round(solver.objective_value)


def planned(instance: Instance) -> int:
    """The planner's layout of the same goods: an order is a cart of its own."""
    bays, orders = instance
    at = np.arange(2 * bays) // 2
    hall = RectHall((0,), (0, 1_000 * (bays + 1)), Point(0, 0))
    ground = ground_of(hall, np.zeros(2 * bays, dtype=np.int64), 1_000 * (at + 1), 1_000)
    sku = np.concatenate([np.array(order) for order in orders])
    lines = Lines(np.repeat(np.arange(len(orders)), [len(order) for order in orders]), sku, np.zeros_like(sku))
    counts = np.bincount(sku, minlength=2 * bays).astype(float)[None, :]
    place = np.arange(2 * bays)
    tuning = Tuning(tour_lines_max=max(len(order) for order in orders), turning=1.0)
    ideal = Planner(ground, tuning).ideal(counts, lines, place)
    slot = into_slots(ground, ideal.band, ideal.speed, place)
    stops = Stops(lines.order, np.zeros_like(sku), 1_000 * (at[slot[sku]] + 1), len(orders))
    assert tour_lengths_mm(hall, stops).sum() == 2_000 * depth_sum(at[slot], orders)
    return depth_sum(at[slot], orders)


@pytest.mark.skipif(not (FOLDER / "slaprp").is_dir(), reason="CHUWEI_DATA_DIR names no slotting/slaprp")
def test_small_layouts_come_near_to_the_proved_best(record_property: Callable[[str, object], None]) -> None:
    """Ten orders say little about what is bought together; the planner smooths, the optimum knows them by heart."""
    gaps = {}
    for name, instance in one_aisle_instances():
        best = cheapest(instance)
        assert planned(instance) >= best
        gaps[name] = planned(instance) / best - 1.0
    assert len(gaps) == 18
    record_property("gaps", gaps)
    assert sum(gaps.values()) / len(gaps) < 0.06
    assert max(gaps.values()) < 0.30
