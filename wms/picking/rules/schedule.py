"""Who picks what when: batches on a time line, cut-offs that are missed, and how many people would be enough.

Whoever is free next takes the batch that is due next, as the task board hands work out. This is a forecast that can be
checked by hand, not a promise: nobody is told to take a certain batch.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

AFTER_PICKING = timedelta(minutes=25)  # packing, labelling and sorting the last order of a batch
PEOPLE_MORE_MAX = 20
MM_PER_M = 1_000


@dataclass(frozen=True, slots=True)
class Pace:
    """How long work in the aisles takes. `setup_s` is fetching a cart with totes and leaving it at the lane."""

    s_per_m: float = 1 / 1.2
    s_per_stop: float = 9.0
    s_per_piece: float = 1.5
    setup_s: float = 60.0

    def seconds(self, walk_mm: int, stops: int, pieces: int) -> float:
        """How long a batch takes one person."""
        return self.setup_s + walk_mm / MM_PER_M * self.s_per_m + stops * self.s_per_stop + pieces * self.s_per_piece


@dataclass(frozen=True, slots=True)
class Paces:
    """The pace of each zone where one was learnt, from so many walks; else the building's, else the usual one."""

    by_zone: Mapping[int, Pace] = field(default_factory=dict)
    walks: int = 0

    def seconds(self, walk_mm: int, stops: int, pieces: int, zone_id: int = 0) -> float:
        """How long a batch takes that is mostly picked in this zone (0: anywhere)."""
        pace = self.by_zone.get(zone_id) or self.by_zone.get(0) or Pace()
        return pace.seconds(walk_mm, stops, pieces)


@dataclass(frozen=True, slots=True)
class Picker:
    """Somebody who can pick, and from when on."""

    name: str
    free_at: datetime


@dataclass(frozen=True, slots=True)
class Piece:
    """A batch to be walked: `due_at` is when it must be picked; `planned` tells the plan's own from those before."""

    no: str
    seconds: float
    due_at: datetime
    orders: int
    planned: bool = True


@dataclass(frozen=True, slots=True)
class Turn:
    """A batch in somebody's hands from `begin` to `end`."""

    picker: str
    piece: Piece
    begin: datetime
    end: datetime

    @property
    def late(self) -> bool:
        return self.end > self.piece.due_at


@dataclass(frozen=True, slots=True)
class Outlook:
    """What becomes of a plan: its turns, its orders that come too late, when it ends.

    `people_more` would make all in time (None: no number of people would); `latest_start` is the last moment at which
    the plan can still begin, were everybody free then.
    """

    turns: tuple[Turn, ...]
    late_orders: int
    end: datetime | None
    people_more: int | None
    latest_start: datetime | None

    @property
    def margin(self) -> timedelta | None:
        """Between the end of the plan's own batches and when they must be picked; negative when too late."""
        own = [turn for turn in self.turns if turn.piece.planned]
        return min((turn.piece.due_at - turn.end for turn in own), default=None)


def schedule(pickers: Sequence[Picker], pieces: Sequence[Piece]) -> tuple[Turn, ...]:
    """Each batch, in the order of its due time, to whoever is free first. Without anybody, nothing is scheduled."""
    free = [(picker.free_at, number, picker.name) for number, picker in enumerate(pickers)]
    heapq.heapify(free)
    turns = []
    for piece in sorted(pieces, key=lambda one: one.due_at) if free else ():
        begin, number, name = heapq.heappop(free)
        end = begin + timedelta(seconds=piece.seconds)
        turns.append(Turn(name, piece, begin, end))
        heapq.heappush(free, (end, number, name))
    return tuple(turns)


def late_orders(turns: Sequence[Turn]) -> int:
    """Orders of the plan's own batches that come too late."""
    return sum(turn.piece.orders for turn in turns if turn.late and turn.piece.planned)


def outlook(pickers: Sequence[Picker], pieces: Sequence[Piece], now: datetime) -> Outlook:
    """Schedule, and what would help."""
    turns = schedule(pickers, pieces)
    own = [turn for turn in turns if turn.piece.planned]
    late = late_orders(turns)
    end = max((turn.end for turn in own), default=None)
    return Outlook(turns, late, end, _people_more(pickers, pieces, now) if late else 0, _latest_start(pickers, pieces))


def _people_more(pickers: Sequence[Picker], pieces: Sequence[Piece], now: datetime) -> int | None:
    for more in range(1, PEOPLE_MORE_MAX + 1):
        helpers = [Picker(f"+{number}", now) for number in range(1, more + 1)]
        if not late_orders(schedule([*pickers, *helpers], pieces)):
            return more
    return None


def _latest_start(pickers: Sequence[Picker], pieces: Sequence[Piece]) -> datetime | None:
    """When the plan's own batches must begin at the latest, were all these people free for them."""
    own = [piece for piece in pieces if piece.planned]
    if not own or not pickers:
        return None
    zero = min(piece.due_at for piece in own)
    turns = schedule([Picker(picker.name, zero) for picker in pickers], own)
    return zero + min(turn.piece.due_at - turn.end for turn in turns)
