"""Orders are gathered into waves and released."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import MORNING, Park, a_park, a_sku, stock_in
from tests.outbound.orders import an_order, order
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.tables import OutboxRow
from wms.outbound import queries, service
from wms.outbound.values import OrderState, WaveKind, WaveState


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def tea(park: Park) -> SkuFacts:
    def make(call: Call) -> SkuFacts:
        sku = a_sku(call, "TEA")
        stock_in(call, sku, "A01-01-1A", 50)
        return sku

    return park.act(make)


@pytest.fixture
def nuts(park: Park) -> SkuFacts:
    def make(call: Call) -> SkuFacts:
        sku = a_sku(call, "NUTS")
        stock_in(call, sku, "A01-02-1A", 50)
        return sku

    return park.act(make)


def allocated(park: Park, no: str, *lines: tuple[SkuFacts, int], courier: str = "YD") -> None:
    park.act(lambda call: an_order(call, no, *lines, courier=courier))
    park.act(lambda call: service.allocate(call, no))


def waves(park: Park) -> list[queries.WaveFacts]:
    return park.read(lambda session: queries.waves(session, park.warehouse_id))


def test_allocated_orders_are_gathered_by_courier_and_kind(park: Park, tea: SkuFacts, nuts: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    allocated(park, "A-2", (tea, 1), (nuts, 1))
    allocated(park, "A-3", (nuts, 2), courier="ZT")
    park.act(lambda call: an_order(call, "unpromised", (tea, 1)))
    assert park.act(service.make_waves) == ["W261107-001", "W261107-002", "W261107-003"]
    assert [(wave.courier, wave.kind, wave.orders) for wave in waves(park)] == [
        ("YD", WaveKind.SINGLE, 1),
        ("YD", WaveKind.MULTI, 1),
        ("ZT", WaveKind.SINGLE, 1),
    ]
    assert order(park, "unpromised").wave_id is None


def test_an_order_is_gathered_once_and_numbers_go_on(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    park.act(service.make_waves)
    assert park.act(service.make_waves) == []
    allocated(park, "A-2", (tea, 1))
    assert park.act(service.make_waves) == ["W261107-002"]


def test_only_orders_due_by_then_are_gathered(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    assert park.act(lambda call: service.make_waves(call, MORNING + timedelta(hours=7))) == []
    assert len(park.act(lambda call: service.make_waves(call, MORNING + timedelta(hours=8)))) == 1


def test_orders_of_one_content_get_a_hot_wave_of_their_own(park: Park, tea: SkuFacts, nuts: SkuFacts) -> None:
    for number in range(3):
        allocated(park, f"H-{number}", (nuts, 1), (tea, 2))
    allocated(park, "A-1", (tea, 1))
    park.act(lambda call: service.make_waves(call, hot_from=3))
    assert {(wave.kind, wave.orders) for wave in waves(park)} == {("hot", 3), ("single", 1)}


def test_two_lines_of_one_sku_are_one_content(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1), (tea, 1))
    park.act(service.make_waves)
    assert [wave.kind for wave in waves(park)] == [WaveKind.SINGLE]


def test_a_released_wave_takes_its_orders_along_and_says_so(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    (no,) = park.act(service.make_waves)
    assert park.act(lambda call: service.release_wave(call, no)) == 1
    assert order(park, "A-1").state is OrderState.RELEASED
    wave = park.read(lambda session: queries.wave_by_no(session, park.warehouse_id, no))
    assert (wave.state, wave.released_at) == (WaveState.RELEASED, MORNING)
    rows = park.read(lambda session: session.scalars(select(OutboxRow)).all())
    assert [(row.topic, row.facts) for row in rows] == [("wave.released", {"wave": no, "orders": 1})]


def test_a_wave_is_released_once(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    (no,) = park.act(service.make_waves)
    park.act(lambda call: service.release_wave(call, no))
    with pytest.raises(Refused) as refusal:
        park.act(lambda call: service.release_wave(call, no))
    assert refusal.value.reason is Reason.WAVE_STATE_WRONG


def test_an_unknown_wave_is_refused(park: Park) -> None:
    with pytest.raises(Refused) as refusal:
        park.act(lambda call: service.release_wave(call, "W-0"))
    assert refusal.value.reason is Reason.WAVE_UNKNOWN


def test_a_wave_whose_orders_were_all_cancelled_is_closed(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    (no,) = park.act(service.make_waves)
    park.act(lambda call: service.cancel_order(call, "A-1"))
    assert park.act(lambda call: service.release_wave(call, no)) == 0
    assert [wave.state for wave in waves(park)] == [WaveState.CANCELLED]


def test_a_cancelled_draft_gives_its_orders_to_the_next_wave(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    (no,) = park.act(service.make_waves)
    park.act(lambda call: service.cancel_wave(call, no))
    assert park.act(service.make_waves) == ["W261107-002"]


def test_a_wave_being_planned_is_left_alone_until_the_planner_gives_up(park: Park, tea: SkuFacts) -> None:
    allocated(park, "A-1", (tea, 1))
    (no,) = park.act(service.make_waves)
    park.act(lambda call: service.begin_planning(call, no))
    with pytest.raises(Refused):
        park.act(lambda call: service.cancel_wave(call, no))
    with pytest.raises(Refused):
        park.act(lambda call: service.begin_planning(call, no))
    park.act(lambda call: service.stop_planning(call, no))
    park.act(lambda call: service.cancel_wave(call, no))
