"""The answers given to parcels: one for each (pid, lap), the same however often the line asks.

A parcel number that comes back with other codes was used twice: both parcels cannot be the one we know, so it is
rejected and a person is told. Holds the last `PARCELS_MAX` parcels; a number is not used again within 7 days.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Final

from devices.framing.wsp_values import Request
from devices.routes import Decision, RouteAnswer

PARCELS_MAX: Final = 200_000
LAPS_MAX: Final = 16


class Heard(Enum):
    """What a REQ is to us."""

    NEW = auto()
    AGAIN = auto()
    DAMAGED = auto()
    USED_TWICE = auto()


@dataclass(slots=True)
class Asked:
    """One (pid, lap) as it was asked first, and the answer as soon as there is one.

    `told_as` is our count of sessions and the seq of the last REQ; `scanned_s`, `heard_s` are monotonic.
    """

    codes: tuple[str, ...]
    told_as: tuple[int, int]
    scanned_s: float = 0.0
    heard_s: float = 0.0
    decision: Decision | None = None
    strangers: set[tuple[str, ...]] = field(default_factory=set)


@dataclass(slots=True)
class Parcel:
    """What is known of a parcel: its laps, and what the server said of which codes when it was asked aside."""

    laps: dict[int, Asked] = field(default_factory=dict)
    server_asked: bool = False
    server_said: tuple[tuple[str, ...], RouteAnswer] | None = None

    def codes(self) -> tuple[str, ...]:
        """The codes of the last lap asked."""
        return self.laps[max(self.laps)].codes if self.laps else ()


class Answers:
    """The parcels the line asked about, oldest forgotten first."""

    def __init__(self) -> None:
        self._parcels: OrderedDict[int, Parcel] = OrderedDict()

    def parcel(self, pid: int) -> Parcel | None:
        """What is known of `pid`."""
        return self._parcels.get(pid)

    def hear(self, request: Request, run: int) -> tuple[Heard, Parcel, Asked]:
        """Find or begin the (pid, lap) of `request`. `run` counts our sessions: a seq means nothing outside its own."""
        parcel = self._parcels.get(request.pid)
        if parcel is None:
            parcel = self._begin(request.pid)
        told_as = (run, request.seq)
        asked = parcel.laps.get(request.lap)
        if asked is None:
            asked = parcel.laps[request.lap] = Asked(request.codes, told_as)
            if len(parcel.laps) > LAPS_MAX:
                del parcel.laps[min(parcel.laps)]
            return Heard.NEW, parcel, asked
        if request.codes == asked.codes:
            asked.told_as = told_as
            return Heard.AGAIN, parcel, asked
        return (Heard.DAMAGED if told_as == asked.told_as else Heard.USED_TWICE), parcel, asked

    def _begin(self, pid: int) -> Parcel:
        parcel = self._parcels[pid] = Parcel()
        if len(self._parcels) > PARCELS_MAX:
            self._parcels.popitem(last=False)
        return parcel
