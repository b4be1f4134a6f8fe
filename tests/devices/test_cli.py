from __future__ import annotations

import json
import socket
from pathlib import Path

from tests.devices.processes import GatewayProcess, wms_devices, write_config
from tests.devices.server import CODE, StationServer

SCANNER = {"name": "scanner1", "driver": "scanner_serial", "url": "serial:///dev/nowhere?baud=9600"}


def test_a_bad_configuration_is_one_clear_line_per_mistake_and_exit_code_2(tmp_path: Path) -> None:
    config = write_config(tmp_path, {**SCANNER, "suffix": "X"}, {"name": "scale1", "driver": "scales", "url": "pty:"})
    done = wms_devices("run", config)
    assert (done.returncode, done.stdout) == (2, "")
    lines = done.stderr.splitlines()
    assert len(lines) == 2
    assert all(str(config) in line for line in lines)


def test_a_configuration_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    done = wms_devices("run", tmp_path / "none.toml")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_server_without_pairing_is_exit_code_2_and_says_how(tmp_path: Path) -> None:
    config = write_config(tmp_path, SCANNER, server_url="http://127.0.0.1:1")
    done = wms_devices("run", config)
    assert done.returncode == 2
    assert "wms-devices pair CODE URL" in done.stderr


def test_a_plan_that_is_not_there_is_exit_code_2(tmp_path: Path) -> None:
    config = write_config(tmp_path, SCANNER)
    config.write_text(config.read_text() + '[routes]\nfile = "plan.csv"\n')
    done = wms_devices("run", config)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)


def test_a_health_port_that_is_taken_is_exit_code_2(tmp_path: Path) -> None:
    config = write_config(tmp_path, SCANNER)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        config.write_text(config.read_text() + f"[health]\nport = {taken.getsockname()[1]}\n")
        done = wms_devices("run", config)
    assert done.returncode == 2
    assert "[health] port" in done.stderr


def test_a_second_gateway_on_one_outbox_is_refused_and_doctor_and_events_are_not(tmp_path: Path) -> None:
    config = write_config(tmp_path, SCANNER)
    with GatewayProcess(config):
        second = wms_devices("run", config)
        assert second.returncode == 2
        assert "in use by another gateway" in second.stderr
        doctor = wms_devices("doctor", config, "--json")
        events = wms_devices("events", config)
    assert events.returncode == 0
    findings = [json.loads(line) for line in doctor.stdout.splitlines()]
    assert doctor.returncode == 1
    wrong = next(finding for finding in findings if not finding["ok"])
    assert "scanner1" in wrong["what"]
    assert "is the cable in?" in wrong["state"]
    assert any("the gateway is running" in finding["state"] for finding in findings)


def test_doctor_finds_nothing_wrong_with_a_sound_server(tmp_path: Path) -> None:
    server = StationServer()
    try:
        config = write_config(
            tmp_path, {"name": "p", "driver": "printer_escpos", "url": f"file://{tmp_path}/l"}, server_url=server.url
        )
        assert wms_devices("pair", CODE, server.url, "--config", config).returncode == 0
        doctor = wms_devices("doctor", config)
    finally:
        server.stop()
    assert doctor.returncode == 0, doctor.stdout
    assert "reached, key accepted" in doctor.stdout


def test_pairing_with_another_server_than_configured_does_not_send_the_code(tmp_path: Path) -> None:
    config = write_config(tmp_path, SCANNER, server_url="https://wms.example.com")
    done = wms_devices("pair", CODE, "https://wms.example.net", "--config", config)
    assert done.returncode == 2
    assert 'set url = "https://wms.example.net"' in done.stderr


def test_a_wrong_pairing_code_is_said(tmp_path: Path) -> None:
    server = StationServer()
    try:
        config = write_config(tmp_path, SCANNER, server_url=server.url)
        done = wms_devices("pair", "0000-0000", server.url, "--config", config)
    finally:
        server.stop()
    assert (done.returncode, done.stderr.strip()) == (2, "pairing_code_wrong: pairing code wrong")


def test_bad_usage_is_exit_code_2() -> None:
    assert wms_devices().returncode == 2
    assert wms_devices("simulate", "toaster").returncode == 2
    assert wms_devices("simulate", "scanner", "--faults", "flip=2").returncode == 2
