"""Waybill numbers: never twice, never a gap, given back when nothing came of it."""

from __future__ import annotations

from functools import partial

import pytest
from sqlalchemy import delete, select, update

from tests.builders import a_merchant, at_once
from tests.inbound.dock import refusal
from tests.shipping.dock import FIRST, Dock, a_dock, labelled, packed, parcel, stop
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.tables import OutboxRow
from wms.shipping import couriers, service
from wms.shipping.tables import Waybill, WaybillPool
from wms.shipping.values import ParcelToLabel

PACKERS = 16


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Dock:
    return a_dock(sqlite_database)


def take(call: Call, merchant_id: int = 1, courier: str = "YD") -> str:
    return service.POOL.take(call, ParcelToLabel(1, courier, merchant_id, "330106", 500)).number


def take_some(dock: Dock, times: int, spoil: int) -> list[str]:
    """Numbers taken in transactions of their own; every `spoil`-th is rolled back."""
    kept = []
    for turn in range(times):
        try:
            kept.append(dock.park.act(partial(take_or_spoil, gone_wrong=turn % spoil == spoil - 1)))
        except KeyError:
            continue
    return kept


def take_or_spoil(call: Call, gone_wrong: bool) -> str:
    number = take(call)
    if gone_wrong:
        raise KeyError("the printer caught fire")
    return number


def test_sixteen_packers_never_get_one_number_and_leave_no_gap(dock: Dock) -> None:
    """Every fifth packing fails after it took its number: the number goes to the next one."""
    times = 125 if dock.park.database.is_sqlite else 40
    dock.park.act(lambda call: couriers.add_pool(call, courier="YD", first=FIRST + 1_000, last=FIRST + 9_999))
    answers = at_once([partial(take_some, dock, times, 5) for _ in range(PACKERS)])
    numbers = sorted(int(number) for some in answers if not isinstance(some, Refused) for number in some)
    assert len(numbers) == PACKERS * times * 4 // 5
    assert numbers == list(range(FIRST, FIRST + len(numbers)))


def test_an_empty_range_leads_to_the_next_one_and_then_to_a_no(dock: Dock) -> None:
    dock.park.act(lambda call: couriers.add_pool(call, courier="ZT", first=1, last=3, prefix="NEW"))
    dock.park.act(
        lambda call: call.session.execute(
            update(WaybillPool).where(WaybillPool.prefix == "ZT").values(next=WaybillPool.last)
        )
    )
    answers = at_once([partial(dock.park.act, lambda call: take(call, courier="ZT")) for _ in range(6)])
    taken = sorted(answer for answer in answers if isinstance(answer, str))
    assert taken == ["NEW1", "NEW2", "NEW3", f"ZT{FIRST + 999}"]
    assert [no.reason for no in answers if isinstance(no, Refused)] == [Reason.WAYBILL_POOL_EMPTY] * 2


def test_a_merchants_own_range_comes_first(quick: Dock) -> None:
    other = quick.park.act(lambda call: a_merchant(call, "M9"))
    quick.park.act(lambda call: couriers.add_pool(call, courier="YD", first=7, last=8, prefix="OWN", merchant_id=other))
    assert [quick.park.act(lambda call: take(call, other)) for _ in range(3)] == ["OWN7", "OWN8", str(FIRST)]
    assert quick.park.act(take) == str(FIRST + 1)


def test_the_low_mark_is_told_once(quick: Dock) -> None:
    quick.park.act(lambda call: couriers.add_pool(call, courier="YD", first=0, last=104, prefix="LOW"))
    quick.park.act(lambda call: [take(call) for _ in range(10)])
    told = quick.park.read(
        lambda session: session.scalars(select(OutboxRow).where(OutboxRow.topic == "waybills.low")).all()
    )
    assert [row.facts["left"] for row in told] == [100]


@pytest.mark.parametrize(("first", "last"), [(5, 4), (-1, 4), (FIRST + 999, FIRST + 2_000)])
def test_ranges_never_overlap(quick: Dock, first: int, last: int) -> None:
    add = lambda call: couriers.add_pool(call, courier="YD", first=first, last=last)  # noqa: E731
    assert refusal(lambda: quick.park.act(add)) is Reason.BAD_INPUT


def test_a_parcel_is_numbered_once(dock: Dock) -> None:
    parcel_id = packed(dock)
    label = lambda call: service.label_parcel(call, parcel_id)  # noqa: E731
    answers = at_once([partial(dock.park.act, label) for _ in range(4)])
    assert len({str(answer) for answer in answers}) == 1
    assert len(dock.park.read(lambda session: session.scalars(select(Waybill.id)).all())) == 1
    told = dock.park.read(
        lambda session: session.scalars(select(OutboxRow).where(OutboxRow.topic == "parcel.labelled")).all()
    )
    assert len(told) == 1
    found = parcel(dock, parcel_id)
    assert (found.state, found.waybill, found.route_code, found.hub) == ("labelled", str(FIRST), "330-02", "杭州")


def test_without_a_route_no_number_is_wasted(quick: Dock) -> None:
    from wms.shipping.tables import RouteRule

    parcel_id = packed(quick, area_code="110101")
    quick.park.act(lambda call: call.session.execute(delete(RouteRule).where(RouteRule.match == "")))
    label = lambda call: service.label_parcel(call, parcel_id)  # noqa: E731
    assert refusal(lambda: quick.park.act(label)) is Reason.NO_ROUTE
    assert labelled(quick).waybill == str(FIRST)


def test_a_stopped_order_gets_no_number(quick: Dock) -> None:
    parcel_id = packed(quick)
    stop(quick, parcel(quick, parcel_id).order_id)
    label = lambda call: service.label_parcel(call, parcel_id)  # noqa: E731
    assert refusal(lambda: quick.park.act(label)) is Reason.ORDER_INTERCEPTED


def test_parcels_of_a_stopped_order_are_given_up_and_their_numbers_void(quick: Dock) -> None:
    made = labelled(quick)
    order_id = parcel(quick, made.parcel_id).order_id
    give_up = lambda call: service.cancel_parcels(call, order_id)  # noqa: E731
    assert refusal(lambda: quick.park.act(give_up)) is Reason.ORDER_STATE_WRONG
    stop(quick, order_id)
    assert [quick.park.act(give_up), quick.park.act(give_up)] == [1, 0]
    assert parcel(quick, made.parcel_id).state == "cancelled"
    assert quick.park.read(lambda session: session.scalars(select(Waybill.state)).all()) == ["void"]
    assert labelled(quick).waybill == str(FIRST + 1), "a void number is never used again"
