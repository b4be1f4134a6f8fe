"""Orders stand in the column of the stage they wait in; the figures count what the rows say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import update

from tests.outbound.orders import allocate, cancel, place
from tests.picking.floor import Floor
from tests.terminal.desk import Desk
from tests.terminal.scene import stocked
from wms.counting.tables import Count, CountLine
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.terminal.queries.day import day_of
from wms.terminal.queries.figures import ACCURACY_LINES_MIN, figures
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.look import Look, look
from wms.terminal.values import CutOff, Figure


def looking(desk: Desk, ask: Any) -> Any:
    def within(session: Any) -> Any:
        return ask(look(session, desk.park.warehouse_id, desk.park.clock.now(), datetime.now(UTC)))

    return desk.park.read(within)


def the_cut_off(desk: Desk) -> CutOff:
    ((row, _),) = looking(desk, flow_of_today).rows
    assert isinstance(row, CutOff)
    return row


def standing(desk: Desk) -> dict[str, int]:
    """Stages with anybody in them."""
    return {stage: count for stage, count in the_cut_off(desk).counts.items() if count}


def figure(desk: Desk, name: str) -> Figure:
    def ask(here: Look) -> list[Figure]:
        flow = flow_of_today(here)
        return figures(here, flow, day_of(here, flow), [])

    found: list[Figure] = looking(desk, ask)
    return next(one for one in found if one.name == name)


def test_an_order_walks_through_the_columns(desk: Desk) -> None:
    nuts, salt = stocked(desk, "NUTS", 5, "A01-05-2A"), stocked(desk, "SALT", 5, "A02-09-1A")
    floor = Floor(desk.park, stocked(desk), nuts, salt)
    place(desk.park, "N1", (floor.tea, 1))
    assert standing(desk) == {"to_allocate": 1}
    allocate(desk.park, "N1")
    assert standing(desk) == {"to_wave": 1}
    floor.release(("N2", [(floor.tea, 2)]))
    assert standing(desk) == {"picking": 2}
    picked = update(Order).where(Order.no == "N2").values(state="picked")
    desk.park.database.transact(lambda session: session.execute(picked))
    assert standing(desk) == {"picking": 1, "packing": 1}


def test_parcels_part_the_packed_orders_into_labels_line_and_truck(desk: Desk) -> None:
    tea = stocked(desk)
    for number, state in enumerate(("packed", "labelled", "bagged"), 1):
        order_id = place(desk.park, f"N{number}", (tea, 1))
        desk.park.database.transact(lambda session, o=order_id, s=state, n=number: _packed(session, desk, o, s, n))  # type: ignore[misc]
    row = the_cut_off(desk)
    assert (row.counts["labelling"], row.counts["sorting"], row.ready, row.total) == (1, 1, 1, 3)
    assert row.open == 2


def _packed(session: Any, desk: Desk, order_id: int, state: str, number: int) -> None:
    session.execute(update(Order).where(Order.id == order_id).values(state="packed", packed_at=desk.park.clock.now()))
    session.add(
        Parcel(
            warehouse_id=desk.park.warehouse_id,
            merchant_id=1,
            order_id=order_id,
            number=1,
            code=f"P{number}",
            place_id=number,
            state=state,
            courier="YD",
            made_at=desk.park.clock.now(),
        )
    )


def test_stopped_and_cancelled_orders_are_in_no_column(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    tea = stocked(desk, quantity=1)
    for no in ("N1", "N2", "N3"):
        place(desk.park, no, (tea, 1))
    allocate(desk.park, "N1")
    allocate(desk.park, "N2")
    cancel(desk.park, "N3")
    row = the_cut_off(desk)
    assert (standing(desk), row.short, row.total, row.open) == ({"to_allocate": 1, "to_wave": 1}, 1, 2, 1)


def test_what_was_never_measured_is_said_not_shown_as_zero(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    names = ("on_time", "walk", "wrong", "accuracy")
    assert [figure(desk, name).value for name in names] == [None] * len(names)
    assert figure(desk, "shipped").value == "0"


def test_a_handful_of_counted_lines_is_no_figure_of_accuracy(sqlite_desk: Desk) -> None:
    counted(sqlite_desk, right=ACCURACY_LINES_MIN - 2, wrong=1)
    few = figure(sqlite_desk, "accuracy")
    assert (few.value, few.priority, few.note.facts) == (None, 0, {"lines": str(ACCURACY_LINES_MIN - 1)})
    counted(sqlite_desk, right=1, wrong=0)
    enough = figure(sqlite_desk, "accuracy")
    assert (enough.value, enough.priority) == ("95.00", 2)


def counted(desk: Desk, *, right: int, wrong: int) -> None:
    """A count of so many lines."""
    park, now = desk.park, desk.park.clock.now()
    home = park.warehouse_id

    def enter(session: Any) -> None:
        count = Count(warehouse_id=home, slot_id=1, state="closed", reason="asked", made_at=now, counted_at=now)
        session.add(count)
        session.flush()
        line = {"warehouse_id": home, "merchant_id": 1, "count_id": count.id, "sku_id": 1, "lot_id": 1}
        for number in range(right + wrong):
            session.add(CountLine(**line, condition="good", expected=3, counted=3 if number < right else 2))

    park.database.transact(enter)


def test_on_time_is_judged_once_the_cut_off_has_passed(desk: Desk) -> None:
    tea = stocked(desk)
    for no in ("N1", "N2", "N3", "N4"):
        place(desk.park, no, (tea, 1))
    cut_off = the_cut_off(desk).at
    for no, minutes in (("N1", -5), ("N2", -1), ("N3", 5)):
        gone = {"state": "shipped", "shipped_at": cut_off + timedelta(minutes=minutes)}
        desk.park.database.transact(
            lambda session, no=no, gone=gone: session.execute(update(Order).where(Order.no == no).values(**gone))  # type: ignore[misc]
        )
    assert figure(desk, "on_time").value is None
    desk.park.clock.at = cut_off + timedelta(minutes=10)
    on_time = figure(desk, "on_time")
    assert (on_time.value, on_time.priority) == ("50.0", 2)
