"""A statement that is run again and again is compiled once, and says and does the same as before."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import bindparam, insert, select, tuple_, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from wms.core.db import Database
from wms.core.db.prepared import Found, Prepared, prepared
from wms.core.db.tables import table_of
from wms.core.sql import insert_for, touched
from wms.core.tables import OutboxRow, RequestRow

NOW = datetime(2026, 11, 21, 8, 30, tzinfo=UTC)
TIMES = 4  # seen, compiled, run, run

_requests = table_of(RequestRow)
_at = _requests.c.answered_at
_outbox = table_of(OutboxRow)


def request_row(number: int, **more: Any) -> dict[str, Any]:
    row = {"actor": "key:1", "warehouse_id": 1, "fingerprint": "f", "status": 200, "answer": "{}", "answered_at": NOW}
    return {**row, "request_id": f"r{number}", **more}


def outbox_row(number: int) -> dict[str, Any]:
    return {
        "warehouse_id": 1,
        "topic": "t",
        "aggregate": f"a:{number}",
        "facts": {"名": [1, "二"]},
        "written_at": NOW,
    }


def again_and_again(database: Database, ask: Callable[[Session, int], Any]) -> list[Any]:
    return [database.transact(lambda session, turn=turn: ask(session, turn)) for turn in range(TIMES)]  # type: ignore[misc]


def is_prepared(session: Session, statement: Any, values: dict[str, Any]) -> bool:
    return isinstance(session.execute(statement, values), Found)


def test_what_is_run_again_is_compiled_once(database: Database) -> None:
    statement = select(_requests.c.status).where(_requests.c.request_id == bindparam("id"))
    found = again_and_again(database, lambda session, _turn: is_prepared(session, statement, {"id": "x"}))
    assert found == [False, False, True, True]


def test_rows_have_the_types_of_their_columns(database: Database) -> None:
    database.transact(lambda session: session.execute(insert(_outbox), outbox_row(1)))
    statement = select(_outbox.c.facts, _outbox.c.written_at, _outbox.c.sent_at).where(
        _outbox.c.aggregate == bindparam("of"), _outbox.c.topic.in_(["t", "u"])
    )
    rows = again_and_again(database, lambda session, _turn: session.execute(statement, {"of": "a:1"}).one())
    assert {tuple(map(str, row)) for row in rows} == {(str({"名": [1, "二"]}), str(NOW), "None")}
    assert all(row.written_at == NOW and row.facts["名"][1] == "二" for row in rows)


def test_defaults_of_columns_that_were_not_given_are_written(database: Database) -> None:
    statement = insert(_outbox)
    again_and_again(database, lambda session, turn: session.execute(statement, outbox_row(turn)))
    assert database.read(lambda session: session.scalars(select(OutboxRow.attempts)).all()) == [0] * TIMES


def test_a_writing_statement_says_how_many_rows_it_touched(database: Database) -> None:
    database.transact(lambda session: session.execute(insert(_requests), [request_row(1), request_row(2)]))
    statement = update(_requests).where(_requests.c.status == bindparam("was")).values(answer=bindparam("told"))
    counts = again_and_again(
        database, lambda session, turn: touched(session, statement, {"was": 200 + turn % 2, "told": "x"})
    )
    assert counts == [2, 0, 2, 0]


def test_what_an_insert_returns_is_read(database: Database) -> None:
    statement = insert(_outbox).returning(_outbox.c.id)
    ids = again_and_again(database, lambda session, turn: session.execute(statement, outbox_row(turn)).scalar_one())
    assert ids == sorted(set(ids))


def test_many_rows_at_once_are_all_written(database: Database) -> None:
    statement = insert(_requests)
    again_and_again(
        database,
        lambda session, turn: session.execute(statement, [request_row(turn * 10), request_row(turn * 10 + 1)]),
    )
    assert database.read(lambda session: len(session.scalars(select(RequestRow.request_id)).all())) == TIMES * 2


def test_many_rows_that_return_something_go_the_usual_way(database: Database) -> None:
    statement = insert(_outbox).returning(_outbox.c.id)
    again_and_again(database, lambda session, turn: session.execute(statement, outbox_row(turn)).all())
    many = [outbox_row(10), outbox_row(11)]
    assert len(database.transact(lambda session: session.execute(statement, many).all())) == 2


def test_a_broken_rule_is_the_same_error_as_ever(database: Database) -> None:
    statement = insert(_requests)
    database.transact(lambda session: session.execute(statement, request_row(1)))
    for _ in range(TIMES):
        with pytest.raises(IntegrityError):
            database.transact(lambda session: session.execute(statement, request_row(1)))
    assert database.transact(lambda session: session.execute(statement, request_row(2))) is not None


def test_lists_inside_are_written_out_anew_each_time(database: Database) -> None:
    database.transact(lambda session: session.execute(insert(_requests), [request_row(n) for n in range(3)]))
    statement = select(_requests.c.request_id).where(_requests.c.request_id.in_(bindparam("ids", expanding=True)))
    found = again_and_again(
        database, lambda session, turn: len(session.execute(statement, {"ids": [f"r{n}" for n in range(turn)]}).all())
    )
    assert found == [0, 1, 2, 3]


def test_lists_are_compiled_once_for_each_length(database: Database) -> None:
    database.transact(lambda session: session.execute(insert(_requests), [request_row(n) for n in range(9)]))
    statement = select(_requests.c.request_id).where(
        _requests.c.actor == bindparam("by"), _requests.c.request_id.in_(bindparam("ids", expanding=True))
    )

    def ask(session: Session, ids: list[str]) -> tuple[int, bool]:
        found = session.execute(statement, {"ids": ids, "by": "key:1"})
        return len(found.all()), isinstance(found, Found)

    asked = [["r1"], ["r2"], ["r3", "r4"], ["r5", "r5", "nobody"], [], [f"r{n}" for n in range(20)], ["r6"]]
    found = [database.transact(lambda session, ids=ids: ask(session, ids)) for ids in asked]  # type: ignore[misc]
    assert found == [(1, False), (1, False), (2, True), (1, True), (0, False), (9, False), (1, True)]


def test_lists_of_pairs_are_written_out_pair_by_pair(database: Database) -> None:
    database.transact(lambda session: session.execute(insert(_requests), [request_row(n) for n in range(4)]))
    pair = tuple_(_requests.c.actor, _requests.c.request_id)
    statement = select(_requests.c.request_id).where(
        pair.in_(bindparam("pairs", expanding=True)), _requests.c.answered_at == bindparam("at", type_=_at.type)
    )
    asked = {"pairs": [("key:1", "r2"), ("key:2", "r3"), ("key:1", "r0")], "at": NOW}
    found = again_and_again(database, lambda session, _turn: set(session.execute(statement, asked).scalars()))
    assert found == [{"r0", "r2"}] * TIMES
    assert database.transact(lambda session: is_prepared(session, statement, asked))


def test_other_names_than_it_was_compiled_for_go_the_usual_way(database: Database) -> None:
    statement = insert(_outbox)
    again_and_again(database, lambda session, turn: session.execute(statement, outbox_row(turn)))
    tried = {**outbox_row(9), "attempts": 7}
    database.transact(lambda session: session.execute(statement, tried))
    newest = select(OutboxRow.attempts).order_by(OutboxRow.id.desc()).limit(1)
    assert database.read(lambda session: session.scalars(newest).one()) == 7


def test_on_conflict_clauses_work_when_compiled(database: Database) -> None:
    kept: dict[str, Any] = {}

    def keep(session: Session, _turn: int) -> bool:
        fresh = insert_for(session, _requests).on_conflict_do_nothing().returning(_requests.c.request_id)
        return session.execute(kept.setdefault("it", fresh), request_row(1)).first() is not None

    assert again_and_again(database, keep) == [True, False, False, False]


def texts_of(database: Database, statement: Any, values: dict[str, Any]) -> str:
    """What a prepared statement says to the database."""

    def ask(session: Session) -> str:
        for _ in range(2):
            session.execute(statement, values)
        plan = prepared(session.connection(), statement, values)
        assert isinstance(plan, Prepared)
        return plan.text

    return " ".join(database.transact(ask).split())


def test_what_never_changes_stands_in_the_text_and_what_was_given_does_not(database: Database) -> None:
    """A value that is bound again makes SQLite plan anew: for LIMIT, and for whatever a partial index asks."""
    statement = (
        select(_outbox.c.id)
        .where(_outbox.c.warehouse_id > 0, _outbox.c.topic == "sent", _outbox.c.aggregate == bindparam("of"))
        .order_by(_outbox.c.id)
        .limit(1)
    )
    said = texts_of(database, statement, {"of": "a:1"})
    assert "warehouse_id > 0" in said
    assert "topic = 'sent'" in said
    assert "LIMIT 1" in said
    assert "a:1" not in said


@pytest.mark.parametrize(
    "word", ["it's", "a%b", "a%(x)s", "a:b", "a?b", 'a"b', "a\\", "储位", "'; DROP TABLE outbox; --"]
)
def test_words_that_could_mean_something_to_the_database_are_only_words(database: Database, word: str) -> None:
    database.transact(lambda session: session.execute(insert(_outbox), {**outbox_row(1), "topic": word}))
    statement = select(_outbox.c.aggregate).where(_outbox.c.topic == word, _outbox.c.id > bindparam("after"))
    found = again_and_again(database, lambda session, _turn: session.scalars(statement, {"after": 0}).all())
    assert found == [["a:1"]] * TIMES
