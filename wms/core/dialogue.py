"""The vocabulary of the PDA's dialogues: screens, steps and moves as data.

A dialogue is declared: which steps there are, what each shows, what a scan or a key does there, and where it may lead.
The shell (`wms/handheld`) walks it; a refusal keeps the screen and shows the reason. A step's functions get a `Turn`
and return a `Move`; what they need to remember goes into the move's `state` (JSON values only).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar

from wms.core.call import Call
from wms.core.codes import Read
from wms.core.i18n import text

AHEAD_MAX = 60
_AS_THEY_ARE = frozenset({str, int, bool, float, type(None)})


def _plain(value: Any) -> Any:
    """As dataclasses.asdict, without copies of what never changes."""
    kind = type(value)
    if kind in _AS_THEY_ARE:
        return value
    if kind in (list, tuple):
        return kind([_plain(each) for each in value])
    return {name: _plain(getattr(value, name)) for name in _fields(kind)} if is_dataclass(kind) else value


@cache
def _fields(kind: type) -> tuple[str, ...]:
    return tuple(one.name for one in fields(kind))


class Level(StrEnum):
    """How a message is to be taken."""

    OK = "ok"
    WRONG = "wrong"
    ATTENTION = "attention"
    INTERCEPTED = "intercepted"
    DONE = "done"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Message:
    """What the hand must know now: sentence, sound by level, and what was expected against what was scanned."""

    level: Level
    title: str
    text: str = ""
    code: str = ""
    expected: str = ""
    scanned: str = ""
    speech: str = ""

    def to_json(self) -> dict[str, Any]:
        sound = "" if self.level is Level.INFO else self.level.value
        return {**_plain(self), "level": self.level.value, "sound": sound}


@dataclass(frozen=True, slots=True)
class Scan:
    """One scan as it reached a step. `station_id` is set when a station's own scanner read it."""

    id: str
    read: Read
    raw: str
    aim: str | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """A step's turn: the call, and what the dialogue remembered."""

    call: Call
    state: Mapping[str, Any]

    def say(self, key: str, **facts: object) -> str:
        """The words of `key` in the worker's language."""
        return text(key, self.call.language, **facts)


@dataclass(frozen=True, slots=True)
class Move:
    """Where the dialogue goes. `step` None = it is over. `state` replaces what was remembered; `task_id` is the work
    in hand.
    """

    step: str | None
    state: Mapping[str, Any] = field(default_factory=dict)
    message: Message | None = None
    task_id: int | None = None


@dataclass(frozen=True, slots=True)
class Pip:
    """One of the small marks in the prompt: which scan is done, now, next."""

    label: str
    state: str


@dataclass(frozen=True, slots=True)
class Key:
    """A key below the screen. `server` keys are dashed while offline."""

    key: str
    label: str
    action: str
    server: bool = True


@dataclass(frozen=True, slots=True)
class Input:
    """Something typed: quantity, pin, text, date or choice; Enter sends it as `action`."""

    kind: str
    label: str
    action: str
    value: str = ""
    min: int | None = None
    max: int | None = None


@dataclass(frozen=True, slots=True)
class WalkMap:
    """A small map of a walk in decimetres, y downwards. `view` as SVG has it; `aisles` and `shut` (what is closed) as
    SVG paths; `rest` and `leg` (the way to the next slot) as SVG points; `here` and `there` are the ends of that way.
    """

    view: tuple[int, int, int, int]
    aisles: str
    shut: str
    rest: str
    leg: str
    here: tuple[int, int]
    there: tuple[int, int]


@dataclass(frozen=True, slots=True)
class LocationCard:
    """A slot, or with level 0 a whole bay."""

    kind: ClassVar[str] = "location"
    label: str
    code: str
    words: str
    level: int
    levels: int
    state: str = "now"
    walk_m: int | None = None
    map: WalkMap | None = None


@dataclass(frozen=True, slots=True)
class ItemCard:
    kind: ClassVar[str] = "item"
    label: str
    name: str
    quantity: int
    unit: str
    tail: str = ""
    lines: Sequence[str] = ()
    state: str = "now"


@dataclass(frozen=True, slots=True)
class CountsCard:
    """Should / done / left / short: always four, always in the same place."""

    kind: ClassVar[str] = "counts"
    should: int
    done: int
    left: int
    short: int
    labels: Sequence[str] = ()
    now: str = "left"


@dataclass(frozen=True, slots=True)
class ToteCard:
    kind: ClassVar[str] = "tote"
    label: str
    text: str
    position: int
    positions: int
    state: str = "next"


@dataclass(frozen=True, slots=True)
class NextCard:
    kind: ClassVar[str] = "next"
    label: str
    code: str
    tail: str = ""
    walk_m: int | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    label: str
    value: str
    note: str = ""
    good: bool | None = None


@dataclass(frozen=True, slots=True)
class FactsCard:
    kind: ClassVar[str] = "facts"
    rows: Sequence[Fact]
    title: str = ""


@dataclass(frozen=True, slots=True)
class CountBigCard:
    kind: ClassVar[str] = "count_big"
    label: str
    value: int
    tail: str = ""
    minus: str = ""
    plus: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    title: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class ChooseCard:
    """Rows to tap; a tap sends action `choose` with the row's value."""

    kind: ClassVar[str] = "choose"
    rows: Sequence[Choice]


@dataclass(frozen=True, slots=True)
class BigCard:
    kind: ClassVar[str] = "big"
    label: str
    value: str
    unit: str = ""
    tail: str = ""
    state: str = "now"


@dataclass(frozen=True, slots=True)
class TextCard:
    kind: ClassVar[str] = "text"
    title: str
    text: str = ""


@dataclass(frozen=True, slots=True)
class MapCard:
    kind: ClassVar[str] = "map"
    svg_path: str
    view: Sequence[float]


Card = (
    LocationCard
    | ItemCard
    | CountsCard
    | ToteCard
    | NextCard
    | FactsCard
    | CountBigCard
    | ChooseCard
    | BigCard
    | TextCard
    | MapCard
)


@dataclass(frozen=True, slots=True)
class Screen:
    """One screen: a prompt naming the one thing to scan, cards in their fixed order, at most four keys.

    `step` names the step it shows where the rows moved on since that one was entered.
    """

    prompt: str
    icon: str = "barcode"
    pips: Sequence[Pip] = ()
    cards: Sequence[Card] = ()
    keys: Sequence[Key] = ()
    input: Input | None = None
    status: Sequence[tuple[str, str]] = ()
    step: str = ""

    def to_json(self) -> dict[str, Any]:
        """As `docs/reference/pda.md` has it, without what the shell adds (dialogue, step, token, title)."""
        return {
            "status": [{"label": label, "value": value} for label, value in self.status],
            "prompt": {"text": self.prompt, "icon": self.icon, "pips": _plain(list(self.pips))},
            "cards": [{"kind": card.kind, **_plain(card)} for card in self.cards],
            "input": _plain(self.input),
            "keys": _plain(list(self.keys)),
        }


@dataclass(frozen=True, slots=True)
class Ahead:
    """One step of the happy path, for a PDA without network: what is accepted, and what is shown after it."""

    accepts: Sequence[str]
    screen: Screen
    message: Message | None = None
    wrong: str = ""
    expected: str = ""
    step: str = ""


Show = Callable[[Turn], Screen]
OnScan = Callable[[Turn, Scan], Move]
OnAction = Callable[[Turn, str], Move]


@dataclass(frozen=True, slots=True)
class Step:
    """One step: what it shows, what a scan does, what each key or input does, and where it may lead (None is the
    end). One that `shows_labels` is drawn again when the station's printer reports. At a put wall `light` says which
    place is lit (None: none), and `on_button` what the button of a place does.
    """

    screen: Show
    leads_to: frozenset[str | None]
    on_scan: OnScan | None = None
    actions: Mapping[str, OnAction] = field(default_factory=dict)
    on_weight: Callable[[Turn, int], Move] | None = None
    shows_labels: bool = False
    light: Callable[[Turn], int | None] | None = None
    on_button: Callable[[Turn, int], Move] | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """A whole dialogue. `begin` makes the first move from what opened it (a scanned code, a task id, or nothing).

    `title` is a text key; `right` what the person must hold; `takes` names the task kind "get work" opens it for;
    `ahead` tells the happy path.
    `opens_with` says whether a code scanned in the menu opens this dialogue, and with what.
    """

    name: str
    title: str
    right: str
    begin: Callable[[Call, Mapping[str, Any]], Move]
    steps: Mapping[str, Step]
    takes: str = ""
    ahead: Callable[[Turn, str], Sequence[Ahead]] | None = None
    opens_with: Callable[[Call, Read], Mapping[str, Any] | None] | None = None
    in_menu: bool = True

    def __post_init__(self) -> None:
        for name, step in self.steps.items():
            unknown = step.leads_to - set(self.steps) - {None}
            assert not unknown, f"{self.name}.{name} leads to unknown steps {unknown}"


def pips(turn: Turn, words: Mapping[str, str], now: str | None) -> list[Pip]:
    """The steps' marks: done, now, next. `words` is step -> text key; `now` None: all are done."""
    at = len(words) if now is None else list(words).index(now)
    states = ("done" if number < at else "now" if number == at else "next" for number in range(len(words)))
    return [Pip(turn.say(key), state) for key, state in zip(words.values(), states, strict=True)]


def leave_key(turn: Turn) -> Key:
    """The same key everywhere leaves a dialogue."""
    return Key("F4", turn.say("dialogue.leave"), "leave")


def leave(_turn: Turn, _value: str) -> Move:
    """Back to the menu; what was posted stays."""
    return Move(None)
