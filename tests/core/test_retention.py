"""What is kept and for how long: answered requests a month, delivered facts a week, undelivered ones for ever."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select

from tests.builders import MORNING
from wms.core import retention
from wms.core.db import Database
from wms.core.tables import OutboxRow, RequestRow


def request(name: str, days: float) -> RequestRow:
    at = MORNING - timedelta(days=days)
    return RequestRow(
        actor="person:1", request_id=name, warehouse_id=1, fingerprint="f", status=200, answer="{}", answered_at=at
    )


def fact(topic: str, sent_days_ago: float | None) -> OutboxRow:
    sent_at = None if sent_days_ago is None else MORNING - timedelta(days=sent_days_ago)
    return OutboxRow(
        warehouse_id=1,
        topic=topic,
        aggregate=topic,
        facts={},
        written_at=MORNING - timedelta(days=99),
        attempts=1,
        sent_at=sent_at,
    )


def test_requests_are_forgotten_after_thirty_days(database: Database) -> None:
    database.transact(lambda session: session.add_all([request("new", 29.9), request("old", 30.1)]))
    assert database.transact(lambda session: retention.forget_requests(session, MORNING)) == 1
    assert database.read(lambda session: session.scalars(select(RequestRow.request_id)).all()) == ["new"]


def test_delivered_facts_are_forgotten_after_a_week_and_open_ones_never(database: Database) -> None:
    kept = {"new": 6.9, "old": 7.1, "open": None}
    database.transact(lambda session: session.add_all([fact(topic, days) for topic, days in kept.items()]))
    assert database.transact(lambda session: retention.forget_sent(session, MORNING)) == 1
    assert set(database.read(lambda session: session.scalars(select(OutboxRow.topic)).all())) == {"new", "open"}


def test_much_is_forgotten_a_bite_at_a_time(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "ROWS_MAX", 3)
    database.transact(lambda session: session.add_all([request(f"r{number}", 40) for number in range(5)]))
    bites = [database.transact(lambda session: retention.forget_requests(session, MORNING)) for _ in range(3)]
    assert bites == [3, 2, 0]
