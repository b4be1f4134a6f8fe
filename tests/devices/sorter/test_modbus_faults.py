"""Modbus with reboots, kills, a full disk and calls that fail: no confirmation is lost, none booked twice."""

from __future__ import annotations

import pytest

from tests.devices.sorter.modbus_bench import RoughLine

PARCELS = 60
ROWS = {f"SF{number}": str(1 + number % 20) for number in range(50)}
# (chance at each parcel, what happens)
HAPPENS = ((0.04, "reboot"), (0.06, "kill"), (0.08, "unplug"), (0.10, "disk"))


def something(line: RoughLine) -> None:
    drawn = line.chance.random()
    what = next((name for share, name in HAPPENS if drawn < share), "")
    if what == "reboot" and line.plc.powered:
        line.plc.power_off()
        line.turn(line.chance.uniform(0.1, 2.5))
        line.plc.power_on(line.now_s)
    elif what == "kill":
        line.kill()
    elif what == "unplug":
        line.connected = not line.connected
    elif what == "disk":
        line.disk_full = not line.disk_full


@pytest.mark.parametrize("fails", [0.0, 0.002, 0.01])
@pytest.mark.parametrize("seed", range(2))
def test_reboots_of_the_plc_lose_no_confirmation(seed: int, fails: float) -> None:
    line = RoughLine(ROWS, seed=seed, fails=fails)
    line.turn(0.2)
    for _ in range(PARCELS):
        line.offer(f"SF{line.chance.randrange(50)}")
        line.turn(line.chance.uniform(0.1, 0.4))
        something(line)
    line.calm()
    line.turn(12.0)
    assert len(line.ended()) == PARCELS
    assert sorted(map(str, line.booked())) == sorted(map(str, line.ended()))
    wrong = [parcel for parcel in line.belt.discharges if parcel.chute and str(parcel.chute) != ROWS[parcel.codes[0]]]
    assert (wrong, line.memory.unacknowledged) == ([], {})
    results = {result for _, _, result in line.ended()}
    assert {"OK", "LOST"} <= results, "no reboot hit a parcel"
