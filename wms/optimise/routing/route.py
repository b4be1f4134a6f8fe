"""What a route is, and what may be asked of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from wms.optimise.geometry import Point

WALK_MM_PER_S = 1_200  # a loaded picking cart pushed at a steady pace


@dataclass(frozen=True)
class Rules:
    """What restricts a route.

    `rank`: one whole number per stop; a lower rank is picked before any higher one (heavy 0, ordinary 1, fragile 2).
    `one_way`: aisles walked only towards higher y (+1) or lower y (-1). `blocked`: aisles closed between two y, in mm,
    as (aisle, low, high). An aisle may be entered from either side up to the blocked part. `equipment` is the class of
    what is driven or pushed ("" on foot); `barred`: aisles a class may not enter, as (aisle, class). On a general map
    the ways themselves say whom they bar.
    """

    rank: tuple[int, ...] = ()
    one_way: tuple[tuple[int, int], ...] = ()
    blocked: tuple[tuple[int, int, int], ...] = ()
    equipment: str = ""
    barred: tuple[tuple[int, str], ...] = ()
    walk_mm_per_s: int = WALK_MM_PER_S

    @property
    def free(self) -> bool:
        """Whether nothing restricts the order or direction of walking."""
        return len(set(self.rank)) <= 1 and not self.one_way and not self.blocked and not self.barred_aisles

    @property
    def barred_aisles(self) -> frozenset[int]:
        """The aisles this equipment may not enter."""
        return frozenset(aisle for aisle, equipment in self.barred if equipment == self.equipment)


def _never_stops() -> bool:
    return False


@dataclass(frozen=True)
class Limits:
    """How long a heuristic may search: a number of rounds (the same plan every time), and a callable that says stop."""

    rounds: int = 400
    seed: int = 1
    stop: Callable[[], bool] = field(default=_never_stops)


@dataclass(frozen=True)
class Route:
    """A walk that visits every stop.

    `sequence` holds the stops' indices in walking order; `path` is a polyline one can walk (of points in a rectangular
    hall, of node names in a graph). `optimal` is said only where it is proved; `lower_bound_mm` is always true.
    """

    sequence: tuple[int, ...]
    path: tuple[Point, ...] | tuple[str, ...]
    length_mm: int
    seconds: float
    method: str
    optimal: bool
    lower_bound_mm: int
