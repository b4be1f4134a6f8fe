"""DWS machines: every measure once and for good, hostile lines counted, the page's own lines read."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.framing.dws import Measure, MeasureRefused, acknowledgement, read_line, refusal
from tests.devices.processes import GatewayProcess, MachineProcess, events_of, wait_until, write_config

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "dws.md").read_text(encoding="utf-8")
LINES = re.findall(r"^(\{.*\})$", PAGE, re.MULTILINE)


def measure(**changed: object) -> bytes:
    return json.dumps({"boot": "9F31C2A7", "id": 17, "codes": ["SF1"], "weight_g": 1200, **changed}).encode()


def test_the_lines_of_the_page_are_read_and_written() -> None:
    assert read_line(LINES[0].encode()) == Measure("9F31C2A7", 17, ("SF1234567890123",), 1235, 300, 200, 150)
    assert read_line(LINES[1].encode()) == Measure("9F31C2A7", 18, (), None, 300, 200, 150, "overload")
    assert read_line(LINES[2].encode()) is None
    assert acknowledgement("9F31C2A7", 17) == LINES[3].encode() + b"\n"
    assert refusal(18, "BUSY") == LINES[4].encode() + b"\n"


@pytest.mark.parametrize(
    ("line", "named"),
    [
        (b"", None),
        (b"\xff\xfe", None),
        (b"[1]", None),
        (b"[" * 4000, None),
        (measure(id="17"), None),
        (measure(id=True), None),
        (measure(boot="x"), 17),
        (measure(weight_g=-1), 17),
        (measure(weight_g=1.5), 17),
        (measure(weight_g=1_000_001), 17),
        (measure(length_mm="300"), 17),
        (measure(codes="SF1"), 17),
        (measure(codes=["SF1\n^XZ"]), 17),
        (measure(codes=["\x1b!?"]), 17),
        (measure(codes=["\u202eevil"]), 17),
        (measure(codes=["\ud800"]), 17),
        (measure(codes=["x" * 129]), 17),
        (measure(codes=["a"] * 9), 17),
        (measure(fault="sad"), 17),
    ],
)
def test_a_line_that_is_no_measure_is_refused(line: bytes, named: int | None) -> None:
    with pytest.raises(MeasureRefused) as refused:
        read_line(line)
    assert refused.value.measure_id == named


@pytest.fixture
def machine() -> Iterator[MachineProcess]:
    made = MachineProcess("dws", "--tcp", "0")
    yield made
    made.stop()


@pytest.fixture
def config(tmp_path: Path, machine: MachineProcess) -> Path:
    return write_config(tmp_path, {"name": "dws1", "driver": "dws", "url": machine.ready["url"]})


def ids(config: Path) -> list[Any]:
    return [event["id"] for event in events_of(config, "measure")]


def test_each_measure_is_an_event_once_over_kills_of_the_gateway(config: Path, machine: MachineProcess) -> None:
    gateway = GatewayProcess(config)
    gateway.wait_ready("dws1")
    for number in range(30):
        machine.control(**{"pass": [f"SF{number}"], "weight_g": 100 + number})
        if number % 10 == 5:
            gateway.kill()
            gateway.start()
    wait_until(lambda: machine.control(report=True)["open"] == [])
    gateway.stop()
    assert sorted(ids(config)) == list(range(1, 31))


def test_an_unplugged_machine_is_shown_and_what_passed_meanwhile_comes_later(
    config: Path, machine: MachineProcess
) -> None:
    with GatewayProcess(config) as gateway:
        gateway.wait_ready("dws1")
        machine.control(unplug=1)
        wait_until(lambda: gateway.state_of("dws1") != "ready")
        machine.control(**{"pass": ["SF1"], "weight_g": 5, "fault": "under"})
        wait_until(lambda: ids(config) == [1])
        (event,) = events_of(config, "measure")
    assert (event["weight_g"], event["fault"], event["length_mm"]) == (5, "under", None)


def test_hostile_lines_are_counted_and_refused_and_the_next_measure_counts(
    config: Path, machine: MachineProcess
) -> None:
    with GatewayProcess(config) as gateway:
        gateway.wait_ready("dws1")
        for line in ("{", "x" * 9000, measure(id=99, weight_g=-5).decode()):
            machine.control(raw=line)
        machine.control(**{"pass": ["SF1"]})
        wait_until(lambda: ids(config) == [1])
        wait_until(lambda: "unsound" in gateway.health()["devices"][0]["counters"])  # told now and then
        counters = gateway.health()["devices"][0]["counters"]
        assert machine.control(report=True)["refused"] == [{"nak": 99, "reason": "FORMAT"}]
    assert (counters["unsound"], counters["dropped"]) == (2, 1)


def test_a_machine_that_says_nothing_is_lost_after_a_while(config: Path, machine: MachineProcess) -> None:
    with GatewayProcess(config) as gateway:
        gateway.wait_ready("dws1")
        machine.control(off=5)
        wait_until(lambda: "said nothing" in gateway.health()["devices"][0]["reason"])
