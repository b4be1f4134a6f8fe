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
from devices.drivers.sorter_wsp.session import PROMPT_S
from devices.errors import ConfigError
from devices.outbox import Outbox
from devices.routes import RouteTable
from devices.simulators.sorter_belt import BeltTimes
from devices.simulators.sorter_cable import PtyEnd, TcpEnd
from devices.simulators.sorter_line import LineSettings, SimulatedLine
from devices.simulators.sorter_memory import Memory
from devices.simulators.sorter_plc import HELLO_EVERY_S
from devices.simulators.sorter_wire import Ear, build
from devices.spool import Spool
from devices.station import Shared, StationContext, wall_ms
from devices.store import Store
from devices.supervisor import Keeper

WAIT_S_MAX = 60.0


class CountedPauses(threading.Event):
    """An end to wait for that keeps how long it was waited for, each time."""

    def __init__(self) -> None:
        super().__init__()
        self.asked_s: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        self.asked_s.append(timeout or 0.0)
        return super().wait(timeout)


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
        assert self._keeper.join(WAIT_S_MAX)
        self.store.close()

    def facts(self, kind: str) -> list[dict[str, Any]]:
        return [dict(event.facts) for event in self.outbox.unsent(1000) if event.kind == kind]

    def order(self, command_id: str, chute: object, command: str, kind: str = "chute") -> None:
        facts = {"chute": chute, "command": command}
        self.driver.submit({"id": command_id, "device": "line1", "kind": kind, "facts": facts})


def wait_for(condition: Callable[[], Any], turn: Callable[[], None] = lambda: time.sleep(0.005)) -> None:
    end_s = time.monotonic() + WAIT_S_MAX
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


def test_never_more_than_one_frame_waits_in_the_uart(tmp_path: Path) -> None:
    """A pseudo-terminal takes everything at once, so the driver's own pacing is what we see."""
    baud = 57_600
    end = PtyEnd(tmp_path / "line", baud)
    station = Station(tmp_path, end.address)
    for number in range(8):
        station.order(f"c{number}", number + 1, "LOCK")
    ear = Ear()
    times: list[tuple[float, int]] = []
    asked = False
    end_s = time.monotonic() + 3.0
    while len(times) < 8 and time.monotonic() < end_s:
        for parts in ear.listen(end.read()):
            if parts[:3] == ["HLO", "1", "0"] and not asked:
                asked = True
                end.write(build("HLO", 1, 4401, "WSP/1", "PLC1", "9F31C2A7", 0, 1))
            if parts[0] == "CHC":
                times.append((time.monotonic(), len("|".join(parts)) + 7))
        time.sleep(0.0002)
    station.close()
    end.unplug()
    assert len(times) == 8
    least_s = sum(size for _, size in times[:-1]) * 10 / baud
    # Unpaced they would all be there within a millisecond; half leaves room for a busy machine.
    assert times[-1][0] - times[0][0] > least_s / 2


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
