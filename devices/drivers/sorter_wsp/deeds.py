"""What a session wants done by its driver: the session itself touches no disk, no network and no clock."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Moment:
    """Now, twice: `s` on a clock that never jumps, for every timer; `unix_ms` as the wall clock shows it."""

    s: float
    unix_ms: int


@dataclass(frozen=True, slots=True)
class Record:
    """Store one durable event. With a `key`, the session must hear whether it was committed."""

    kind: str
    facts: Mapping[str, object] = field(default_factory=dict)
    key: str = ""


@dataclass(frozen=True, slots=True)
class Ask:
    """Ask the server aside where this parcel goes."""

    pid: int
    lap: int
    codes: tuple[str, ...]


Deed = Record | Ask


def shown(codes: Sequence[str]) -> list[str]:
    """Codes as they may stand in an event: bytes that were no UTF-8 as ``\\xff``, since text must be storable."""
    return [code.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace") for code in codes]
