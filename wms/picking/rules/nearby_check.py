"""Are slots that were chosen with the walk what they say they are? Judged without the code that chooses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from wms.core.refusal import Reason, Refused
from wms.optimise import check
from wms.optimise.geometry import Point, RectHall
from wms.optimise.routing import Route
from wms.picking.values import Goods, Lying, PlannedBatch


def check_nearer(
    promised: Sequence[PlannedBatch], chosen: Sequence[PlannedBatch], hall: RectHall, lying: Sequence[Lying]
) -> None:
    """Refuse slots of which something is wrong. Raises PLAN_UNSOUND with the first complaint."""
    for complaint in complaints(promised, chosen, hall, lying):
        raise Refused(Reason.PLAN_UNSOUND, what=complaint)


def complaints(
    promised: Sequence[PlannedBatch], chosen: Sequence[PlannedBatch], hall: RectHall, lying: Sequence[Lying]
) -> Iterator[str]:
    """Sentences about everything wrong: other goods, too much of a row, a walk that is not what it says or longer."""
    rows = {row.stock_id: row for row in lying}
    if [one.order_ids for one in promised] != [one.order_ids for one in chosen]:
        yield "other orders are picked together than were planned"
        return
    before = {goods.hold_id: goods for one in promised for _, goods in one.picks}
    after: dict[int, list[Goods]] = {hold_id: [] for hold_id in before}
    for one in chosen:
        for _, goods in one.picks:
            if goods.hold_id not in before:
                yield f"hold {goods.hold_id} was never promised"
                return
            after[goods.hold_id].append(goods)
    for hold_id, goods in before.items():
        yield from _of_hold(goods, after[hold_id], rows)
    yield from _overdrawn([(before[id], each) for id, some in after.items() for each in some], rows)
    for was, one in zip(promised, chosen, strict=True):
        yield from _of_walk(was, one, hall)


def _of_hold(promised: Goods, taken: Sequence[Goods], rows: Mapping[int, Lying]) -> Iterator[str]:
    if sum(each.quantity for each in taken) != promised.quantity or any(each.quantity < 1 for each in taken):
        yield f"hold {promised.hold_id} is not picked whole"
    for each in taken:
        if (each.order_line_id, each.sku_id, each.lot_id) != (
            promised.order_line_id,
            promised.sku_id,
            promised.lot_id,
        ):
            yield f"hold {promised.hold_id} is picked as something else"
        if each.stock_id == promised.stock_id:
            continue
        own, other = rows.get(promised.stock_id), rows.get(each.stock_id)
        if own is None or other is None or own.alike != other.alike:
            yield f"stock {each.stock_id} may not stand for stock {promised.stock_id}"
        elif (each.slot_id, each.stop) != (other.slot_id, other.stop):
            yield f"stock {each.stock_id} does not lie in slot {each.slot_code}"


def _overdrawn(pairs: Sequence[tuple[Goods, Goods]], rows: Mapping[int, Lying]) -> Iterator[str]:
    """Nothing is taken that somebody else was promised."""
    drawn: Counter[int] = Counter()
    for promised, taken in pairs:
        if taken.stock_id != promised.stock_id:
            drawn[taken.stock_id] += taken.quantity
    for stock_id, quantity in drawn.items():
        if stock_id in rows and quantity > rows[stock_id].free:
            yield f"{quantity} are taken of stock {stock_id}, of which {rows[stock_id].free} are free"


def _of_walk(was: PlannedBatch, one: PlannedBatch, hall: RectHall) -> Iterator[str]:
    if one.promised_mm != was.walk_mm or one.walk_mm > was.walk_mm:
        yield f"batch {list(one.order_ids)} does not walk less than as promised"
    path = tuple(Point(*corner) for corner in one.path)
    stops = [goods.stop for _, goods in one.picks]
    bound = one.walk_mm if one.optimal else 0
    route = Route(tuple(range(len(stops))), path, one.walk_mm, 0.0, one.method, one.optimal, bound)
    for complaint in check.violations(check.RouteProblem(hall, stops, hall.start_point, hall.end_point), route):
        yield f"batch {list(one.order_ids)}: {complaint}"
