"""A whole station as processes: gateway, machines, and a server that comes and goes."""

from __future__ import annotations

import random
import resource
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.devices.labels import escpos_label
from tests.devices.processes import (
    CALL_S,
    GatewayProcess,
    MachineProcess,
    events_of,
    wait_until,
    wms_devices,
    write_config,
)
from tests.devices.server import CODE, StationServer, print_command

MEMORY_KB_MAX = 80_000
HOUR_S = 3600


@pytest.fixture
def server() -> Iterator[StationServer]:
    started = StationServer()
    yield started
    started.stop()
    assert started.wrong == []


def scanner_at(folder: Path) -> dict[str, Any]:
    return {
        "name": "scanner1",
        "driver": "scanner_serial",
        "url": f"serial://{folder}/scanner?baud=9600",
        "repeat_ms": 0,
    }


def paired(folder: Path, server: StationServer, *devices: dict[str, Any]) -> Path:
    config = write_config(folder, *devices, server_url=server.url)
    done = wms_devices("pair", CODE, server.url, "--config", config)
    assert done.returncode == 0, done.stderr
    return config


def test_a_station_scans_weighs_prints_and_stops_cleanly(tmp_path: Path, server: StationServer) -> None:
    with (
        MachineProcess("scanner", "--port", tmp_path / "scanner") as scanner,
        MachineProcess("scale", "--port", tmp_path / "scale") as scale,
        MachineProcess("printer", "--tcp", "0", "--out", tmp_path / "labels", "--speed", "0") as printer,
    ):
        scale1 = {"name": "scale1", "driver": "scale", "url": f"serial://{tmp_path}/scale?baud=9600"}
        printer1 = {"name": "printer1", "driver": "printer_escpos", "url": printer.ready["url"]}
        config = paired(tmp_path, server, scanner_at(tmp_path), scale1, printer1)
        gateway = GatewayProcess(config)
        gateway.wait_ready("scanner1", "scale1", "printer1")
        scanner.control(scan="6901234567892")
        scale.control(put=1235)
        server.order(print_command("waybill:1", escpos_label(1)))
        wait_until(lambda: [event["facts"]["code"] for event in server.of_kind("scan")] == ["6901234567892"])
        wait_until(lambda: [event["facts"]["weight_g"] for event in server.of_kind("weight")] == [1235])
        wait_until(lambda: server.states_of("waybill:1") == ["claimed", "sending", "sent", "verified"])
        wait_until(lambda: {device["state"] for device in server.health} == {"ready"})
        assert len(list((tmp_path / "labels").glob("*.png"))) == 1
        assert gateway.memory_kb() <= MEMORY_KB_MAX
        with urllib.request.urlopen(gateway.ready["health"].replace("/health", "/metrics"), timeout=CALL_S) as metrics:
            assert b'chuwei_device_count_total{counter="scans",device="scanner1"} 1.0' in metrics.read()
        assert gateway.stop() == 0
    assert [event["seq"] for event in server.events] == list(range(1, len(server.events) + 1))


def test_no_event_is_lost_or_doubled_by_kills_and_a_server_that_comes_and_goes(
    tmp_path: Path, server: StationServer
) -> None:
    chance = random.Random(1)
    with MachineProcess("scanner", "--port", tmp_path / "scanner", "--baud", "0") as scanner:
        config = paired(tmp_path, server, scanner_at(tmp_path))
        gateway = GatewayProcess(config)
        for number in range(6):
            gateway.wait_ready("scanner1")
            before = gateway.health()["outbox"]["last_seq"]
            for scan in range(40):
                scanner.control(scan=f"{number}-{scan}")
            wait_until(lambda before=before: gateway.health()["outbox"]["last_seq"] >= before + 20)  # type: ignore[misc]
            if number % 2:
                server.stop()
            server.lose_answers = 1
            time.sleep(chance.uniform(0.0, 0.1))
            gateway.kill()
            if not server.open:
                server.start()
            gateway.start()
        wait_until(
            lambda: (
                server.high_water == gateway.health()["outbox"]["last_seq"]
                and gateway.health()["outbox"]["waiting"] == 0
            )
        )
        assert gateway.stop() == 0
    stored = [event["scan_id"] for event in events_of(config, "scan")]
    told = [event["facts"]["scan_id"] for event in server.of_kind("scan")]
    assert told == stored
    assert len(set(stored)) == len(stored) >= 100
    assert [event["seq"] for event in server.events] == list(range(1, server.high_water + 1))


def test_a_kill_while_printing_never_gives_two_labels_and_the_lost_one_is_shown(
    tmp_path: Path, server: StationServer
) -> None:
    chance = random.Random(2)
    with MachineProcess("printer", "--tcp", "0", "--out", tmp_path / "labels", "--speed", "10") as printer:
        config = paired(
            tmp_path,
            server,
            {"name": "printer1", "driver": "printer_escpos", "url": printer.ready["url"], "look_every_s": 0.3},
        )
        gateway = GatewayProcess(config)
        jobs = [f"job{number}" for number in range(6)]
        for number, job in enumerate(jobs):
            server.order(print_command(job, escpos_label(number, rows=16)))
            time.sleep(chance.uniform(0.0, 0.4))
            gateway.kill()
            gateway.start()
        ends = {"verified", "uncertain"}
        wait_until(lambda: all(server.states_of(job)[-1:] and server.states_of(job)[-1] in ends for job in jobs))
        labels = printer.control(report=True)["labels"]
        assert gateway.stop() == 0
    whole = [label["dots_sha256"] for label in labels if not label["partial"]]
    assert len(whole) == len(set(whole))
    assert len(whole) >= sum(server.states_of(job)[-1] == "verified" for job in jobs)
    assert all(server.states_of(job).count("claimed") == 1 for job in jobs)


def test_an_unplugged_scanner_is_shown_and_goes_on_when_it_is_plugged_in(tmp_path: Path, server: StationServer) -> None:
    with MachineProcess("scanner", "--port", tmp_path / "scanner") as scanner:
        config = paired(tmp_path, server, scanner_at(tmp_path))
        with GatewayProcess(config) as gateway:
            gateway.wait_ready("scanner1")
            wait_until(lambda: server.health and server.health[0]["state"] == "ready")
            scanner.control(unplug=HOUR_S)
            wait_until(lambda: server.health[0]["state"] == "down")
            assert "is the cable in?" in server.health[0]["reason"]
            scanner.control(unplug=0)
            wait_until(lambda: gateway.state_of("scanner1") == "ready")
            scanner.control(scan="after")
            wait_until(lambda: [event["facts"]["code"] for event in server.of_kind("scan")] == ["after"])


def test_a_full_disk_is_shown_and_the_station_goes_on_when_there_is_room(tmp_path: Path) -> None:
    with MachineProcess("scanner", "--port", tmp_path / "scanner", "--baud", "0") as scanner:
        config = write_config(tmp_path, scanner_at(tmp_path))
        with GatewayProcess(config) as gateway:
            gateway.wait_ready("scanner1")
            scanner.control(scan="before")
            wait_until(lambda: events_of(config, "scan"))
            resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (8_192, resource.RLIM_INFINITY))
            scanner.control(scan="refused")
            wait_until(lambda: "outbox: " in gateway.health()["devices"][0]["reason"])
            resource.prlimit(gateway.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            time.sleep(0.6)
            scanner.control(scan="after")
            wait_until(lambda: gateway.state_of("scanner1") == "ready")
        assert [event["code"] for event in events_of(config, "scan")] == ["before", "after"]


def test_one_dead_machine_does_not_stop_the_others(tmp_path: Path) -> None:
    with MachineProcess("scanner", "--port", tmp_path / "scanner") as scanner:
        dead = {"name": "printer1", "driver": "printer_escpos", "url": "tcp://127.0.0.1:1"}
        config = write_config(tmp_path, dead, scanner_at(tmp_path))
        with GatewayProcess(config) as gateway:
            gateway.wait_ready("scanner1")
            wait_until(lambda: gateway.state_of("printer1") == "down")
            scanner.control(scan="1")
            wait_until(lambda: events_of(config, "scan"))


def test_a_command_for_nobody_is_refused_once(tmp_path: Path, server: StationServer) -> None:
    with MachineProcess("scanner", "--port", tmp_path / "scanner"):
        config = paired(tmp_path, server, scanner_at(tmp_path))
        with GatewayProcess(config):
            server.order({"id": "c1", "device": "line9", "kind": "chute", "facts": {"chute": 1, "command": "LOCK"}})
            server.order(print_command("job1", escpos_label(1), device="scanner1"))
            wait_until(lambda: server.states_of("job1"))
            wait_until(lambda: server.of_kind("command"))
    refused = {"id": "c1", "result": "refused", "reason": "device_unknown"}
    assert [event["facts"] for event in server.of_kind("command")] == [refused]
    assert [event["facts"]["reason"] for event in server.of_kind("print")] == ["command_unsuitable"]
