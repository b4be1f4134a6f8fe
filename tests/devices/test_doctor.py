"""What `wms-devices doctor` finds, and the files that come with the package."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from devices import doctor
from devices.config import load_config
from tests.devices.processes import ROOT, GatewayProcess, MachineProcess, wait_until, wms_devices, write_config

GUIDE = (ROOT / "docs" / "guide" / "gateway.md").read_text(encoding="utf-8")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def found(config: Path) -> dict[str, doctor.Finding]:
    return {finding.what: finding for finding in doctor.findings(load_config(config))}


@pytest.mark.parametrize(("name", "place"), [("service", "wms-devices@.service"), ("rules", "70-chuwei.rules")])
def test_a_file_that_is_shipped_is_the_one_the_guide_shows(name: str, place: str) -> None:
    printed = wms_devices("file", name)
    assert printed.returncode == 0
    assert printed.stdout == (ROOT / "devices" / "data" / place).read_text(encoding="utf-8")
    assert f"```\n{printed.stdout}```" in GUIDE


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    unit = tmp_path / "wms-devices@bench.service"
    text = (ROOT / "devices" / "data" / "wms-devices@.service").read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/chuwei/bin/wms-devices", "/bin/true"), encoding="utf-8")
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert str(unit) not in done.stderr, done.stderr


def test_a_plan_that_cannot_be_read_and_a_printer_that_is_away_are_named_with_what_to_do(tmp_path: Path) -> None:
    url = f"tcp://127.0.0.1:{free_port()}"
    config = write_config(tmp_path, {"name": "printer1", "driver": "printer_zpl", "url": url})
    config.write_text(config.read_text() + '[routes]\nfile = "plan.csv"\n')
    (tmp_path / "plan.csv").write_text("code,chute\nSF1,x\n")
    report = found(config)
    plan = report[f"plan {tmp_path}/plan.csv"]
    assert plan.wrong
    assert "line 2" in plan.state
    printer = report[f"device printer1 (printer_zpl, {url})"]
    assert (printer.wrong, printer.mend) == (True, "check cable, power and url")
    told = wms_devices("doctor", config, "--json")
    assert told.returncode == 1
    assert sum(not json.loads(line)["ok"] for line in told.stdout.splitlines()) >= 2


def test_a_disk_that_is_nearly_full_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = write_config(tmp_path, {"name": "file1", "driver": "printer_zpl", "url": f"file://{tmp_path}/labels"})
    assert not found(config)[f"disk of {tmp_path}"].wrong
    monkeypatch.setattr(doctor, "FREE_BYTES_MIN", 2**63)  # half a gigabyte in the product
    assert "make room" in found(config)[f"disk of {tmp_path}"].mend


def test_a_running_gateway_is_asked_how_its_devices_are(tmp_path: Path) -> None:
    port = free_port()
    machine = MachineProcess("printer", "--language", "zpl", "--tcp", "0", "--out", tmp_path / "labels")
    machine.control(paper="out")
    config = write_config(tmp_path, {"name": "printer1", "driver": "printer_zpl", "url": machine.ready["url"]})
    config.write_text(config.read_text() + f"[health]\nport = {port}\n")
    with GatewayProcess(config) as gateway:
        wait_until(lambda: gateway.state_of("printer1") == "degraded")
        shown = found(config)["running device printer1"]
    machine.stop()
    assert (shown.wrong, shown.state, shown.mend) == (True, "degraded paper_out", "put in paper")
    assert "running device printer1" not in found(config)


def test_a_station_with_four_devices_takes_no_more_than_80_mb(tmp_path: Path) -> None:
    """The size a small board has to spare; a line over Modbus is the heaviest driver there is."""
    machines = [
        MachineProcess("scanner", "--port", tmp_path / "scanner"),
        MachineProcess("scale", "--port", tmp_path / "scale"),
        MachineProcess("printer", "--language", "zpl", "--tcp", "0", "--out", tmp_path / "labels"),
        MachineProcess("sorter_modbus"),
    ]
    kinds = ("scanner_serial", "scale", "printer_zpl", "sorter_modbus")
    devices = [
        {"name": f"device{number}", "driver": kind, "url": machine.ready["url"]}
        for number, (kind, machine) in enumerate(zip(kinds, machines, strict=True))
    ]
    config = write_config(tmp_path, *devices)
    (tmp_path / "plan.csv").write_text("code,chute\nSF1,7\n")
    config.write_text(config.read_text() + '[routes]\nfile = "plan.csv"\n')
    with GatewayProcess(config) as gateway:
        gateway.wait_ready(*(str(device["name"]) for device in devices))
        resident_kb = gateway.memory_kb()
    for machine in machines:
        machine.stop()
    assert resident_kb <= 80 * 1024, f"{resident_kb} kB"
