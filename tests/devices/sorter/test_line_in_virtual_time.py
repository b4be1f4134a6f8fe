"""Whole shifts of a sorting line with every fault of the page: nothing goes wrong, nothing is lost, nothing twice."""

from __future__ import annotations

import pytest

from devices.accept.trial import percentile
from devices.accept.virtual_line import VirtualLine


def assert_every_parcel_is_booked_once_as_it_ended(line: VirtualLine, parcels: int) -> None:
    ended = [(parcel.pid, parcel.chute, parcel.result) for parcel in line.belt.discharges]
    assert len(ended) == parcels
    assert sorted(map(str, line.booked())) == sorted(map(str, ended))
    assert not line.memory.unacknowledged
    assert [parcel for parcel in line.belt.discharges if line.plan.is_wrong(parcel)] == []


def test_on_a_good_cable_every_parcel_is_sorted_in_its_first_lap() -> None:
    line = VirtualLine()
    ends = line.run(300)
    assert {parcel.result for parcel in ends} == {"OK"}
    assert {parcel.lap for parcel in ends} == {0}
    assert_every_parcel_is_booked_once_as_it_ended(line, 300)


def test_the_cable_alone_takes_what_the_page_says() -> None:
    """73 bytes of REQ and 45 of RES at 115,200 baud are 10.2 ms; nothing else may be in the median."""
    line = VirtualLine()
    line.run(200, per_hour=20_000)
    median = percentile(sorted(line.belt.latencies_ms), 0.5)
    assert median is not None
    assert 9.0 < median < 13.0


def test_half_a_percent_of_chunks_lost_and_bits_flipped_costs_at_most_a_repeat() -> None:
    line = VirtualLine("flip=0.0001,drop=0.005", seed=5)
    line.run(1000)
    assert_every_parcel_is_booked_once_as_it_ended(line, 1000)
    latencies = sorted(line.belt.latencies_ms)
    for share, most_ms in ((0.5, 15.0), (0.99, 50.0), (0.999, 100.0)):
        figure = percentile(latencies, share)
        assert figure is not None
        assert figure <= most_ms
    assert sum(parcel.result != "OK" for parcel in line.belt.discharges) <= 5


@pytest.mark.parametrize(
    "faults",
    ["flip=0.001", "drop=0.02,dup=0.02", "delay=0.05:0.05", "flip=0.001,drop=0.02,dup=0.02,delay=0.02:0.05"],
)
def test_a_cable_far_worse_than_any_real_one_misleads_nobody(faults: str) -> None:
    line = VirtualLine(faults, seed=11)
    line.run(250, per_hour=30_000)
    assert_every_parcel_is_booked_once_as_it_ended(line, 250)


def test_a_gateway_killed_again_and_again_loses_no_confirmation() -> None:
    line = VirtualLine("drop=0.005", seed=3)
    for number in range(40):
        line.at(1.0 + number * 0.437, line.kill_gateway)
    line.run(250)
    assert_every_parcel_is_booked_once_as_it_ended(line, 250)


def test_a_cable_pulled_out_again_and_again_loses_no_confirmation() -> None:
    line = VirtualLine("drop=0.005", seed=4)
    for number in range(6):
        line.at(1.5 + number * 2.3, lambda: line.cut_cable(1.0))
    line.run(250)
    assert_every_parcel_is_booked_once_as_it_ended(line, 250)


def test_a_plc_that_reboots_gives_up_what_was_on_the_line_and_tells_of_all_else() -> None:
    line = VirtualLine("drop=0.005", seed=6)
    for number in range(4):
        line.at(2.0 + number * 4.1, lambda: line.reboot_plc(0.7))
    line.run(250)
    assert_every_parcel_is_booked_once_as_it_ended(line, 250)
    assert sum(parcel.result == "LOST" for parcel in line.belt.discharges) > 0


def test_a_full_disk_holds_confirmations_back_until_there_is_room_and_routes_go_on() -> None:
    line = VirtualLine(seed=8)

    def fill() -> None:
        line.disk_full = True

    def empty() -> None:
        line.disk_full = False

    line.at(2.0, fill)
    line.at(9.0, empty)
    ends = line.run(250)
    assert_every_parcel_is_booked_once_as_it_ended(line, 250)
    assert {parcel.result for parcel in ends} == {"OK"}
    assert line.plc.counters["refused_busy"] > 0


def test_full_chutes_send_parcels_to_the_alternate_or_round_and_then_to_reject() -> None:
    line = VirtualLine(seed=9)
    for chute in range(1, 31):
        line.at(0.5, lambda chute=chute: line.plc.set_chute(chute, "FULL"))  # type: ignore[misc]
    ends = line.run(200)
    assert_every_parcel_is_booked_once_as_it_ended(line, 200)
    assert {parcel.result for parcel in ends} == {"OK", "REJ"}
    assert {parcel.reason for parcel in ends} >= {"ROUTE", "ALT", "CLOSED"}


def test_a_chute_that_fills_after_the_answer_sends_the_parcel_round() -> None:
    line = VirtualLine(seed=9)
    for chute in range(1, 61):
        line.at(1.45, lambda chute=chute: line.plc.set_chute(chute, "FULL"))  # type: ignore[misc]
        line.at(2.5, lambda chute=chute: line.plc.set_chute(chute, "OPEN"))  # type: ignore[misc]
    ends = line.run(10)
    assert {(parcel.result, parcel.lap) for parcel in ends if parcel.reason == "ROUTE"} >= {("OK", 1)}
    assert_every_parcel_is_booked_once_as_it_ended(line, 10)


def test_with_nobody_at_the_other_end_parcels_go_round_once_and_then_to_reject_as_late() -> None:
    line = VirtualLine()
    line.at(0.9, lambda: line.cut_cable(30.0))
    ends = line.run(20)
    assert {(parcel.chute, parcel.result, parcel.lap) for parcel in ends} == {(0, "LATE", 1)}
    assert_every_parcel_is_booked_once_as_it_ended(line, 20)


def test_one_seed_is_one_course_of_events() -> None:
    runs = [VirtualLine("flip=0.001,drop=0.01", seed=2).run(60) for _ in range(2)]
    told = [[(parcel.codes, parcel.chute, parcel.result) for parcel in run] for run in runs]
    assert told[0] == told[1]
