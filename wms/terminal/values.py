"""What the terminal shows, as frozen values: figures, cut-offs with their stages, troubles with their cures.

Moments are UTC of business time. `Words` are a text's key and what fills it: they become a sentence only when a page is
drawn, in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

STAGES = ("to_allocate", "to_wave", "picking", "packing", "labelling", "sorting")

STOP, WARN, HOLD = 1, 2, 3


@dataclass(frozen=True, slots=True)
class Words:
    """A text's key and its facts; a fact may be `Words` itself, or a moment shown on the building's clock."""

    key: str
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Deed:
    """A button: which deed, with what, and the sentence on it that names its effect."""

    name: str
    label: Words
    args: Mapping[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Trouble:
    """One row to be dealt with. `key` stays the same while the trouble lasts; `harm_at` is when it begins to hurt.

    `priority` is 1 (stop), 2 (attention) or 3 (held, wants a person). `code` is the guide's number for this kind.
    `deed` cures it; `instead` is the other way out, where there are two.
    """

    key: str
    code: str
    priority: int
    what: Words
    note: Words
    deed: Deed
    since: datetime | None = None
    harm_at: datetime | None = None
    instead: Deed | None = None


@dataclass(frozen=True, slots=True)
class Shelved:
    """A trouble put aside by somebody for a while, with his reason."""

    key: str
    by: str
    why: str
    until: datetime


@dataclass(frozen=True, slots=True)
class CutOff:
    """One courier's cut-off: orders per stage. `short` ones to allocate have no stock; `ready` wait for the truck."""

    courier: str
    name: str
    at: datetime
    counts: Mapping[str, int]
    short: int
    ready: int
    shipped: int
    total: int

    @property
    def open(self) -> int:
        """Orders that still cost work here. Those without stock cost none until it comes."""
        return sum(self.counts.values()) - self.short

    @property
    def over(self) -> bool:
        return self.shipped >= self.total


@dataclass(frozen=True, slots=True)
class Forecast:
    """When a cut-off's orders will be ready at today's pace. `late` ones miss it; `worst` is the stage that holds them.

    `ready_at` is None while nobody packs: then nothing can be said.
    """

    ready_at: datetime | None
    margin: timedelta | None
    late: int = 0
    worst: str = ""


@dataclass(frozen=True, slots=True)
class Flow:
    """The stage table: rows by cut-off with their forecasts, the pace per hour and what it would have to be."""

    rows: Sequence[tuple[CutOff, Forecast]]
    pace_per_h: int
    needed_per_h: int

    @property
    def late(self) -> int:
        return sum(forecast.late for _, forecast in self.rows)


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of the top row. `value` is None where nothing was measured yet; `note` then says what is missing.

    `trend` are values in time, the newest last; `goal` is drawn as a dashed line.
    """

    name: str
    value: str | None
    unit: Words
    note: Words
    trend: Sequence[float] = ()
    goal: float | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Worker:
    """Somebody at work: what he does, pieces in the last hour, when he scanned last, what he has in hand."""

    person_id: int
    name: str
    badge: str
    doing: str
    place: str
    pieces_per_h: int
    usual_per_h: int
    last_scan_at: datetime | None
    in_hand: Sequence[TaskInHand] = ()
    idle: bool = False
    x_mm: int | None = None
    y_mm: int | None = None


@dataclass(frozen=True, slots=True)
class TaskInHand:
    """A task somebody claimed. `left` are its open stops, where it has some."""

    task_id: int
    kind: str
    name: str
    left: int


@dataclass(frozen=True, slots=True)
class Tile:
    """A device: `figure` is one live number or word; `priority` 0 is well."""

    name: str
    icon: str
    figure: Words
    station: str = ""
    gateway: str = ""
    state: str = "ready"
    reason: str = ""
    since: datetime | None = None
    priority: int = 0


@dataclass(frozen=True, slots=True)
class Day:
    """Orders come in, packed and shipped, added up over the day at `moments`; forecast to `end`; cut-offs."""

    begin: datetime
    end: datetime
    now: datetime
    moments: Sequence[datetime]
    came: Sequence[int]
    packed: Sequence[int]
    shipped: Sequence[int]
    cut_offs: Sequence[tuple[datetime, str]]
    came_by_end: int
    shipped_by_end: int


@dataclass(frozen=True, slots=True)
class ChuteTile:
    """A chute as it hangs: its hubs, how full, what is wrong."""

    number: int
    state: str
    parcels: int
    parcels_max: int
    hubs: Sequence[str]
    couriers: Sequence[str]

    @property
    def priority(self) -> int:
        if self.state in ("FULL", "JAM"):
            return STOP
        return WARN if self.state == "OPEN" and self.parcels >= 0.85 * self.parcels_max else 0


@dataclass(frozen=True, slots=True)
class Happened:
    """One line of a thing's history: a movement of goods or an event, when, by whom."""

    at: datetime
    what: Words
    actor: str
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Inside:
    """A row of what lies or belongs there; `code` leads to its own page."""

    code: str
    title: str
    note: Words | str
    quantity: int | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """What a code is: kind, name, facts by label, what is in it, and its whole history, the newest first. `paper`: the
    address of its PDF, if it has one.
    """

    kind: str
    code: str
    title: str
    facts: Sequence[tuple[str, Words | str]]
    inside: Sequence[Inside] = ()
    history: Sequence[Happened] = ()
    cut: bool = False
    paper: str = ""
