"""A code, a station, a chute is found as fast among the rows of years as on the first day.

The rows that are over are written straight into the tables; counted are the steps of SQLite's machine, before it knows
how large its tables are and after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert
from sqlalchemy.orm import Session

from tests import schema
from tests.builders import MORNING, Park, a_park, a_sku, stock_in
from tests.outbound.orders import place
from tests.years import steps
from wms.core import audit_trail
from wms.core.db import Base, Database
from wms.core.db.figures import learn_figures
from wms.core.db.tables import table_of
from wms.core.refusal import Refused
from wms.core.tables import AuditRow
from wms.inbound import queries as inbound
from wms.inbound.tables import Asn
from wms.outbound import queries as outbound
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.people import queries as people
from wms.people.tables import LoginSession
from wms.shipping import papers
from wms.shipping.tables import Bag, Manifest
from wms.site import queries as site
from wms.site.tables import Container, Place
from wms.sorting.service import plans as sort_plans

ROWS = 3_000
STEPS_MORE_MAX = 1.3
STEPS_MIN = 500
FIRST = 10_000_000

Question = Callable[[Park, Session], object]


def _over(park: Park) -> Mapping[type[Base], Mapping[str, Any]]:
    """One row of each kind that is over; `{n}` in a text is its number."""
    here = {"warehouse_id": park.warehouse_id}
    made = {"made_at": MORNING}
    order = park.read(lambda session: outbound.order_by_no(session, park.warehouse_id, "N1"))
    to_customer = {"merchant_id": order.merchant_id, "courier": "YD", "cut_off_at": MORNING, "placed_at": MORNING}
    chain = {"actor": "system", "what": "x", "facts": {}, "previous_hash": "", "hash": "", "at": MORNING}
    long_ago = {"day": date(2025, 1, 1), "number": "{i}"}
    return {
        Place: {**here, "id": "{id}", "kind": "container", "code": "L{n}"},
        Container: {**here, "place_id": "{id}", "kind": "lpn", "code": "L{n}", "state": "void", "positions": 1},
        Asn: {**here, **made, "merchant_id": order.merchant_id, "no": "A{n}", "state": "closed"},
        Order: {**here, **to_customer, "no": "O{n}", "state": "shipped"},
        Parcel: {**here, **made, "merchant_id": order.merchant_id, "order_id": order.id, "number": "{i}"}
        | {
            "code": "P{n}",
            "hub": "杭州",
            "state": "handed_over",
            "manifest_id": 5,
            "place_id": "{id}",
            "courier": "YD",
        },
        Bag: {**here, "code": "G{n}", "courier": "YD", "hub": "杭州", "chute": 3, "state": "handed_over"}
        | {"opened_at": MORNING, "parcels": 9},
        LoginSession: {**here, "person_id": 1, "station_id": 7, "token_hash": "t{n}", "csrf": "c"}
        | {"began_at": MORNING, "seen_at": MORNING, "ended_at": MORNING},
        AuditRow: {**here, **chain, **long_ago},
    }


def _row(row: Mapping[str, Any], number: int) -> dict[str, Any]:
    known = {"{id}": FIRST + number, "{i}": number}
    return {
        name: known[value] if value in ("{id}", "{i}") else value.format(n=number) if isinstance(value, str) else value
        for name, value in row.items()
    }


def years_pass(park: Park) -> None:
    """Three thousand rows of each kind."""

    def write(session: Session) -> None:
        for record, row in over.items():
            session.execute(insert(table_of(record)), [_row(row, number) for number in range(1, ROWS + 1)])

    over = _over(park)
    park.database.transact(write)


def _tote(park: Park, session: Session) -> object:
    return site.find_container(session, park.warehouse_id, None, "T01")


def _order(park: Park, session: Session) -> object:
    return outbound.order_by_no(session, park.warehouse_id, "N1")


def _asn(park: Park, session: Session) -> object:
    try:
        return inbound.asn_by_no(session, park.warehouse_id, "NONE")
    except Refused as no:
        return no


def _arrivals(park: Park, session: Session) -> object:
    return inbound.open_asns(session, park.warehouse_id)


def _at_station(park: Park, session: Session) -> object:
    return people.who_is_at_station(session, 7)


def _manifest(park: Park, session: Session) -> object:
    return papers.rows_of(session, Manifest(id=4, warehouse_id=park.warehouse_id))


def _hanging(park: Park, session: Session) -> object:
    return sort_plans._hanging(session, park.warehouse_id)


def _loads(park: Park, session: Session) -> object:
    return sort_plans.loads_of(session, park.warehouse_id, MORNING + timedelta(days=3))


def _trail(park: Park, session: Session) -> object:
    return list(audit_trail.broken_links(session, 2))


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Steps of each question on the first day, after years, and after years with the tables' sizes known."""
    url = f"sqlite:///{tmp_path_factory.mktemp('codes') / 'park.db'}"
    schema.build(url)
    database = Database.open(url)
    park = a_park(database)
    tea = park.act(lambda call: a_sku(call, "TEA"))
    park.act(lambda call: stock_in(call, tea, "A01-01-1A", 50))
    place(park, "N1", (tea, 1))
    for day in range(3):
        park.clock.at = MORNING + timedelta(days=day)
        park.act(lambda call: audit_trail.note(call, "begun"))
    first_day = _count(park)
    years_pass(park)
    after = [_count(park)]
    assert learn_figures(database)
    after.append(_count(park))
    yield first_day, after
    database.dispose()


QUESTIONS: tuple[Question, ...] = (_tote, _order, _asn, _arrivals, _at_station, _manifest, _hanging, _loads, _trail)


def _count(park: Park) -> dict[Question, int]:
    return {question: max(STEPS_MIN, steps(park, partial(question, park))) for question in QUESTIONS}


@pytest.mark.parametrize("question", QUESTIONS)
def test_what_is_over_costs_nothing(counted: Any, question: Question) -> None:
    first_day, after = counted
    assert [one[question] <= STEPS_MORE_MAX * first_day[question] for one in after] == [True, True], (
        first_day[question],
        [one[question] for one in after],
    )
