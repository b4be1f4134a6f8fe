"""The telegrams of WSP/1 as values: what the sorting line and the gateway say to each other.

One frozen class per type, its attributes in the order of the wire after ``type|seq|sess|``. `None` and the empty
tuple stand for a field left empty. The layout on the wire is in `devices.framing.wsp`; the page is
docs/reference/wsp.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

VERSION = "WSP/1"


class Reason(StrEnum):
    """Why an answer names its chute."""

    ROUTE = "ROUTE"
    ALT = "ALT"
    OVER = "OVER"
    NOREAD = "NOREAD"
    UNKNOWN = "UNKNOWN"
    MULTI = "MULTI"
    HOLD = "HOLD"
    CLOSED = "CLOSED"
    STALE = "STALE"
    PID = "PID"
    ERROR = "ERROR"


class Result(StrEnum):
    """What became of a parcel."""

    OK = "OK"
    FULL = "FULL"
    LATE = "LATE"
    NOREAD = "NOREAD"
    REJ = "REJ"
    MISS = "MISS"
    LOST = "LOST"


class ChuteState(StrEnum):
    """State of one chute as the line sees it."""

    OPEN = "OPEN"
    FULL = "FULL"
    LOCK = "LOCK"
    JAM = "JAM"


class ChuteOrder(StrEnum):
    """What the gateway may order at a chute. CLEAR: the bag was changed, count from 0, FULL ends."""

    OPEN = "OPEN"
    LOCK = "LOCK"
    CLEAR = "CLEAR"


class Line(StrEnum):
    """State of the whole line."""

    RUN = "RUN"
    STOP = "STOP"
    ESTOP = "ESTOP"
    JAM = "JAM"


class Nak(StrEnum):
    """Why a telegram was refused."""

    FORMAT = "FORMAT"
    TYPE = "TYPE"
    SESS = "SESS"
    VERSION = "VERSION"
    BUSY = "BUSY"
    REFUSED = "REFUSED"


@dataclass(frozen=True, slots=True)
class Hello:
    """HLO: begins a session (sent by the PLC), answers it, or, with session 0, asks the PLC to begin one."""

    seq: int
    session: int
    version: str
    node: str
    boot: str
    last_peer_seq: int
    clock_ms: int


@dataclass(frozen=True, slots=True)
class ReplayBegin:
    """SYB: `count` confirmations follow that were never acknowledged."""

    seq: int
    session: int
    count: int


@dataclass(frozen=True, slots=True)
class ReplayEnd:
    """SYE: the replay of `count` confirmations is over."""

    seq: int
    session: int
    count: int


@dataclass(frozen=True, slots=True)
class Request:
    """REQ: a parcel was scanned, where does it go? `age_ms` counts from the scan."""

    seq: int
    session: int
    pid: int
    induct: int
    carrier: int | None
    codes: tuple[str, ...]
    aims: tuple[str, ...]
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    lap: int
    age_ms: int


@dataclass(frozen=True, slots=True)
class Response:
    """RES: the chute for (pid, lap); chute 0 is the reject exit. `request_seq` names the REQ it answers."""

    seq: int
    session: int
    pid: int
    chute: int
    alternate: int | None
    reason: Reason
    table_version: int
    request_seq: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """CFM: where the parcel went; exactly one for each pid. Chute `None`: nobody knows."""

    seq: int
    session: int
    pid: int
    codes: tuple[str, ...]
    chute: int | None
    result: Result
    carrier: int | None
    time_ms: int | None


@dataclass(frozen=True, slots=True)
class ChuteReport:
    """CHS: state of a chute and the parcels in it since it was last emptied."""

    seq: int
    session: int
    chute: int
    state: ChuteState
    count: int


@dataclass(frozen=True, slots=True)
class ChuteCommand:
    """CHC: the gateway orders something at a chute."""

    seq: int
    session: int
    chute: int
    order: ChuteOrder


@dataclass(frozen=True, slots=True)
class LineReport:
    """STS: the line runs or stands."""

    seq: int
    session: int
    state: Line
    speed_mm_s: int


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """HB: nothing else to say for 500 ms."""

    seq: int
    session: int


@dataclass(frozen=True, slots=True)
class TimeExchange:
    """TSY: asked with `asked_ms` alone, answered with all three, each by the sender's own clock."""

    seq: int
    session: int
    asked_ms: int
    received_ms: int | None
    answered_ms: int | None


@dataclass(frozen=True, slots=True)
class Acknowledge:
    """ACK: the telegram with this seq was taken."""

    seq: int
    session: int
    acknowledged: int


@dataclass(frozen=True, slots=True)
class Refusal:
    """NAK: the telegram with this seq was not taken."""

    seq: int
    session: int
    refused: int
    reason: Nak


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A frame with a sound CRC whose body breaks a rule; answered with NAK `reason` where that has a sense.

    `kind` is the type as it was sent, `why` a sentence for the log.
    """

    seq: int
    session: int
    kind: str
    reason: Nak
    why: str


Telegram = (
    Hello
    | ReplayBegin
    | ReplayEnd
    | Request
    | Response
    | Confirmation
    | ChuteReport
    | ChuteCommand
    | LineReport
    | Heartbeat
    | TimeExchange
    | Acknowledge
    | Refusal
)
