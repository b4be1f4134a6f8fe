"""The driver with a real outbox and a real wire: orders at chutes, health, pacing, and what a configuration may say."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.config import DeviceConfig
from devices.driver import State
from devices.drivers.sorter_wsp import WspSorter
from devices.drivers.sorter_wsp.driver import LEAD_S
from devices.drivers.sorter_wsp.session import PROMPT_S
from devices.errors import ConfigError
from devices.outbox import Outbox
from devices.routes import RouteTable
from devices.simulators.sorter_belt import BeltTimes
from devices.simulators.sorter_cable import TcpEnd
from devices.simulators.sorter_line import LineSettings, SimulatedLine
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_plc import HELLO_EVERY_S
from devices.simulators.sorter_wire import Ear, build
from devices.spool import Spool
from devices.station import Shared, StationContext, wall_ms
from devices.store import Store
from devices.supervisor import Keeper
from devices.transport.base import TransportStatus
from tests.devices.context import CountedPauses
from tests.devices.processes import WAIT_S


class Station:
    """A driver kept running by the supervisor's keeper, with everything real but the gateway around it."""

    def __init__(self, folder: Path, url: str, **options: object) -> None:
        self.store = Store(folder / "station.db")
        self.outbox = Outbox(self.store, wall_ms)
        self.routes = RouteTable()
        self.stopping = threading.Event()
        shared = Shared(self.outbox, Spool(self.store, self.outbox, wall_ms), self.routes, self.stopping)
        table = {"name": "line1", "driver": "sorter_wsp", "url": url, **options}
        device = DeviceConfig("line1", "sorter_wsp", url, True, table, WspSorter)
        self.driver = WspSorter(StationContext(device, shared))
        self.pauses = CountedPauses()
        self._keeper = Keeper("line1", "sorter_wsp", lambda: self.driver, self.pauses, wall_ms)
        self._keeper.start()

    def close(self) -> None:
        self.pauses.set()
        self.stopping.set()
        assert self._keeper.join(WAIT_S)
        self.store.close()

    def facts(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.facts) for event in self.outbox.unsent(1000) if event.kind == kind]

    def order(self, command_id: str, chute: object, command: str, kind: str = "chute") -> None:
        facts = {"chute": chute, "command": command}
        self.driver.submit({"id": command_id, "device": "line1", "kind": kind, "facts": facts})


def wait_for(condition: Callable[[], Any], turn: Callable[[], None] = lambda: time.sleep(0.005)) -> None:
    end_s = time.monotonic() + WAIT_S
    while not condition():
        assert time.monotonic() < end_s
        turn()


@pytest.fixture
def line() -> Iterator[SimulatedLine]:
    end = TcpEnd()
    made = SimulatedLine(end, LineSettings(chutes=range(1, 10), times=BeltTimes(0.3, 0.4, 0.8), baud=0), Memory())
    yield made
    end.unplug()


@pytest.fixture
def station(tmp_path: Path, line: SimulatedLine) -> Iterator[Station]:
    plan = tmp_path / "plan.csv"
    plan.write_text("A,5,6\n", encoding="ascii")
    made = Station(tmp_path, line.end.address)
    made.routes.load_plan(plan)
    wait_for(lambda: line.plc.answered, line.turn)
    yield made
    made.close()


def test_an_order_for_a_chute_reaches_the_line_and_its_end_is_told(station: Station, line: SimulatedLine) -> None:
    station.order("c1", 5, "LOCK")
    station.order("c2", "7", "CLEAR")
    station.order("c3", 99, "OPEN")
    wait_for(lambda: len(station.facts("command")) == 3, line.turn)
    ends = {facts["id"]: facts["result"] for facts in station.facts("command")}
    assert ends == {"c1": "taken", "c2": "taken", "c3": "refused"}
    assert line.belt.chutes[5] == "LOCK"
    wait_for(lambda: {"chute": 5, "state": "LOCK", "count": 0} in station.facts("chute"), line.turn)


@pytest.mark.parametrize(
    ("chute", "command", "kind"), [(5, "EXPLODE", "chute"), ("x", "OPEN", "chute"), (5, "OPEN", "y")]
)
def test_an_order_nobody_can_carry_out_is_refused(
    station: Station, line: SimulatedLine, chute: object, command: str, kind: str
) -> None:
    station.order("c1", chute, command, kind)
    wait_for(lambda: station.facts("command"), line.turn)
    assert station.facts("command")[0]["result"] == "refused"


def test_health_tells_whether_the_line_answers_and_whether_there_is_a_table(tmp_path: Path) -> None:
    end = TcpEnd()
    station = Station(tmp_path, end.address)
    health = station.driver.health
    wait_for(lambda: (health().state, health().reason[:10]) == (State.CONNECTING, "no_session"))
    line = SimulatedLine(end, LineSettings(baud=0), Memory())
    wait_for(lambda: (health().state, health().reason[:6]) == (State.DEGRADED, "routes"), line.turn)
    station.routes.apply({"version": 1, "full": True, "changes": [{"code": "A", "chute": "5"}]}, time.monotonic())
    wait_for(lambda: health().state is State.READY, line.turn)
    station.close()
    end.unplug()


def test_a_plugged_out_line_is_tried_often_and_the_first_try_that_finds_it_takes_it_up_again(
    station: Station, line: SimulatedLine
) -> None:
    """Within a second, then: the longest pause, and the longest wait for a first word."""
    begins, tries = line.plc.counters["sessions"], station.pauses.asked_s
    line.end.unplug()
    wait_for(lambda: len(tries) >= 8, line.turn)
    line.end.plug()
    tried = len(tries)
    wait_for(lambda: line.plc.answered and line.plc.counters["sessions"] > begins, line.turn)
    assert len(tries) <= tried + 1  # the one that was under way when the cable came back
    assert max(tries) + PROMPT_S + HELLO_EVERY_S < 1.0


class Uart:
    """A port in virtual time that takes everything at once, and knows what has not begun to leave by then."""

    url = "virtual"

    def __init__(self, baud: int) -> None:
        self.now_s = 100.0
        self.longest_wait_s = 0.0
        self.sent: list[list[str]] = []
        self._byte_s = 10 / baud
        self._free_s = 0.0
        self._answer = b""
        self._ear = Ear()

    def read(self, max_bytes: int, timeout_s: float) -> bytes:
        self.now_s += 0.0 if self._answer else max(timeout_s, 1e-4)
        answer, self._answer = self._answer, b""
        return answer

    def write(self, content: bytes, deadline_s: float) -> None:
        self.longest_wait_s = max(self.longest_wait_s, self._free_s - self.now_s)
        self._free_s = max(self._free_s, self.now_s) + len(content) * self._byte_s
        for parts in self._ear.listen(content):
            self.sent.append(parts)
            if parts[:3] == ["HLO", "1", "0"]:
                self._answer = build("HLO", 1, 4401, "WSP/1", "PLC1", "9F31C2A7", 0, 1)

    def open(self) -> None: ...

    def close(self) -> None: ...

    def end_writing(self) -> bool:
        return False

    def untaken_bytes(self) -> int | None:
        return None

    def status(self) -> TransportStatus:
        return TransportStatus(open=True, bytes_in=0, bytes_out=0, opened=1)


class VirtualContext(StationContext):
    """The gateway's context on the port's clock; the gateway stops when eight orders have left."""

    def __init__(self, device: DeviceConfig, shared: Shared, port: Uart) -> None:
        super().__init__(device, shared)
        self._port = port

    def monotonic_s(self) -> float:
        return self._port.now_s

    def open_transport(self) -> Uart:
        return self._port

    def stopping(self) -> bool:
        return sum(parts[0] == "CHC" for parts in self._port.sent) >= 8


def test_never_more_than_one_frame_waits_in_the_uart(tmp_path: Path) -> None:
    store = Store(tmp_path / "station.db")
    outbox, port, url = Outbox(store, wall_ms), Uart(57_600), "serial:///dev/ttyUSB0?baud=57600"
    shared = Shared(outbox, Spool(store, outbox, wall_ms), RouteTable(), threading.Event())
    table = {"name": "line1", "driver": "sorter_wsp", "url": url}
    driver = WspSorter(VirtualContext(DeviceConfig("line1", "sorter_wsp", url, True, table, WspSorter), shared, port))
    for number in range(8):
        facts = {"chute": number + 1, "command": "LOCK"}
        driver.submit({"id": f"c{number}", "device": "line1", "kind": "chute", "facts": facts})
    driver.run()
    store.close()
    assert 0 < port.longest_wait_s <= LEAD_S + 1e-9


@pytest.mark.parametrize(
    ("url", "options", "wrong"),
    [
        ("serial:///dev/ttyUSB0?baud=9600", {}, "57600"),
        ("serial:///dev/ttyUSB0", {}, "57600"),
        ("file:///tmp/x", {}, "serial or tcp"),
        ("tcp://plc:7001", {"window_ms": 20}, "window_ms"),
        ("tcp://plc:7001", {"window_ms": "300"}, "whole number"),
        ("tcp://plc:7001", {"node": "a name that is too long"}, "node"),
        ("tcp://plc:7001", {"windowms": 300}, "windowms"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused_before_anything_is_opened(
    url: str, options: dict[str, object], wrong: str
) -> None:
    with pytest.raises(ConfigError, match=wrong):
        WspSorter.check({"name": "line1", "driver": "sorter_wsp", "url": url, **options})


def test_the_configuration_of_the_page_is_good() -> None:
    WspSorter.check({"name": "line1", "url": "serial:///dev/ttyUSB0?baud=115200", "window_ms": 300})
    WspSorter.check({"name": "line1", "url": "tcp://192.168.1.50:7001"})
