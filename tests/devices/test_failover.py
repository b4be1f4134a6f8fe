"""Printers of one group stand in for each other, and no label is printed twice for it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.printer_zpl import ZplPrinter
from devices.failover import FailoverGroups
from devices.spool import Job, JobState, job_of
from tests.devices.context import Bench
from tests.devices.labels import zpl_label
from tests.devices.processes import (
    WAIT_S,
    GatewayProcess,
    MachineProcess,
    events_of,
    wait_until,
    wms_devices,
    write_config,
)
from tests.devices.server import CODE, StationServer, print_command


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path, ZplPrinter, "tcp://127.0.0.1:9", group="labels")
    yield made
    made.close()


def waiting_job(bench: Bench, job: str = "a") -> Job:
    bench.print(job, zpl_label(1), language="zpl")
    found = bench.spool.next_job("printer1", 0)
    assert found is not None
    return found


def test_a_printer_is_given_up_only_after_its_groups_patience() -> None:
    groups = FailoverGroups()
    for name in ("one", "two"):
        groups.join(name, "labels", "zpl", now_s=0.0)
    groups.join("three", "labels", "tspl", now_s=0.0)
    groups.join("four", "documents", "zpl", now_s=0.0)
    groups.stands("two", able=True, now_s=1.0)
    assert groups.unable("two", 4.9, patience_s=5.0) == []
    assert groups.unable("two", 5.0, patience_s=5.0) == ["one"]
    groups.stands("one", able=True, now_s=6.0)
    assert groups.unable("two", 60.0, patience_s=5.0) == []
    assert groups.unable("stranger", 60.0, patience_s=5.0) == []


def test_a_job_taken_over_is_not_begun_by_its_first_printer(bench: Bench) -> None:
    job = waiting_job(bench)
    taken = bench.spool.take_over("printer2", ["printer1"], "zpl")
    assert taken is not None
    assert (taken.job, taken.device) == ("a", "printer2")
    assert not bench.spool.begin(job)
    assert bench.spool.begin(taken)
    bench.spool.change(job, JobState.CLAIMED, "outbox_full")
    assert bench.spool.state("a") is JobState.SENDING
    assert bench.told("a") == ["claimed", "claimed", "sending"]


def test_a_job_that_was_begun_stays_where_it_is(bench: Bench) -> None:
    job = waiting_job(bench)
    assert bench.spool.begin(job)
    assert bench.spool.take_over("printer2", ["printer1"], "zpl") is None
    bench.spool.change(job, JobState.UNCERTAIN, "printer_lost")
    assert bench.spool.take_over("printer2", ["printer1"], "zpl") is None


def test_a_job_in_another_language_is_not_taken_over(bench: Bench) -> None:
    waiting_job(bench)
    assert bench.spool.take_over("printer2", ["printer1"], "tspl") is None


def test_of_two_printers_that_reach_for_one_job_one_gets_it(bench: Bench) -> None:
    for number in range(20):
        job = waiting_job(bench, f"job{number}")
        begun: list[str] = []
        gate = threading.Barrier(2)

        def first(job: Job = job, begun: list[str] = begun, gate: threading.Barrier = gate) -> None:
            gate.wait()
            if bench.spool.begin(job):
                begun.append("printer1")

        def second(begun: list[str] = begun, gate: threading.Barrier = gate) -> None:
            gate.wait()
            taken = bench.spool.take_over("printer2", ["printer1"], "zpl")
            if taken is not None and bench.spool.begin(taken):
                begun.append("printer2")

        threads = [threading.Thread(target=act) for act in (first, second)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(WAIT_S)
        assert len(begun) == 1


def test_labels_of_a_printer_without_paper_come_out_of_its_neighbour(tmp_path: Path) -> None:
    """Through a real gateway: the first printer has no paper, the second takes its jobs for good."""
    server = StationServer()
    machines = [
        MachineProcess("printer", "--language", "zpl", "--tcp", "0", "--out", tmp_path / name, "--speed", "0")
        for name in ("one", "two")
    ]
    devices: list[dict[str, Any]] = [
        {
            "name": f"printer{number}",
            "driver": "printer_zpl",
            "url": machine.ready["url"],
            "group": "labels",
            "failover_s": 0.5,
            "look_every_s": 0.2,
        }
        for number, machine in enumerate(machines, start=1)
    ]
    machines[0].control(paper="out")
    config = write_config(tmp_path, *devices, server_url=server.url)
    assert wms_devices("pair", CODE, server.url, "--config", config).returncode == 0
    try:
        with GatewayProcess(config) as gateway:
            wait_until(lambda: gateway.state_of("printer1") == "degraded" and gateway.state_of("printer2") == "ready")
            for number in range(3):
                server.order(print_command(str(number), zpl_label(number), "printer1", "zpl"))
            wait_until(lambda: len(verified(config)) == 3)
            machines[0].control(mend=True)
            wait_until(lambda: gateway.state_of("printer1") == "ready")
            time.sleep(0.5)
            assert {event["printer"] for event in verified(config)} == {"printer2"}
        reports = [machine.control(report=True) for machine in machines]
        assert [len(report["labels"]) for report in reports] == [0, 3]
    finally:
        for machine in machines:
            machine.stop()
        server.stop()


def verified(config: Path) -> list[dict[str, Any]]:
    return [event for event in events_of(config, "print") if event["state"] == "verified"]


def test_a_failover_job_keeps_its_bytes(bench: Bench) -> None:
    content = zpl_label(9)
    bench.spool.take(job_of(print_command("a", content, language="zpl")))
    taken = bench.spool.take_over("printer2", ["printer1"], "zpl")
    assert taken is not None
    assert taken.content == content
