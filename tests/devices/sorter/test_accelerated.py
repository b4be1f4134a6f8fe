"""`wms-devices accept --accelerated`: a small one here, the million by the command."""

from __future__ import annotations

import json

import pytest

from devices.accept import accelerated
from devices.accept.accelerated import AcceleratedReport, count, shift
from devices.accept.virtual_line import VirtualLine
from devices.errors import ConfigError
from tests.devices.processes import wms_devices

FAULTS = "flip=0.0005,drop=0.01,dup=0.01,kill=7,unplug=1:11,reboot=1:19,disk_full=2:13,clockstep=3600:5"


def test_a_shift_with_every_fault_breaks_no_promise() -> None:
    report = shift((200, 3), rate=15_000, faults=FAULTS)
    assert report.holds(), report
    assert report.results["LOST"] > 0, "no reboot hit a parcel"
    assert sum(report.rejected_because.values()) == report.rejected


def test_a_shift_is_the_same_for_one_seed() -> None:
    assert shift((60, 4), rate=30_000, faults=FAULTS) == shift((60, 4), rate=30_000, faults=FAULTS)


def test_the_count_sees_wrong_diverts() -> None:
    """The gateway's table names the chute beside the right one."""
    line = VirtualLine(seed=5)
    chutes = {code: int(chute.split("/")[0]) for code, (chute, _) in line.plan.rows.items()}
    beside = [{"code": code, "chute": str(chute % 60 + 1)} for code, chute in chutes.items()]
    line.routes.apply({"version": 2, "full": True, "changes": beside}, line.now_s)
    line.run(50)
    report = count(line, 50)
    assert report.wrong_diverts > 30
    assert not report.holds()


@pytest.mark.parametrize("broken", ["wrong_diverts", "confirms_lost", "booked_twice", "unacknowledged", "unexplained"])
def test_any_broken_promise_fails_the_run(broken: str) -> None:
    report = AcceleratedReport(parcels=2, sorted=2)
    assert report.holds()
    setattr(report, broken, 1)
    assert not report.holds()
    assert not AcceleratedReport(parcels=3, sorted=2).holds()


def test_a_fault_without_virtual_time_is_refused() -> None:
    with pytest.raises(ConfigError, match="wms_down"):
        accelerated.run(10, 1000, "wms_down=1:10", 1)


def test_shifts_are_run_on_all_cores_and_added_up() -> None:
    report = accelerated.run(70, 60_000, "", 8, shift_parcels=30)
    assert (report.parcels, report.sorted, report.wrong_diverts, report.scans) == (70, 70, 0, 70)


def test_the_command_reports_as_json() -> None:
    done = wms_devices("accept", "--accelerated", "--parcels", "40", "--rate", "60000", "--json", "--seed", "8")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["parcels"], report["sorted"], report["wrong_diverts"]) == (40, 40, 0)
