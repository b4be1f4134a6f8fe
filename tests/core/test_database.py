"""The unit of work: returning commits, raising rolls back, readers cannot write, the busy are run again."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import DateTime, func, insert, select, text
from sqlalchemy.dialects import sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.orm import Session

from tests.builders import MORNING, at_once
from wms.core.clock import HandClock, ScaledClock
from wms.core.db import Database
from wms.core.db.engine import TRIES_MAX
from wms.core.db.tables import table_of
from wms.core.db.types import UtcDateTime, json_text
from wms.core.i18n import catalogue
from wms.core.i18n import text as words
from wms.core.refusal import Reason, Refused
from wms.core.tables import FileMark, RequestRow
from wms.core.wakes import Wakes


def mark(session: Session, name: str = "a", value: str = "1") -> None:
    session.add(FileMark(name=name, value=value))


def names(database: Database) -> list[str]:
    return list(database.read(lambda session: session.scalars(select(FileMark.name).order_by(FileMark.name)).all()))


def test_returning_commits_and_raising_rolls_back(database: Database) -> None:
    database.transact(mark)

    def broken(session: Session) -> None:
        mark(session, "b")
        session.flush()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.transact(broken)
    assert names(database) == ["a"]


def test_what_was_begun_within_a_unit_of_work_is_taken_back_by_itself(database: Database) -> None:
    marks = table_of(FileMark)

    def lost(session: Session, name: str) -> None:
        with session.begin_nested():
            session.execute(insert(marks), {"name": name, "value": "1"})
            assert session.scalars(select(FileMark.name).where(FileMark.name == name)).all()
            session.execute(insert(marks), {"name": f"{name} too", "value": "1"})
            raise ZeroDivisionError

    def unit(session: Session) -> None:
        session.execute(insert(marks), {"name": "before", "value": "1"})
        for number in range(3):
            with pytest.raises(ZeroDivisionError):
                lost(session, f"lost {number}")
        with session.begin_nested():
            session.execute(insert(marks), {"name": "kept", "value": "1"})
            mark(session, "kept too")
        session.execute(insert(marks), {"name": "last", "value": "1"})

    database.transact(unit)
    assert names(database) == ["before", "kept", "kept too", "last"]


def test_a_reader_cannot_write(database: Database) -> None:
    database.transact(mark)
    with pytest.raises(DBAPIError, match=r"readonly|read-only"):
        database.read(lambda session: session.execute(text("DELETE FROM file_mark")))
    assert names(database) == ["a"]


def test_a_reader_cannot_lock_on_postgresql(pg_url: str) -> None:
    database = Database.open(pg_url)
    database.transact(mark)
    with pytest.raises(DBAPIError, match="read-only"):
        database.read(lambda session: session.scalars(select(FileMark).with_for_update()).all())
    database.dispose()


def test_a_writer_writes_whatever_the_connection_was_told_before(pg_url: str) -> None:
    """A pooler hands a reader's connection to a writer, with what the reader said of it."""
    database = Database.open(pg_url)
    database.transact(lambda session: session.execute(text("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY")))
    database.transact(mark)
    assert names(database) == ["a"]
    database.dispose()


def test_each_statement_of_a_read_stands_for_itself_and_stays_prepared(pg_url: str) -> None:
    database = Database.open(pg_url)
    state = text("SELECT now(), (SELECT count(*) FROM pg_prepared_statements)")
    seen = [database.read(lambda session: [session.execute(state).one() for _ in range(2)]) for _ in range(6)]
    assert all(first[0] < second[0] for first, second in seen), "a transaction's now() is its beginning"
    assert seen[-1][-1][1] > 0
    database.dispose()


def test_a_reader_left_open_blocks_no_writer(database: Database) -> None:
    with Session(database.read_engine) as leaked:
        leaked.execute(select(FileMark)).all()
        database.transact(mark)
    assert names(database) == ["a"]


def test_what_the_database_asks_for_again_is_run_again(database: Database) -> None:
    tries: list[int] = []

    def unlucky(session: Session) -> str:
        tries.append(1)
        mark(session)
        if len(tries) < 3:
            raise OperationalError("x", {}, Exception("database is locked"))
        return "done"

    assert database.transact(unlucky) == "done"
    assert (len(tries), names(database)) == (3, ["a"])


def test_what_stays_busy_is_refused_after_five_tries(database: Database) -> None:
    tries: list[int] = []

    def stuck(session: Session) -> None:
        tries.append(1)
        raise OperationalError("x", {}, Exception("database is locked"))

    with pytest.raises(Refused) as no:
        database.transact(stuck)
    assert no.value.reason is Reason.BUSY
    assert 2 <= len(tries) <= TRIES_MAX


def test_a_full_disk_is_refused_for_later_and_nothing_of_it_stays(sqlite_database: Database) -> None:
    pragma(sqlite_database, "max_page_count=1")  # the file's present size: not a page more

    def write_much(session: Session) -> None:
        for number in range(2_000):
            session.execute(insert(FileMark).values(name=f"mark {number}", value="x" * 500))

    with pytest.raises(Refused) as no:
        sqlite_database.transact(write_much)
    assert (no.value.reason, no.value.reason.status) == (Reason.DISK_FULL, 503)
    pragma(sqlite_database, "max_page_count=1073741823")
    count = select(func.count()).select_from(FileMark)
    assert sqlite_database.read(lambda session: session.scalar(count)) == 0
    sqlite_database.transact(write_much)
    assert sqlite_database.read(lambda session: session.scalar(count)) == 2_000


def pragma(database: Database, words: str) -> None:
    connection = database.write_engine.raw_connection()
    connection.cursor().execute(f"PRAGMA {words}")
    connection.close()


def test_a_broken_constraint_is_not_tried_again(database: Database) -> None:
    tries: list[int] = []

    def wrong(session: Session) -> None:
        tries.append(1)
        mark(session)
        mark(session, value="2")
        session.flush()

    with pytest.raises((IntegrityError, DBAPIError)):
        database.transact(wrong)
    assert len(tries) == 1


def test_who_reads_or_writes_does_not_notice_that_his_session_was_ended(pg_url: str) -> None:
    database, other = Database.open(pg_url), Database.open(pg_url)
    ended: list[str] = []

    def interrupted(session: Session) -> str:
        if not ended:
            session.execute(select(FileMark)).all()
            end_the_others(other)
            ended.append("once")
        return str(session.execute(text("SELECT 'still there'")).scalar_one())

    for ask in (database.read, database.transact):
        ended.clear()
        assert ask(interrupted) == "still there"
    database.dispose()
    other.dispose()


def end_the_others(database: Database) -> None:
    """End every other session of this database, as an administrator, or its restart, does."""
    end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() "
    database.read(lambda session: session.execute(text(end + "AND pid <> pg_backend_pid()")).all())


def test_what_was_prepared_at_the_server_outlives_a_read(pg_url: str) -> None:
    """The driver forgets all of it at a rollback, and every statement would be planned anew for ever."""
    database = Database.open(pg_url)
    ask = select(FileMark.value).where(FileMark.name == "a")
    for _ in range(10):  # it prepares what it has seen five times
        database.read(lambda session: session.execute(ask).all())
    known = database.read(lambda session: session.scalars(text("SELECT statement FROM pg_prepared_statements")).all())
    assert any("file_mark" in one for one in known)
    database.dispose()


def test_a_database_that_is_away_is_busy_and_no_mistake_of_ours(tmp_path: Path) -> None:
    away = Database.open(f"postgresql://nobody@/nothing?host={tmp_path}")
    for ask in (away.read, away.transact):
        with pytest.raises(Refused) as no:
            ask(lambda session: session.execute(text("SELECT 1")))
        assert no.value.reason is Reason.BUSY


def test_many_writers_at_once_all_get_their_turn(database: Database) -> None:
    def add(number: int) -> None:
        database.transact(lambda session: mark(session, f"{number:02d}"))

    at_once([partial(add, number) for number in range(12)])
    assert len(names(database)) == 12


@pytest.mark.parametrize("zone", [UTC, timezone(timedelta(hours=8))])
def test_moments_come_back_as_they_were_in_utc(database: Database, zone: timezone) -> None:
    at = datetime(2026, 11, 7, 8, 30, 15, 123456, tzinfo=zone)
    row = RequestRow(actor="a", request_id="r", warehouse_id=1, fingerprint="", status=1, answer="", answered_at=at)
    database.transact(lambda session: session.add(row))
    found = database.read(lambda session: session.scalars(select(RequestRow.answered_at)).one())
    assert found == at
    assert found.tzinfo is UTC


@pytest.mark.parametrize("microsecond", [0, 67, 123456])
def test_sqlite_is_told_a_moment_in_the_text_it_holds_them_in(microsecond: int) -> None:
    at = datetime(2026, 11, 7, 8, 30, 15, microsecond, tzinfo=timezone(timedelta(hours=8)))
    dialect = sqlite.dialect()
    spelt = DateTime().dialect_impl(dialect).bind_processor(dialect)
    ours = UtcDateTime().dialect_impl(dialect).bind_processor(dialect)
    assert spelt is not None
    assert ours is not None
    assert ours(at) == spelt(at.astimezone(UTC).replace(tzinfo=None))


def test_a_moment_without_a_zone_is_our_mistake(database: Database) -> None:
    naive = MORNING.replace(tzinfo=None)
    row = RequestRow(actor="a", request_id="r", warehouse_id=1, fingerprint="", status=1, answer="", answered_at=naive)
    with pytest.raises(Exception, match="without a zone"):
        database.transact(lambda session: session.add(row))


def test_json_columns_hold_days_and_chinese_as_people_read_them() -> None:
    assert json_text({"到期": date(2026, 12, 24)}) == '{"到期": "2026-12-24"}'


def test_sqlite_keeps_what_it_answered(sqlite_database: Database) -> None:
    pragmas = {
        name: sqlite_database.transact(lambda session, name=name: session.execute(text(f"PRAGMA {name}")).scalar())  # type: ignore[misc]
        for name in ("journal_mode", "synchronous", "foreign_keys")
    }
    assert pragmas == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


def test_a_scaled_clock_runs_ahead_and_a_hand_clock_stands() -> None:
    fast = ScaledClock(MORNING, 3_600.0)
    first = fast.now()
    assert fast.now() >= first >= MORNING
    hand = HandClock(MORNING)
    assert hand.now() == hand.now() == MORNING
    hand.advance(minutes=5)
    assert hand.now() == MORNING + timedelta(minutes=5)


def test_a_wake_between_looking_and_waiting_is_not_lost() -> None:
    wakes = Wakes()
    seen = wakes.seen("routes")
    wakes.wake(["routes", "live"])
    assert wakes.wait("routes", seen, 0)
    assert not wakes.wait("routes", wakes.seen("routes"), 0)
    assert not wakes.wait("commands", wakes.seen("commands"), 0)


def test_every_reason_has_words_in_both_languages() -> None:
    for reason in Reason:
        assert set(catalogue()[f"reason.{reason.value}"]) == {"zh", "en"}


def test_words_that_lack_a_fact_show_it_instead_of_failing() -> None:
    assert words("reason.slot_blocked", "en") == "The slot is blocked: {slot}"
    assert words("reason.slot_blocked", "fr", slot="A") == "The slot is blocked: A"
    assert words("no.such.key", "en") == "no.such.key"


def test_the_log_is_folded_into_the_file_beside_readers_and_writers(database: Database) -> None:
    database.transact(mark)
    with Session(database.read_engine) as reading:
        reading.execute(text("SELECT count(*) FROM file_mark"))
        database.transact(lambda session: mark(session, "b"))
        left = database.fold_log()
        assert (left > 0) == database.is_sqlite, "what the reader does not see yet stays in the log"
    assert database.fold_log() == 0
    assert names(database) == ["a", "b"]
