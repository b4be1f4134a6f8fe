"""A server says at its start what it stands on, in one line each."""

from __future__ import annotations

import sqlite3
import sys
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event, make_url, text
from sqlalchemy.orm import Session

from tests import postgres
from tests.builders import MORNING
from wms.core.db import Database
from wms.core.start_checks import (
    CLOCK_TOLERANCE,
    WAL_RESET_FAULT,
    Ground,
    ground_of,
    warnings,
    weaknesses,
    write_down,
    written_down,
)

SOUND_SQLITE = Ground(sqlite=(3, 51, 3), synchronous=2)
SOUND_POSTGRESQL = Ground(synchronous_commit="on")


@pytest.mark.parametrize("ground", [SOUND_SQLITE, SOUND_POSTGRESQL, Ground(synchronous_commit="local")])
def test_a_sound_ground_needs_no_words(ground: Ground) -> None:
    assert warnings(ground, MORNING, MORNING) == []
    assert warnings(ground, MORNING, None) == []


@pytest.mark.parametrize(
    ("version", "faulty"),
    [((3, 6, 23), False), ((3, 7, 0), True), ((3, 40, 1), True), ((3, 51, 2), True), ((3, 51, 3), False)],
)
def test_the_libraries_that_can_damage_a_file_are_named(version: tuple[int, ...], faulty: bool) -> None:
    said = warnings(Ground(sqlite=version, synchronous=2), MORNING, None)
    assert [".".join(map(str, version)) in sentence for sentence in said] == [True] * faulty


@pytest.mark.parametrize(("level", "weak"), [(0, True), (1, True), (2, False), (3, False)])
def test_a_file_that_forgets_in_a_power_cut_is_named(level: int, weak: bool) -> None:
    said = warnings(Ground(sqlite=(3, 53, 0), synchronous=level), MORNING, None)
    assert ["power cut" in sentence for sentence in said] == [True] * weak


def test_a_server_that_answers_before_the_disk_is_named() -> None:
    (said,) = warnings(Ground(synchronous_commit="off"), MORNING, None)
    assert "synchronous_commit" in said


def test_a_superuser_is_told_that_no_wall_binds_him(pg_url: str) -> None:
    (said,) = warnings(Ground(synchronous_commit="on", above_walls=True), MORNING, None)
    assert "superuser" in said
    ours = Database.open(pg_url)
    try:
        assert ours.transact(_is_bound) == (ground_of(ours).above_walls is False)
    finally:
        ours.dispose()


def _is_bound(session: Session) -> bool:
    roles = text("SELECT NOT (rolsuper OR rolbypassrls) FROM pg_roles WHERE rolname = current_user")
    return bool(session.scalar(roles))


def test_a_clock_behind_the_last_movement_is_named_with_how_far() -> None:
    (said,) = warnings(SOUND_SQLITE, MORNING, MORNING + timedelta(hours=1))
    assert "3,600 s behind" in said


def test_clocks_that_differ_by_seconds_are_nobodys_fault() -> None:
    assert warnings(SOUND_SQLITE, MORNING, MORNING + CLOCK_TOLERANCE) == []


def test_every_warning_is_one_line_of_its_own() -> None:
    bad = Ground(sqlite=(3, 40, 0), synchronous=1)
    said = warnings(bad, MORNING, MORNING + timedelta(days=1))
    assert len(said) == 3
    assert not any("\n" in sentence for sentence in said)


def test_our_own_databases_are_durable(database: Database) -> None:
    ground = ground_of(database)
    assert (ground.synchronous, ground.synchronous_commit) == ((2, None) if database.is_sqlite else (None, "on"))


def codes(database: Database) -> set[str]:
    return {one.code for one in weaknesses(ground_of(database), MORNING, None)}


def test_a_file_that_was_told_to_be_quick_is_seen(sqlite_database: Database) -> None:
    @event.listens_for(sqlite_database.write_engine, "connect")
    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    assert codes(sqlite_database) - {"old_sqlite"} == {"not_synchronous"}


def test_the_library_that_is_really_used_is_judged(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pysqlite3", None)  # as on a machine without the bundled library
    database = Database.open(sqlite_url)
    faulty = WAL_RESET_FAULT[0] <= sqlite3.sqlite_version_info <= WAL_RESET_FAULT[1]
    assert ("old_sqlite" in codes(database)) == faulty
    database.dispose()


@pytest.mark.parametrize(
    "how",
    [
        "ALTER DATABASE {name} SET synchronous_commit = 'off'",
        "ALTER ROLE CURRENT_USER IN DATABASE {name} SET synchronous_commit = 'off'",
    ],
)
def test_a_server_that_was_told_to_be_quick_is_seen(pg_url: str, how: str) -> None:
    database = Database.open(pg_url)
    name = make_url(pg_url).database
    assert "commit_not_synchronous" not in codes(database)
    database.transact(lambda session: session.execute(text(how.format(name=name))))
    database.dispose()
    assert "commit_not_synchronous" in codes(Database.open(pg_url))


@pytest.mark.parametrize("fsync", [True, False])
def test_a_server_that_does_not_wait_for_the_disk_is_seen(fsync: bool) -> None:
    if postgres.why_not():
        pytest.skip(str(postgres.why_not()))
    with postgres.cluster(fsync=fsync) as url:
        database = Database.open(url)
        assert ("fsync_off" in codes(database)) == (not fsync)
        database.dispose()


def test_what_was_found_is_kept_for_the_terminal_until_it_is_mended(database: Database) -> None:
    found = weaknesses(Ground(sqlite=(3, 40, 0), synchronous=1), MORNING, MORNING + timedelta(days=1))
    database.transact(lambda session: write_down(session, found))
    assert database.read(written_down) == found
    database.transact(lambda session: write_down(session, []))
    assert database.read(written_down) == []
