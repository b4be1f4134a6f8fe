"""`wms-devices accept` in short: a real gateway process, a paced pseudo-terminal, and the faults of the station.

The figures over thousands of parcels are taken by hand, on a machine that does nothing else; here only promises count.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from devices.accept import main
from devices.accept.trial import percentile


def accept(*arguments: str) -> tuple[int, dict[str, object]]:
    """Exit code and report."""
    command = [sys.executable, "-m", "devices", "accept", "--json", "--seed", "7", *arguments]
    run = subprocess.run(command, capture_output=True, timeout=300, check=False)
    assert run.stdout, run.stderr.decode()
    report: dict[str, object] = json.loads(run.stdout)
    return run.returncode, report


@pytest.mark.parametrize(
    ("parcels", "arguments"),
    [
        ("100", ["--faults", "flip=0.0001,drop=0.005,kill=2"]),
        ("80", ["--faults", "disk_full=1.5:3,clockstep=3600:2"]),
        ("80", ["--faults", "wms_down=1.5:3"]),
        ("80", ["--tcp", "--faults", "unplug=0.5:3"]),
    ],
    ids=["killed on a bad cable", "full disk and jumping clocks", "server away", "unplugged tcp"],
)
def test_no_parcel_goes_wrong_and_no_confirmation_is_lost(parcels: str, arguments: list[str]) -> None:
    code, report = accept("--parcels", parcels, "--rate", "60000", *arguments)
    assert (code, report["wrong_diverts"], report["confirms_lost"], report["booked_twice"]) == (0, 0, 0, 0), report
    assert int(str(report["sorted"])) + int(str(report["rejected"])) == int(parcels)
    assert {"p50_ms", "p99_ms", "p999_ms"} <= report.keys()


@pytest.mark.parametrize(
    "arguments", [["--faults", "flop=1"], ["--parcels", "0"], ["--rate", "-5"], ["--faults", "unplug=9:3"]]
)
def test_a_wish_that_cannot_be_is_one_clear_line_and_exit_code_2(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_a_percentile_is_a_value_that_was_seen() -> None:
    values = [float(number) for number in range(1, 1001)]
    assert [percentile(values, share) for share in (0.5, 0.99, 0.999)] == [500.0, 990.0, 999.0]
    assert percentile([7.0], 0.999) == 7.0
    assert percentile([], 0.5) is None
