"""A real server is restored from a backup under a real gateway: it gets again what it forgot, and nothing twice."""

from __future__ import annotations

import contextlib
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park
from tests.devices.labels import escpos_label
from tests.devices.processes import GatewayProcess, MachineProcess, wait_until, wms_devices, write_config
from wms import backups
from wms.core.db import Database
from wms.exchange.gateways import service as gateways
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import PrintRequest
from wms.site.tables import Station
from wms.sorting.tables import Gateway

START_S = 180
ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Below those that the system gives away by itself, so that nobody gets it between two starts."""
    for port in random.sample(range(20_000, 32_000), 100):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("a hundred ports are taken")


class Server:
    """`wms serve` on a port that it keeps over restarts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.port = free_port()
        self.said: list[str] = []
        self.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        words = [sys.executable, "-m", "wms.cli", "serve", "--port", str(self.port), "--db", str(self.path)]
        self.process = subprocess.Popen(words, stderr=subprocess.PIPE, text=True, cwd=ROOT)
        listening = threading.Event()
        threading.Thread(target=self._listen, args=(listening,), daemon=True).start()
        assert listening.wait(START_S), self.said

    def _listen(self, listening: threading.Event) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line)
            if re.search(r"at http://", line):
                listening.set()

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(START_S)


@pytest.fixture
def park(migrated: Path, tmp_path: Path) -> Iterator[Park]:
    url = f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'park.db')}"
    database = Database.open(url)
    yield a_park(database)
    database.dispose()


@pytest.fixture
def server(park: Park, tmp_path: Path) -> Iterator[Server]:
    running = Server(tmp_path / "park.db")
    yield running
    running.stop()


@pytest.fixture
def printer(tmp_path: Path) -> Iterator[MachineProcess]:
    with MachineProcess("printer", "--tcp", "0", "--out", tmp_path / "labels", "--speed", "0") as running:
        yield running


def a_job(park: Park, key: str, number: int) -> int:
    def queue(call: Any) -> int:
        station_id = call.session.scalars(select(Station.id).where(Station.code == "PK-01")).one()
        content = escpos_label(number)
        return printing.queue(call, PrintRequest(key, station_id, "waybill", key, "100x180", "escpos", content))

    return park.act(queue)


def states(park: Park) -> dict[str, str]:
    query = select(PrintJob.job_key, PrintJob.state)
    return {row.job_key: row.state for row in park.read(lambda session: session.execute(query).all())}


def mark(park: Park) -> int:
    return int(park.read(lambda session: session.scalars(select(Gateway.high_water)).one()))


def labels(folder: Path) -> int:
    return len(list((folder / "labels").glob("*.png")))


def test_a_label_printed_after_the_backup_is_not_printed_again_and_its_fate_is_learned(
    park: Park, server: Server, printer: MachineProcess, tmp_path: Path
) -> None:
    code = park.act(lambda call: gateways.invite(call, station_code="PK-01", name="station"))
    device = {"name": "printer1", "driver": "printer_escpos", "url": printer.ready["url"]}
    config = write_config(tmp_path, device, server_url=server.url)
    paired = wms_devices("pair", code, server.url, "--config", config)
    assert paired.returncode == 0, paired.stderr
    a_job(park, "before", 1)
    backups.back_up(park.database.url, tmp_path / "backup")
    with GatewayProcess(config):
        wait_until(lambda: states(park) == {"before": "verified"}, 30, "the label on paper")
        a_job(park, "after", 2)
        wait_until(lambda: states(park)["after"] == "verified", 30, "the second label on paper")
        told = mark(park)
        server.stop()
        park.database.dispose()
        backups.restore(tmp_path / "backup", park.database.url, replace=True)
        assert states(park) == {"before": "queued"}
        server.start()
        wait_until(lambda: mark(park) >= told, 60, "everything told again")
        assert states(park) == {"before": "verified"}
        a_job(park, "new", 3)
        wait_until(lambda: states(park).get("new") == "verified", 30, "the next label, under a number of its own")
    assert labels(tmp_path) == 3
