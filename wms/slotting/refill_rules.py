"""When a pick face is refilled and with how much: values in, values out. Quantities in base units, weights in g."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import ceil

REACH_MM = 1_300
LINES_A_WEEK = 7
DAYS_MIN, DAYS_MAX = 1, 3
WALK_REFILLS_MAX = 6
WALK_WEIGHT_G_MAX = 150_000


class RefillReason(StrEnum):
    """What asked for a refill, the most urgent first."""

    WAVE = "wave"
    ORDER = "order"
    EMPTY = "empty"
    LOW = "low"


PRIORITIES = {RefillReason.WAVE: 3, RefillReason.ORDER: 4, RefillReason.EMPTY: 6, RefillReason.LOW: 8}


@dataclass(frozen=True, slots=True)
class Rule:
    """How a warehouse fills its pick faces; see `tables.RefillRule`."""

    reach_mm: int = REACH_MM
    lines_a_week: int = LINES_A_WEEK
    days_min: int = DAYS_MIN
    days_max: int = DAYS_MAX


@dataclass(frozen=True, slots=True)
class Levels:
    """Below `quantity_min` in reach a SKU is refilled up to `quantity_max`."""

    quantity_min: int
    quantity_max: int


@dataclass(frozen=True, slots=True)
class Piece:
    """A refill that still has no walk: the zone it is fetched in, how urgent it is, how heavy, and where it lies."""

    refill_id: int
    zone_id: int
    priority: int
    weight_g: int
    stop: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Begun:
    """A walk that is on the board and has room for more."""

    walk_id: int
    zone_id: int
    refills: int
    weight_g: int

    def takes(self, piece: Piece) -> bool:
        """Whether one more may come with it."""
        fits = self.refills < WALK_REFILLS_MAX and self.weight_g + piece.weight_g <= WALK_WEIGHT_G_MAX
        return self.zone_id == piece.zone_id and fits


def levels(pieces_a_day: float, rule: Rule, case: int, room: int | None) -> Levels | None:
    """Days of demand, the most in whole cases and never more than the face has room for (None: not known); None where
    not even two pieces fit.
    """
    least = max(1, ceil(pieces_a_day * rule.days_min))
    most = _up(max(least + 1, ceil(pieces_a_day * rule.days_max)), case)
    if room is not None and most > room:
        most = room - room % case if room >= case else room
    if most < 2:
        return None
    return Levels(min(least, most - 1), most)


def _up(quantity: int, case: int) -> int:
    return ceil(quantity / case) * case


def to_carry(wanted: int, case: int, room: int, there: int) -> int:
    """How many pieces: whole cases where they fit and are there, else what fits of what is there.

    What is left in the reserve of a case that is open comes along.
    """
    most = min(room, there)
    whole = _up(wanted, case)
    if whole <= most:
        return whole
    if most == there:
        return there
    return most - most % case if most >= case else max(0, most)


def pieces_that_fit(volume_mm3: int, weight_g: int, room_mm3: int, load_g: int) -> int | None:
    """How many pieces of such size and weight go into such room; None where neither is known."""
    bounds = [room // one for one, room in ((volume_mm3, room_mm3), (weight_g, load_g)) if one > 0]
    return min(bounds) if bounds else None


def best_case(packagings: Iterable[int], most: int) -> int:
    """The largest packaging that is not more than `most`; 1 where there is none."""
    return max((each for each in packagings if 1 < each <= most), default=1)


def part(pieces: Sequence[Piece], begun: Sequence[Begun]) -> list[tuple[int | None, tuple[Piece, ...]]]:
    """Walks for these refills: those that are on the board and have room, then new ones (None); the most urgent first.

    A walk stays in one zone, has six refills and 150 kg at most; one that is heavier by itself goes alone.
    """
    walks: list[tuple[Begun, int | None, list[Piece]]] = [(each, each.walk_id, []) for each in begun]
    for piece in sorted(pieces, key=lambda each: (each.priority, each.zone_id, each.stop, each.refill_id)):
        at = next((number for number, walk in enumerate(walks) if walk[0].takes(piece)), None)
        if at is None:
            walks.append((Begun(0, piece.zone_id, 1, piece.weight_g), None, [piece]))
            continue
        walk, walk_id, joined = walks[at]
        more = Begun(walk.walk_id, walk.zone_id, walk.refills + 1, walk.weight_g + piece.weight_g)
        walks[at] = (more, walk_id, [*joined, piece])
    return [(walk_id, tuple(joined)) for _, walk_id, joined in walks if joined]
