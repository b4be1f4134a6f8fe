"""The sorting line over Modbus: the register map, the session against the simulated PLC, the driver as a process."""

from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.sorter_modbus import ModbusSorter
from devices.errors import ConfigError
from devices.framing import modbus_map as plan
from devices.framing.wsp import FieldRefused
from devices.framing.wsp_values import ChuteOrder, Reason
from devices.routes import Decision
from devices.simulators.modbus_server import Registers
from devices.simulators.sorter_modbus import seal
from tests.devices.processes import GatewayProcess, MachineProcess, events_of, wait_until, write_config
from tests.devices.sorter.modbus_bench import POLL_S, Line

PAGE = Path(__file__).resolve().parents[3] / "docs" / "reference" / "modbus.md"


def examples() -> dict[str, list[int]]:
    """The registers of the page, by name."""
    lines = re.findall(r"^([A-Za-z ]+): ((?:[0-9A-F]{4} ?)+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    return {name: [int(word, 16) for word in words.split()] for name, words in lines}


@pytest.fixture
def line() -> Line:
    made = Line()
    made.turn(0.2)
    return made


# --- the page's registers ---------------------------------------------------------------------------------------------


def test_the_page_has_an_example_of_every_entry() -> None:
    assert set(examples()) == {"PLC block", "Gateway block", "REQ", "RES", "CFM", "CHS", "CHC"}


def test_the_plc_s_entries_of_the_page_are_read() -> None:
    page = examples()
    block = plan.read_plc_block(page["PLC block"])
    assert block is not None
    assert (block.session, block.request_head, block.confirm_head, block.boot) == (4401, 7, 2, 0x9F31C2A7)
    request = plan.read_request(page["REQ"], 7, 4401)
    assert request is not None
    assert (request.pid, request.codes, request.aims, request.weight_g) == (
        100000123,
        ("6901234567892", "SF1234567890123"),
        ("]E0", "]C0"),
        1200,
    )
    confirmation = plan.read_confirmation(page["CFM"], 2, 4401)
    assert confirmation is not None
    assert (confirmation.pid, confirmation.chute, confirmation.result, confirmation.time_ms) == (
        100000123,
        17,
        "OK",
        1790000001850,
    )
    chute = plan.read_chute(page["CHS"], 3, 3, 4401)
    assert chute is not None
    assert (chute.chute, chute.state, chute.count) == (7, "FULL", 118)


def test_the_gateway_s_entries_are_those_of_the_page() -> None:
    page = examples()
    made = Decision(17, 18, Reason.ROUTE, 812)
    assert plan.write_answer(5, 100000123, 0, made, 7) == page["RES"]
    assert plan.write_order(1, 7, ChuteOrder.CLEAR) == page["CHC"]
    block = plan.GatewayBlock(4401, 52, 7, 1, 3, 5, 1, 0x5D0C91AE, 812)
    assert plan.write_gateway_block(block) == page["Gateway block"]


def test_the_twin_seals_as_the_page_does() -> None:
    for registers in examples().values():
        assert seal(registers[:-1]) == registers


@pytest.mark.parametrize("name", ["REQ", "CFM", "CHS", "PLC block"])
def test_one_flipped_bit_anywhere_makes_an_entry_unknown(name: str) -> None:
    whole = examples()[name]
    for place in range(len(whole)):
        for bit in range(16):
            damaged = [*whole[:place], whole[place] ^ 1 << bit, *whole[place + 1 :]]
            read: Any = {
                "REQ": lambda: plan.read_request(damaged, 7, 1),  # noqa: B023  # called before the next turn
                "CFM": lambda: plan.read_confirmation(damaged, 2, 1),  # noqa: B023
                "CHS": lambda: plan.read_chute(damaged, 3, 3, 1),  # noqa: B023
                "PLC block": lambda: plan.read_plc_block(damaged),  # noqa: B023
            }[name]
            assert read() is None


def test_text_that_is_no_text_is_refused() -> None:
    entry = examples()["REQ"]
    entry[12] = 0x0741
    with pytest.raises(FieldRefused):
        plan.read_request(plan.sealed(entry[:-1]), 7, 1)
    with pytest.raises(FieldRefused):
        plan.pack_text("x" * 49, 24)


# --- a shift in virtual time ------------------------------------------------------------------------------------------


def test_parcels_are_routed_and_booked_once(line: Line) -> None:
    for code in ("SF1", "SF2", "SF1", "GOODS"):
        line.offer(code)
        line.turn(0.4)
    line.turn(3.0)
    assert sorted(map(str, line.booked())) == sorted(map(str, line.ended()))
    assert sorted(str(chute) for _, chute, _ in line.ended()) == ["0", "7", "7", "8"]
    assert not line.memory.unacknowledged
    assert {facts["reason"] for facts in line.of_kind("divert")} == {"ROUTE", "UNKNOWN"}


def test_more_parcels_than_a_ring_holds_at_once_all_get_their_answer(line: Line) -> None:
    for _ in range(30):
        line.offer("SF1")
    line.turn(3.0)
    assert {parcel.result for parcel in line.belt.discharges} == {"OK"}
    assert sorted(map(str, line.booked())) == sorted(map(str, line.ended()))


def test_counters_go_on_past_their_end(line: Line) -> None:
    """Heads and acks of both sides set near 65,535, as after a day."""
    for taken, ring in ((line.session._requests, "REQ"), (line.session._confirms, "CFM")):
        taken.read = taken.ack = 65_530
        line.plc._heads[ring] = 65_530
    line.session._answer_head = line.session._answer_ack = 65_530
    line.plc._acks["RES"] = 65_530
    line.turn(0.1)
    for _ in range(20):
        line.offer("SF1")
        line.turn(0.1)
    line.turn(3.0)
    assert [result for _, _, result in line.booked()] == ["OK"] * 20


def test_a_full_chute_sends_to_the_other_of_its_group_and_is_told_once(line: Line) -> None:
    line.plc.set_chute(8, "FULL")
    line.turn(0.2)
    line.offer("SF2")
    line.turn(1.0)
    assert line.booked()[0][1] == 9
    assert line.of_kind("chute") == [{"chute": 8, "state": "FULL", "count": 0}]


def test_an_order_for_a_chute_is_done_and_reported(line: Line) -> None:
    line.session.order_chute("c1", 7, ChuteOrder.LOCK, line.moment())
    line.turn(0.2)
    assert line.belt.chutes[7] == "LOCK"
    assert line.of_kind("command") == [{"id": "c1", "result": "taken"}]


def test_a_gateway_started_anew_asks_for_a_session_and_takes_none_over_with_unknown_counters(line: Line) -> None:
    for _ in range(12):
        line.offer("SF1")
        line.turn(0.2)
    session_before = line.memory.session
    line.start()
    line.offer("SF1")
    line.turn(4.0)
    assert line.memory.session == session_before + 1
    assert len(line.booked()) == 13
    assert sorted(map(str, line.booked())) == sorted(map(str, line.ended()))


def test_a_full_disk_holds_confirmations_back_until_there_is_room(line: Line) -> None:
    line.disk_full = True
    for _ in range(12):
        line.offer("SF1")
        line.turn(0.1)
    line.turn(2.0)
    assert line.memory.unacknowledged
    assert line.booked() == []
    line.disk_full = False
    line.turn(3.0)
    assert not line.memory.unacknowledged
    assert [result for _, _, result in line.booked()] == ["OK"] * 12


def test_a_plc_that_stands_still_ends_the_session_and_comes_back(line: Line) -> None:
    line.plc.powered = False
    line.connected = True
    for _ in range(100):  # the server of the stopped PLC still answers, with the same beat
        line.now_s += POLL_S
        line.session.poll(line, line.moment)
    assert not line.session.running
    line.plc.powered = True
    line.turn(1.0)
    assert line.session.running


def test_a_plc_that_reboots_gives_up_what_was_on_the_line(line: Line) -> None:
    line.offer("SF1")
    line.turn(0.1)
    line.plc.power_off()
    line.turn(0.5)
    line.plc.power_on(line.now_s)
    line.turn(2.0)
    assert line.booked() == [(line.belt.discharges[0].pid, None, "LOST")]


@pytest.mark.parametrize("seed", range(3))
def test_damaged_reads_mislead_nobody(seed: int) -> None:
    """One read in ten has a flipped bit; now and then the gateway is killed or the cable pulled."""
    rows = {f"SF{number}": str(1 + number % 20) for number in range(50)}
    line, chance = Line(rows, seed=seed), random.Random(seed)

    def damaged(values: list[int]) -> list[int]:
        if chance.random() < 0.1:
            values = list(values)
            values[chance.randrange(len(values))] ^= 1 << chance.randrange(16)
        return values

    line.plc.registers.damage = damaged
    for number in range(150):
        line.offer(f"SF{chance.randrange(50)}")
        line.turn(0.45)
        if number % 40 == 20:
            line.start()
    line.plc.registers.damage = lambda values: values
    line.turn(6.0)
    assert len(line.ended()) == 150
    assert sorted(map(str, line.booked())) == sorted(map(str, line.ended()))
    wrong = [p for p in line.belt.discharges if p.chute and str(p.chute) != rows[p.codes[0]]]
    assert (wrong, line.memory.unacknowledged) == ([], {})
    assert line.session.counters["slots_damaged"] + line.session.counters["blocks_damaged"] > 0


def test_a_sound_entry_of_nonsense_is_told_and_does_not_stop_the_line(line: Line) -> None:
    slot = seal([1, 0, 5, 7, 99, *[0] * 42])
    line.write(plan.CFM.address(1), slot)
    line.plc._heads["CFM"] = 1
    line.offer("SF1")
    line.turn(3.0)
    assert line.of_kind("unreadable") == [{"register": plan.CFM.address(1)}]
    assert [result for _, _, result in line.booked()] == ["OK"]


# --- the small server, and the driver as a process --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("request_pdu", "code"),
    [
        (b"\x03\x00\x00\x00\x7e", 3),
        (b"\x03\x00\x64\x00\x01", 2),
        (b"\x10\x00\x00\x00\x02\x04\x00\x01", 3),
        (b"\x2b\x0e", 1),
        (b"\x03\x00", 3),
        (b"\x05\x00\x00\x12\x34", 3),
    ],
)
def test_the_twin_s_server_refuses_what_the_specification_refuses(request_pdu: bytes, code: int) -> None:
    assert Registers(registers=100, coils=8).answer(request_pdu) == bytes([request_pdu[0] | 0x80, code])


@pytest.mark.parametrize(
    ("url", "says"),
    [("file:///tmp/x", "tcp://"), ("serial:///dev/ttyUSB0", "baud"), ("serial:///dev/ttyUSB0?baud=9600", "57600")],
)
def test_a_wire_that_cannot_be_is_refused_before_anything_opens(url: str, says: str) -> None:
    with pytest.raises(ConfigError, match=says):
        ModbusSorter.check({"url": url})


@pytest.fixture(params=["tcp", "rtu"])
def station(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Path, MachineProcess]]:
    (tmp_path / "plan.csv").write_text("code,chute\nSF1,7\n")
    wire: list[str | Path] = ["--port", tmp_path / "plc"] if request.param == "rtu" else ["--tcp", "0"]
    memory: list[str | Path] = ["--memory", tmp_path / "plc.memory"]
    machine = MachineProcess("sorter_modbus", *wire, "--plan", tmp_path / "plan.csv", "--rate", "3600", *memory)
    yield tmp_path, machine
    machine.stop()


def test_a_gateway_sorts_a_line_over_modbus(station: tuple[Path, MachineProcess]) -> None:
    folder, machine = station
    device = {"name": "line1", "driver": "sorter_modbus", "url": machine.ready["url"]}
    config = write_config(folder, device)
    config.write_text(config.read_text() + '[routes]\nfile = "plan.csv"\n')
    with GatewayProcess(config) as gateway:
        gateway.wait_ready("line1")
        wait_until(lambda: len(events_of(config, "cfm")) >= 3)
    assert {(event["chute"], event["result"]) for event in events_of(config, "cfm")} <= {(7, "OK"), (0, "LATE")}


def test_an_acceptance_run_drives_a_line_over_modbus() -> None:
    command = [sys.executable, "-m", "devices", "accept", "--modbus", "--parcels", "25", "--rate", "8000", "--json"]
    done = subprocess.run([*command, "--faults", "flip=0.01,kill=5"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["wrong_diverts"], report["confirms_lost"], report["booked_twice"]) == (0, 0, 0)
    assert report["sorted"] + report["rejected"] == 25
