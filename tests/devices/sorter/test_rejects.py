"""A rejected parcel is explained when the station's own book tells how it ended, and why it was sent there."""

from __future__ import annotations

import pytest

from devices.accept.rejects import explain
from devices.simulators.sorter_belt import Discharge


def left(pid: int, result: str, reason: str = "") -> Discharge:
    return Discharge(pid, ("SF1",), 0, result, 1, reason, None)


def test_rejects_are_counted_by_what_became_of_them() -> None:
    parcels = [left(1, "OK", "ROUTE"), left(2, "LOST"), left(3, "REJ", "STALE"), left(4, "LATE"), left(5, "LOST")]
    told: dict[object, object] = {parcel.pid: parcel.result for parcel in parcels}
    found = explain(parcels, told, {1: "ROUTE", 3: "STALE"})
    assert (found.because, found.unexplained) == ({"LOST": 2, "REJ STALE": 1, "LATE": 1}, 0)


@pytest.mark.parametrize(
    ("results", "reasons"),
    [({}, {}), ({1: "REJ"}, {}), ({1: "REJ"}, {1: "UNKNOWN"}), ({1: "OK"}, {1: "STALE"})],
    ids=["nothing is told", "no divert", "another reason", "another end"],
)
def test_a_reject_of_which_the_book_tells_something_else_is_unexplained(
    results: dict[object, object], reasons: dict[object, object]
) -> None:
    assert explain([left(1, "REJ", "STALE")], results, reasons).unexplained == 1
