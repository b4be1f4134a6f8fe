"""The standard slotting experiment recomputed from its files alone, with nothing of the house: own carts, tours and
count of moves. `python -m tests.optimise.recompute ORDERS DUMP LINES.jsonl` prints both figures for whole files.

Tours by Ratliff and Rosenthal (1983): aisle by aisle, the cheapest way to leave its two ends with an odd or even number
of walks and with one or two parts that are still to be joined.
"""

from __future__ import annotations

import csv
import gzip
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from itertools import pairwise
from pathlib import Path

import numpy as np

MONDAY = date(2010, 11, 29)
PITCH_M, AISLE_M, DEPOT_AISLE = 4, 62, 10
ORDERS_MAX, LINES_MAX, FIRST_WEEK, WORK_DAYS = 10, 40, 8, 6
STARTS = {
    "dynamic_from_random": "random",
    "dynamic_from_static": "turnover_static",
    "weekly_unbounded": "turnover_static",
}

Place = tuple[int, int]  # aisle, metres from the front
Orders = list[tuple[date, list[str]]]
Slots = dict[str, tuple[int, int, int, int]]  # SKU -> aisle, side, bay, level
State = tuple[int, int, int]  # walks at the front end and at the back end (0, 1 odd, 2 even), parts


def orders(path: Path) -> Orders:
    """Day and SKUs of each order, in the order of the file."""
    found: dict[str, tuple[date, list[str]]] = {}
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            day = date.fromisoformat(row["InvoiceDate"][:10])
            skus = found.setdefault(row["InvoiceNo"], (day, []))[1]
            if row["StockCode"] not in skus:
                skus.append(row["StockCode"])
    return list(found.values())


def carts(of_day: Sequence[list[str]]) -> Iterator[tuple[list[str], bool]]:
    """The carts of a day: their SKUs, and whether it is one large order alone."""
    cart: list[str] = []
    count = 0
    for skus in of_day:
        if len(skus) > LINES_MAX:
            yield skus, True
            continue
        if count == ORDERS_MAX or len(cart) + len(skus) > LINES_MAX:
            yield cart, False
            cart, count = [], 0
        cart, count = cart + skus, count + 1
    if cart:
        yield cart, False


def stops(skus: Sequence[str], alone: bool, slots: Slots) -> list[list[Place]]:
    """The stops of a cart's tours: one, or the equal parts of a large order."""
    places = [(slots[sku][0], 2 + 2 * slots[sku][2]) for sku in skus]
    if not alone:
        return [places]
    places.sort(key=lambda place: (place[0], place[1] if place[0] % 2 == 0 else -place[1]))
    parts = np.array_split(np.array(places), -(-len(places) // LINES_MAX))
    return [[(int(aisle), int(y)) for aisle, y in part] for part in parts]


def tour_m(places: Sequence[Place]) -> int:
    """The shortest walk from the depot over the stops and back."""
    inside: dict[int, list[int]] = {}
    for aisle, y in sorted(set(places)):
        inside.setdefault(aisle, []).append(y)
    first, last = min([*inside, DEPOT_AISLE]), max([*inside, DEPOT_AISLE])
    states: dict[State, int] = {(0, 0, 0): 0}
    for aisle in range(first, last + 1):
        states = _walked(states, inside.get(aisle, []), aisle == DEPOT_AISLE)
        if aisle < last:
            states = _crossed(states)
    return min(length for (front, back, parts), length in states.items() if parts == 1 and 1 not in (front, back))


def _least(found: dict[State, int], state: State, length: int) -> None:
    if state[2] <= 2:
        found[state] = min(found.get(state, length), length)


def _walked(states: Mapping[State, int], ys: Sequence[int], depot: bool) -> dict[State, int]:
    found: dict[State, int] = {}
    even, odd = {0: 2, 1: 1, 2: 2}, {0: 1, 1: 2, 2: 1}
    for (front, back, parts), length in states.items():
        ways = [((odd[front], odd[back], 1), AISLE_M)]
        if not ys:
            ways.append(((front, back, parts), 0))
        else:
            ways.append(((even[front], even[back], 1), 2 * AISLE_M))
            ways.append(((even[front], back, parts + (front == 0)), 2 * ys[-1]))
            ways.append(((front, even[back], parts + (back == 0)), 2 * (AISLE_M - ys[0])))
        if len(ys) > 1:
            gap = max(later - earlier for earlier, later in pairwise(ys))
            both = parts + (front == 0) + (back == 0)
            ways.append(((even[front], even[back], both), 2 * (AISLE_M - gap)))
        for (at_front, at_back, left), walk in ways:
            if depot and at_front == 0:
                at_front, left = 2, left + 1
            _least(found, (at_front, at_back, left), length + walk)
    return found


def _crossed(states: Mapping[State, int]) -> dict[State, int]:
    found: dict[State, int] = {}
    for (front, back, parts), length in states.items():
        for at_front in {0: (0,), 1: (1,), 2: (0, 2)}[front]:
            for at_back in {0: (0,), 1: (1,), 2: (0, 2)}[back]:
                lost = (parts == 2 and not (at_front and at_back)) or (parts == 1 and not (at_front or at_back))
                if not lost:
                    _least(found, (at_front, at_back, parts), length + PITCH_M * (at_front + at_back))
    return found


def dumped(path: Path) -> dict[int, Slots]:
    """Week -> the slot of each SKU."""
    found: dict[int, Slots] = {}
    with path.open(encoding="utf-8") as text:
        for row in csv.DictReader(text):
            aisle, side, bay, level = (int(row[name]) for name in ("aisle", "side", "bay", "level"))
            found.setdefault(int(row["week"]), {})[row["sku"]] = (aisle, side, bay, level)
    return found


def metres_and_tours(
    of: Sequence[tuple[date, list[str]]], layout: Mapping[int, Slots], weeks: range
) -> tuple[int, int]:
    """Metres and tours of some weeks."""
    days: dict[date, list[list[str]]] = {}
    for day, skus in of:
        days.setdefault(day, []).append(skus)
    lengths = [
        tour_m(part)
        for day, many in days.items()
        if (week := (day - MONDAY).days // 7) in weeks
        for skus, alone in carts(many)
        for part in stops(skus, alone, layout[week])
    ]
    return sum(lengths), len(lengths)


def moves(of: Orders, folder: Path, policy: str, weeks: range) -> int:
    """SKUs that changed their slot in some weeks and had no receipt; what a run begins with lies in its own dump."""
    layout = dumped(folder / f"{policy}.csv")
    before = dumped(folder / f"{STARTS[policy]}.csv")[FIRST_WEEK] if policy in STARTS else layout[FIRST_WEEK]
    seen: dict[str, int] = {}
    for day, skus in of:
        for sku in skus:
            seen[sku] = min(seen.get(sku, 9_999), (day - MONDAY).days // 7)
    dice, count = np.random.default_rng(1), 0
    for week in range(FIRST_WEEK, weeks.stop):
        known = sorted((sku for sku in seen if seen[sku] < week), key=lambda sku: sku.encode())
        draws = dice.random(len(known)) if policy.startswith("dynamic") else np.ones(len(known))
        renewed = {sku for sku, draw in zip(known, draws, strict=True) if draw < 0.25}
        if week in weeks:
            count += sum(layout[week][sku] != before[sku] for sku in before if sku not in renewed)
        before = layout[week]
    return count


def main() -> None:
    """Every policy of a dump of weeks 8 and later, said and recomputed."""
    of, folder = orders(Path(sys.argv[1])), Path(sys.argv[2])
    for line in Path(sys.argv[3]).read_text("utf-8").splitlines():
        said = json.loads(line)
        layout = dumped(folder / f"{said['policy']}.csv")
        weeks = range(FIRST_WEEK, max(layout) + 1)
        metres, tours = metres_and_tours(of, layout, weeks)
        a_day = moves(of, folder, said["policy"], weeks) / (WORK_DAYS * len(weeks))
        print(f"{said['policy']}: {said['metres']} m, {said['tours']} tours, {said['moves_per_day']} moves a day said;")
        print(f"    {metres} m, {tours} tours, {a_day:.2f} moves a day recomputed", flush=True)


if __name__ == "__main__":
    main()
