"""How long people are in each other's way in an aisle, and an order of starting in which they are less.

Whoever is free next begins the next tour. Laid over time along its path, a tour is in an aisle while its picker walks
there or stands at a stop; of the people in one aisle at a time all but one are in the way. Tours that are due alike may
change places, and one that ends where it begins may be walked the other way round: neither costs a metre. For each
start the next few tours are tried both ways and the one that meets the others least begins, so the cost is bounded:
tours x TRIED x 2 comparisons with those under way then.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from wms.optimise.geometry import Point, RectHall, Stop, leg_mm, stop_point

TRIED = 6  # tours looked at for each start


@dataclass(frozen=True)
class Crew:
    """Who walks: so many people, how fast, how long at each stop and before each tour."""

    people: int
    walk_mm_per_s: int
    stop_s: float
    setup_s: float = 0.0


@dataclass(frozen=True)
class Tour:
    """A walk with its stops in walking order, and when it is due on any one time line."""

    path: tuple[Point, ...]
    stops: tuple[Stop, ...]
    due_s: int | None = None

    @property
    def turned(self) -> Tour:
        """The other way round."""
        return Tour(self.path[::-1], self.stops[::-1], self.due_s)

    @property
    def may_turn(self) -> bool:
        return len(self.path) > 1 and self.path[0] == self.path[-1]


class Stay(NamedTuple):
    """In an aisle from then to then, in seconds."""

    aisle: int
    begin_s: float
    end_s: float


class Turn(NamedTuple):
    """Which tour begins, and whether it is walked the other way round."""

    tour: int
    turned: bool


def stays(hall: RectHall, tour: Tour, crew: Crew) -> tuple[list[Stay], float]:
    """When a tour is in which aisle, counted from its first step, and how long it takes."""
    found: list[Stay] = []
    now_s = 0.0
    ahead = list(reversed(tour.stops))
    for a, b in pairwise([*tour.path, *tour.path[-1:]]):
        aisle = _aisle_of(hall, a, b)
        begin_s, here = now_s, a
        for stop in _on_the_way(hall, a, b, ahead):
            place = stop_point(hall, stop)
            now_s += leg_mm(hall, here, place) / crew.walk_mm_per_s
            if stop.aisle != aisle:
                found.append(Stay(stop.aisle, now_s, now_s + crew.stop_s))
            now_s, here = now_s + crew.stop_s, place
        now_s += leg_mm(hall, here, b) / crew.walk_mm_per_s
        if aisle is not None:
            found.append(Stay(aisle, begin_s, now_s))
    return _joined(found), now_s


def _aisle_of(hall: RectHall, a: Point, b: Point) -> int | None:
    along = a != b and a.x_mm == b.x_mm and a.x_mm in hall.aisle_x_mm and hall.hub not in (a, b)
    return hall.aisle_x_mm.index(a.x_mm) if along else None


def _on_the_way(hall: RectHall, a: Point, b: Point, ahead: list[Stop]) -> Iterator[Stop]:
    """The next stops as far as they lie between two corners; they are taken off those ahead."""
    while ahead and _between(a, stop_point(hall, ahead[-1]), b):
        a = stop_point(hall, ahead[-1])
        yield ahead.pop()


def _between(a: Point, place: Point, b: Point) -> bool:
    if a.x_mm != b.x_mm and a.y_mm != b.y_mm:
        return place in (a, b)
    low_x, high_x, low_y, high_y = *sorted((a.x_mm, b.x_mm)), *sorted((a.y_mm, b.y_mm))
    return low_x <= place.x_mm <= high_x and low_y <= place.y_mm <= high_y


def _joined(found: list[Stay]) -> list[Stay]:
    """Stays that follow each other in one aisle are one."""
    joined: list[Stay] = []
    for stay in sorted(found):
        if joined and joined[-1].aisle == stay.aisle and stay.begin_s <= joined[-1].end_s:
            joined[-1] = joined[-1]._replace(end_s=max(joined[-1].end_s, stay.end_s))
        else:
            joined.append(stay)
    return joined


def crowded_s(hall: RectHall, tours: Sequence[Tour], crew: Crew) -> int:
    """Seconds in which somebody is in another's way, when the tours are begun in this order."""
    by_aisle: dict[int, list[tuple[float, int]]] = {}
    for begin_s, its, _ in _begun(hall, tours, crew):
        for stay in its:
            events = by_aisle.setdefault(stay.aisle, [])
            events += [(begin_s + stay.begin_s, 1), (begin_s + stay.end_s, -1)]
    return round(sum(_too_many_s(events) for events in by_aisle.values()))


def _too_many_s(events: list[tuple[float, int]]) -> float:
    events.sort()
    total_s, people = 0.0, 0
    for (at_s, change), (after_s, _) in pairwise(events):
        people += change
        total_s += max(0, people - 1) * (after_s - at_s)
    return total_s


def _begun(hall: RectHall, tours: Sequence[Tour], crew: Crew) -> Iterator[tuple[float, list[Stay], float]]:
    free_s = [0.0] * crew.people
    for tour in tours:
        its, length_s = stays(hall, tour, crew)
        begin_s = heapq.heappop(free_s) + crew.setup_s
        heapq.heappush(free_s, begin_s + length_s)
        yield begin_s, its, begin_s + length_s


def spread(hall: RectHall, tours: Sequence[Tour], crew: Crew) -> list[Turn]:
    """In which order and which way round the tours are begun; as they stand where nothing is gained by another.

    Tours keep their place among those that are due before and after them.
    """
    as_they_stand = [Turn(number, turned=False) for number in range(len(tours))]
    if crew.people < 2 or len(tours) < 2:
        return as_they_stand
    found = _Spreading(hall, tours, crew).turns()
    if crowded_s(hall, ordered(tours, found), crew) < crowded_s(hall, tours, crew):
        return found
    return as_they_stand


def ordered(tours: Sequence[Tour], turns: Sequence[Turn]) -> list[Tour]:
    """The tours as the turns say."""
    return [tours[turn.tour].turned if turn.turned else tours[turn.tour] for turn in turns]


class _Spreading:
    """Start by start, who is in which aisle until when."""

    def __init__(self, hall: RectHall, tours: Sequence[Tour], crew: Crew) -> None:
        self._tours, self._crew = tours, crew
        self._ways = [[(turned, *stays(hall, one, crew)) for turned, one in _both_ways(tour)] for tour in tours]
        self._under_way: dict[int, list[tuple[float, float]]] = {}

    def turns(self) -> list[Turn]:
        free_s = [0.0] * self._crew.people
        waiting = list(range(len(self._tours)))
        found: list[Turn] = []
        while waiting:
            begin_s = heapq.heappop(free_s) + self._crew.setup_s
            self._forget_before(begin_s)
            turn, its, length_s = self._best(waiting, begin_s)
            for stay in its:
                self._under_way.setdefault(stay.aisle, []).append((begin_s + stay.begin_s, begin_s + stay.end_s))
            heapq.heappush(free_s, begin_s + length_s)
            waiting.remove(turn.tour)
            found.append(turn)
        return found

    def _forget_before(self, begin_s: float) -> None:
        for aisle, times in self._under_way.items():
            self._under_way[aisle] = [(low, high) for low, high in times if high > begin_s]

    def _best(self, waiting: Sequence[int], begin_s: float) -> tuple[Turn, list[Stay], float]:
        due_s = self._tours[waiting[0]].due_s
        alike = [number for number in waiting[:TRIED] if self._tours[number].due_s == due_s]
        tried = [
            (self._met_s(its, begin_s), place, turned, its, length_s)
            for place, number in enumerate(alike)
            for turned, its, length_s in self._ways[number]
        ]
        _, place, turned, its, length_s = min(tried, key=lambda one: one[:3])
        return Turn(alike[place], turned), its, length_s

    def _met_s(self, its: Sequence[Stay], begin_s: float) -> float:
        """How long this tour is where others are; each of them counts."""
        return sum(
            max(0.0, min(high, begin_s + stay.end_s) - max(low, begin_s + stay.begin_s))
            for stay in its
            for low, high in self._under_way.get(stay.aisle, ())
        )


def _both_ways(tour: Tour) -> list[tuple[bool, Tour]]:
    return [(False, tour), (True, tour.turned)] if tour.may_turn else [(False, tour)]
