"""What drivers of sorting lines share, whatever their wire: one thread that turns a session, its health, its orders."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Mapping
from typing import ClassVar, Final, Generic, Protocol, TypeVar

from devices.driver import Context, Health, State
from devices.drivers.sorter_wsp.deeds import Moment
from devices.drivers.sorter_wsp.doing import Doer, Thinker

BAUD_MIN: Final = 57_600


class LineSession(Thinker, Protocol):
    """A session, as far as its driver opens and closes it and tells how it stands."""

    busy_until_s: float

    @property
    def running(self) -> bool: ...
    def opened(self, now: Moment) -> None: ...
    def closed(self) -> None: ...


class Wire(Protocol):
    """Whatever leads to the line."""

    def close(self) -> None: ...


W = TypeVar("W", bound=Wire)
S = TypeVar("S", bound=LineSession)


class SortingLine(ABC, Generic[W, S]):
    """A class of its own opens the wire and does one turn."""

    uses_routes: ClassVar[bool] = True
    backoff_s: ClassVar[tuple[float, float]] = (0.020, 0.250)
    silent: ClassVar[str]  # why there is no session

    def __init__(self, context: Context, session: S) -> None:
        self._context = context
        self._session = session
        self._doer = Doer(context, session)
        self._open = False

    def run(self) -> None:
        """Work the line until the gateway stops; raises DeviceError when the wire is lost."""
        wire = self._open_wire()
        self._open = True
        try:
            self._session.opened(self._moment())
            while not self._context.stopping():
                self._turn(wire)
        finally:
            self._open = False
            self._session.closed()
            wire.close()

    @abstractmethod
    def _open_wire(self) -> W:
        """Raises DeviceAbsent when there is none."""

    @abstractmethod
    def _turn(self, wire: W) -> None:
        """Hear the line, think, answer."""

    def health(self) -> Health:
        """Ready while the line answers; degraded while events cannot be stored or the table is too old."""
        counters: Counter[str] = self._session.counters.copy()
        now_s = self._context.monotonic_s()
        if not self._open:
            return Health(State.CONNECTING, counters=counters)
        if not self._session.running:
            return Health(State.CONNECTING, f"no_session: {self.silent}", counters=counters)
        if now_s < self._session.busy_until_s:
            return Health(State.DEGRADED, "outbox: confirmations cannot be stored now", counters=counters)
        if not self._context.routes.current.usable(now_s):
            reason = "routes: no table, or older than it may be; all goes to reject"
            return Health(State.DEGRADED, reason, counters=counters)
        return Health(State.READY, counters=counters)

    def submit(self, command: Mapping[str, object]) -> None:
        """Take `{id, kind: "chute", facts: {chute, command: OPEN|LOCK|CLEAR}}`; how it ended is an event `command`."""
        self._doer.take_command(command)

    def _moment(self) -> Moment:
        return Moment(self._context.monotonic_s(), self._context.now_ms())
