"""The guide's example driver and its test, taken from the page as they stand, installed and run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from devices.simulators.cable_ends import TcpEnd
from tests.devices.processes import ROOT, WAIT_S, wait_until, write_config

GUIDE = ROOT / "docs" / "guide" / "write-a-driver.md"
ENTRY_POINTS = "[chuwei.drivers]\ngate_counter = gate_counter:GateCounter\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What `pip install .` leaves: the module, and its entry point beside."""
    page = GUIDE.read_text(encoding="utf-8")
    for name in ("gate_counter.py", "test_gate_counter.py"):
        found = re.search(rf"^`{name}`.*?^```python\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)
        assert found is not None, name
        (tmp_path / name).write_text(found[1], encoding="utf-8")
    assert 'gate_counter = "gate_counter:GateCounter"' in page
    installed = tmp_path / "gate_counter-1.0.dist-info"
    installed.mkdir()
    (installed / "METADATA").write_text("Metadata-Version: 2.1\nName: gate-counter\nVersion: 1.0\n")
    (installed / "entry_points.txt").write_text(ENTRY_POINTS)
    return tmp_path


def environment(folder: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{folder}{os.pathsep}{ROOT}", "PYTHONUNBUFFERED": "1"}


def test_the_page_s_test_passes(folder: Path) -> None:
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_gate_counter.py"]
    done = subprocess.run(command, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_a_gateway_finds_the_driver_by_its_entry_point_and_names_its_wrong_keys(folder: Path) -> None:
    machine = TcpEnd(0)
    device = {"name": "gate1", "driver": "gate_counter", "url": machine.shown["url"], "gate": ""}
    config = write_config(folder, device)
    command = [sys.executable, "-m", "devices"]
    refused = subprocess.run(
        [*command, "run", config], cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
    )
    assert refused.returncode == 2
    assert refused.stderr.strip() == f'{config}: [[device]] "gate1": gate must have 1 to 16 characters'
    config = write_config(folder, {**device, "gate": "north"})
    gateway = subprocess.Popen([*command, "run", config], cwd=folder, env=environment(folder), stdout=subprocess.PIPE)
    try:
        end_s = time.monotonic() + WAIT_S
        while time.monotonic() < end_s and machine._connection is None:
            machine.read(0.1)
        machine.write(b"+1\n")

        def events() -> str:
            asked = [*command, "events", str(config)]
            done = subprocess.run(
                asked, cwd=folder, env=environment(folder), capture_output=True, text=True, check=False
            )
            return done.stdout

        wait_until(lambda: "gate1 passed gate=north step=1" in events())
    finally:
        gateway.terminate()
        assert gateway.wait(WAIT_S) == 0
        machine.close()
