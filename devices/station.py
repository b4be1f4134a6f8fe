"""What the gateway hands to a driver: one context per device."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from devices.config import DeviceConfig
from devices.driver import Context
from devices.outbox import Outbox
from devices.routes import RouteAnswer, RouteTable
from devices.spool import Spool
from devices.store import Receipt
from devices.transport import Transport, open_transport

AskServer = Callable[[int, Sequence[str], Callable[[RouteAnswer | None], None]], None]


class PrinterContext(Context, Protocol):
    """What a driver with `prints = True` gets besides: the print jobs."""

    @property
    def spool(self) -> Spool: ...


def wall_ms() -> int:
    """The gateway's wall clock, Unix milliseconds UTC."""
    return time.time_ns() // 1_000_000


def nobody_to_ask(pid: int, codes: Sequence[str], answer: Callable[[RouteAnswer | None], None]) -> None:
    """The server's part in a station that has none."""
    answer(None)


@dataclass
class Shared:
    """What all devices of a station have in common."""

    outbox: Outbox
    spool: Spool
    routes: RouteTable
    stopping: threading.Event
    ask: AskServer = nobody_to_ask
    reachable: Callable[[], bool] = lambda: False


class StationContext:
    """Implements `devices.driver.Context` and PrinterContext for one device."""

    def __init__(self, config: DeviceConfig, shared: Shared) -> None:
        self.name = config.name
        self.options = config.options
        self.live: dict[str, Mapping[str, object]] = {}
        self._url = config.url
        self._shared = shared

    @property
    def routes(self) -> RouteTable:
        return self._shared.routes

    @property
    def spool(self) -> Spool:
        return self._shared.spool

    def emit(self, kind: str, facts: Mapping[str, object]) -> Receipt:
        return self._shared.outbox.add(self.name, kind, facts)

    def kept(self, kind: str, limit: int) -> list[Mapping[str, object]]:
        return self._shared.outbox.newest(self.name, kind, limit)

    def tell(self, kind: str, facts: Mapping[str, object]) -> None:
        self.live[kind] = facts

    def open_transport(self) -> Transport:
        return open_transport(self._url)

    def now_ms(self) -> int:
        return wall_ms()

    def monotonic_s(self) -> float:
        return time.monotonic()

    def ask_server(self, pid: int, codes: Sequence[str], answer: Callable[[RouteAnswer | None], None]) -> None:
        self._shared.ask(pid, codes, answer)

    def server_reachable(self) -> bool:
        return self._shared.reachable()

    def stopping(self) -> bool:
        return self._shared.stopping.is_set()
