"""From which of several slots with the same goods a batch is picked: chosen together with its walk. Pure.

Batches are made of what was promised. Then each is asked what it would walk if its goods came from other rows of stock
that may stand for the promised ones; where that is shorter, a walk is planned that chooses slots and way at once, and
kept if it saves more than its further stops cost. Batches that can save most come first, for the time is bounded. A
free piece is given once; what a batch gives back is not given again, so that batches need no order among themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wms.optimise.batching import Cart, Order, lower_bound
from wms.optimise.geometry import HallError, RectHall, Stop, distance_mm, is_reachable, stop_point
from wms.optimise.routing import plan_routes
from wms.optimise.routing.rect import is_exact
from wms.optimise.routing.scattered import Supply, plan_scattered_route
from wms.picking.rules.planning import laid_again
from wms.picking.values import Goods, Lying, PlannedBatch

STOP_WORTH_MM = 10_800  # a stop more takes 9 s; so far one walks meanwhile
WORTH_MM = 2_000  # less is not worth choosing for
OTHERS_MAX = 12  # further rows looked at for the same goods in a batch

Alike = tuple[int, str, str]


@dataclass(frozen=True)
class Shelves:
    """All rows from which the goods of a wave may come, and what of each is still free to give."""

    at: Mapping[int, Lying]
    alike: Mapping[Alike, Sequence[Lying]]
    free: dict[int, int]

    def rows_of(self, goods: Goods) -> Sequence[Lying]:
        """The rows these goods may come from, their own among them; none when there is no other."""
        own = self.at.get(goods.stock_id)
        return self.alike[own.alike] if own is not None else ()


def shelves(hall: RectHall, lying: Iterable[Lying]) -> Shelves:
    """Rows by what may stand for them, as far as one can walk there."""
    rows = {row.stock_id: row for row in lying if is_reachable(hall, row.stop)}
    alike: dict[Alike, list[Lying]] = {}
    for row in sorted(rows.values(), key=lambda row: row.stock_id):
        alike.setdefault(row.alike, []).append(row)
    return Shelves(rows, alike, {row.stock_id: row.free for row in rows.values()})


def nearer(
    batches: Sequence[PlannedBatch], hall: RectHall, lying: Iterable[Lying], is_over: Callable[[], bool]
) -> list[PlannedBatch]:
    """The batches, each picked from the slots that make its walk shortest; when it `is_over` the rest as promised."""
    found = list(batches)
    if not is_exact(hall, hall.start_point, hall.end_point):
        return found
    known = shelves(hall, lying)
    for number in _most_to_save_first(batches, hall, known):
        if is_over():
            break
        found[number] = _nearer(batches[number], hall, known)
    return found


def _most_to_save_first(batches: Sequence[PlannedBatch], hall: RectHall, known: Shelves) -> list[int]:
    """Batches by what they would walk less if everything with a choice lay on their way; without those for which that
    is hardly anything.
    """
    chooses = [n for n, batch in enumerate(batches) if any(_has_choice(known, goods) for _, goods in batch.picks)]
    fixed = [[goods.stop for _, goods in batches[n].picks if not _has_choice(known, goods)] for n in chooses]
    least = plan_routes(hall, fixed, hall.start_point, hall.end_point)
    saves = {n: batches[n].walk_mm - route.length_mm for n, route in zip(chooses, least, strict=True)}
    return sorted((n for n in chooses if saves[n] >= WORTH_MM), key=lambda n: (-saves[n], n))


def _has_choice(known: Shelves, goods: Goods) -> bool:
    return any(known.free[row.stock_id] > 0 for row in known.rows_of(goods) if row.stock_id != goods.stock_id)


def _nearer(batch: PlannedBatch, hall: RectHall, known: Shelves) -> PlannedBatch:
    goods = [each for _, each in batch.picks]
    own: dict[int, int] = {}
    for each in goods:
        own[each.stock_id] = own.get(each.stock_id, 0) + each.quantity
    rows = _rows_to_choose_from(goods, hall, known, own)
    try:
        chosen = _chosen(goods, hall, rows)
    except HallError:
        return batch  # as promised: that walk stands
    left = {row.stock_id: quantity for row, quantity in chosen}
    by_order: dict[int, list[Goods]] = {order_id: [] for order_id in batch.order_ids}
    for each in _taken(goods, known.at, left):
        by_order[each.order_id].append(each)
    made = replace(laid_again(hall, batch.order_ids, by_order), promised_mm=batch.promised_mm)
    if made.walk_mm >= batch.walk_mm or _worth(made) >= _worth(batch):
        return batch
    _give(known, goods, [each for _, each in made.picks])
    return made


def _worth(batch: PlannedBatch) -> int:
    return batch.walk_mm + STOP_WORTH_MM * batch.stops


def _rows_to_choose_from(
    goods: Sequence[Goods], hall: RectHall, known: Shelves, own: Mapping[int, int]
) -> list[tuple[Lying, int]]:
    """Rows with what this batch may have of each: its own, and of the others those nearest to where it goes anyway."""
    places = [stop_point(hall, stop) for stop in {each.stop for each in goods}]

    def detour(row: Lying) -> tuple[int, int]:
        here = stop_point(hall, row.stop)
        return min(abs(here.x_mm - x) + abs(here.y_mm - y) for x, y in places), row.stock_id

    found: dict[int, tuple[Lying, int]] = {}
    for rows in {id(rows): rows for rows in map(known.rows_of, goods)}.values():
        mine = [row for row in rows if row.stock_id in own]
        others = sorted((row for row in rows if row not in mine and known.free[row.stock_id] > 0), key=detour)
        for row in (*mine, *others[:OTHERS_MAX]):
            found[row.stock_id] = (row, own.get(row.stock_id, 0) + known.free[row.stock_id])
    return list(found.values())


def _chosen(goods: Sequence[Goods], hall: RectHall, rows: Sequence[tuple[Lying, int]]) -> list[tuple[Lying, int]]:
    """The rows one goes to, each with what may be taken there. Raises HallError."""
    needs: dict[str, int] = {}
    alike = {row.stock_id: row.alike for row, _ in rows}
    supplies = [Supply(str(row.alike), row.stop, quantity) for row, quantity in rows]
    for each in goods:
        if each.stock_id in alike:
            article = str(alike[each.stock_id])
            needs[article] = needs.get(article, 0) + each.quantity
    fixed: set[Stop] = {each.stop for each in goods if each.stock_id not in alike}
    supplies += [Supply(str(stop), stop, 1) for stop in sorted(fixed)]
    needs |= {str(stop): 1 for stop in fixed}
    route = plan_scattered_route(hall, supplies, needs)
    return [rows[pick.supply] for pick in route.picks if pick.supply < len(rows)]


def _taken(goods: Sequence[Goods], at: Mapping[int, Lying], left: dict[int, int]) -> list[Goods]:
    """The goods as they are taken from the rows with what is `left` of each; whatever can stay as promised does."""
    stays: list[Goods] = []
    moves: list[Goods] = []
    for each in goods:
        if each.stock_id in at and left.get(each.stock_id, 0) < each.quantity:
            moves.append(each)
        else:
            stays.append(each)
            if each.stock_id in left:
                left[each.stock_id] -= each.quantity
    for each in sorted(moves, key=lambda each: (-each.quantity, each.hold_id)):
        stays += _from_others(each, at, left)
    return stays


def _from_others(goods: Goods, at: Mapping[int, Lying], left: dict[int, int]) -> list[Goods]:
    """One promise out of as few rows as it takes: its own if something is left there, else the fullest first."""
    rows = [row for row in left if at[row].alike == at[goods.stock_id].alike and left[row] > 0]
    taken: list[Goods] = []
    wanted = goods.quantity
    for row in sorted(rows, key=lambda row: (row != goods.stock_id, -left[row], row)):
        quantity = min(wanted, left[row])
        if quantity > 0:
            left[row] -= quantity
            wanted -= quantity
            taken.append(goods_from(goods, at[row], quantity))
    assert wanted == 0, "the rows one goes to hold what is needed"
    return taken


def goods_from(goods: Goods, row: Lying, quantity: int) -> Goods:
    """So many of these goods out of that row."""
    place = {"slot_id": row.slot_id, "slot_code": row.slot_code, "zone_id": row.zone_id, "stop": row.stop}
    return replace(goods, stock_id=row.stock_id, quantity=quantity, **place)  # type: ignore[arg-type]


def _give(known: Shelves, before: Sequence[Goods], after: Sequence[Goods]) -> None:
    """What a batch takes beyond what it was promised is no longer free."""
    more: dict[int, int] = {}
    for sign, some in ((-1, before), (1, after)):
        for each in some:
            more[each.stock_id] = more.get(each.stock_id, 0) + sign * each.quantity
    for stock_id, quantity in more.items():
        if quantity > 0:
            known.free[stock_id] -= quantity
            assert known.free[stock_id] >= 0, "no piece is given twice"


def least_mm(
    goods: Mapping[int, Sequence[Goods]],
    orders: Sequence[Order],
    carts: Sequence[Cart],
    hall: RectHall,
    known: Shelves,
) -> int:
    """No plan is shorter, whichever slots it chooses: each portion is as near as the nearest of its rows."""
    far: dict[Stop, int] = {}

    def reach(stop: Stop) -> int:
        if stop not in far:
            place = stop_point(hall, stop)
            far[stop] = distance_mm(hall, hall.start_point, place) + distance_mm(hall, place, hall.end_point)
        return far[stop]

    def near(each: Goods) -> Stop:
        others = [row.stop for row in known.rows_of(each)]
        return min([each.stop, *others], key=reach) if others else each.stop

    bound = [replace(order, stops=tuple(near(each) for each in goods[int(order.order_id)])) for order in orders]
    return lower_bound(bound, carts, hall)
