"""In which order and which way round the batches of a wave are begun, so that people meet less in the aisles. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from wms.core.refusal import Reason, Refused
from wms.optimise import check
from wms.optimise.batching.crowding import Crew, Tour, crowded_s, spread
from wms.optimise.geometry import Point, RectHall, Stop
from wms.optimise.routing import Route
from wms.picking.values import PlannedBatch, SpreadPlan


def spread_out(batches: Sequence[PlannedBatch], hall: RectHall, crew: Crew) -> SpreadPlan:
    """The batches as they are best begun by this crew, and how long people are in each other's way before and after.

    No walk gets longer. Raises PLAN_UNSOUND when what comes out is not what it says.
    """
    tours = [_tour(batch) for batch in batches]
    turns = spread(hall, tours, crew)
    after = tuple(turned(batches[turn.tour]) if turn.turned else batches[turn.tour] for turn in turns)
    before_s, after_s = (crowded_s(hall, some, crew) for some in (tours, [_tour(batch) for batch in after]))
    found = SpreadPlan(after, crew.people, before_s, after_s)
    for complaint in complaints(batches, found, hall, crew):
        raise Refused(Reason.PLAN_UNSOUND, what=complaint)
    return found


def _tour(batch: PlannedBatch) -> Tour:
    return Tour(tuple(Point(*corner) for corner in batch.path), tuple(_stops(batch)))


def _stops(batch: PlannedBatch) -> Iterator[Stop]:
    """Where one stands, stop after stop."""
    yield from dict(sorted((stop, goods.stop) for stop, goods in batch.picks)).values()


def turned(batch: PlannedBatch) -> PlannedBatch:
    """The same batch walked the other way round."""
    last = batch.stops
    picks = sorted(((last + 1 - stop, goods) for stop, goods in batch.picks), key=lambda pick: pick[0])
    return replace(batch, picks=tuple(picks), path=batch.path[::-1])


def complaints(before: Sequence[PlannedBatch], after: SpreadPlan, hall: RectHall, crew: Crew) -> Iterator[str]:
    """Sentences about everything wrong, judged without the code that spreads: other batches, a walk that is none, a
    claim about crowding that is not true.
    """
    if Counter(map(_contents, before)) != Counter(map(_contents, after.batches)):
        yield "other batches are begun than were planned"
    for one in after.batches:
        path = tuple(Point(*corner) for corner in one.path)
        stops = [goods.stop for _, goods in one.picks]
        bound = one.walk_mm if one.optimal else 0
        route = Route(tuple(range(len(stops))), path, one.walk_mm, 0.0, one.method, one.optimal, bound)
        problem = check.RouteProblem(hall, stops, hall.start_point, hall.end_point)
        yield from (f"batch {list(one.order_ids)}: {complaint}" for complaint in check.violations(problem, route))
    for said_s, some in ((after.crowded_before_s, before), (after.crowded_s, after.batches)):
        pairs = [([Point(*corner) for corner in one.path], list(_stops(one))) for one in some]
        seen_s = check.crowded_s(
            check.CrowdProblem(hall, pairs, crew.people, crew.walk_mm_per_s, crew.stop_s, crew.setup_s)
        )
        if abs(seen_s - said_s) > check.CROWD_ROUNDING_S:
            yield f"people are in each other's way for {seen_s:.0f} s, not {said_s} s"


def _contents(batch: PlannedBatch) -> tuple[object, ...]:
    goods = sorted((each.hold_id, each.stock_id, each.quantity) for _, each in batch.picks)
    return batch.order_ids, batch.walk_mm, tuple(goods)
