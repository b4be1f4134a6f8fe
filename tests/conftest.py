"""What every room's tests borrow: a fresh database of each kind, and a browser.

A database costs little: the schema is built once per process, then copied (a file for SQLite, a template database for
PostgreSQL). The schema comes from the rooms' tables; that the migrations lead to the very same is held by
tests/test_migrations.py.

    def test_a_hold_never_exceeds_what_is_there(database: Database) -> None: ...   # runs on both databases
    def test_something_slow(module_database_url: str) -> None: ...                  # one database for the whole file
"""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests import browsers, postgres, schema
from wms.core.db import Database
from wms.migrations import commands

KINDS = ("sqlite", "postgresql")

# A shell lets what it runs in the background ignore Ctrl+C, and the programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Some machines forbid Python to keep what it has compiled; then each of the hundreds of programs that are started here
# would compile the whole house anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# A busy build machine is no reason to fail an example; a failing one is printed so that it can be repeated.
settings.register_profile("house", deadline=None, print_blob=True)
settings.load_profile("house")


def pytest_report_header() -> list[str]:
    """One line each on what the machine has, so that nobody wonders what was skipped."""
    given = os.environ.get("WMS_TEST_PG_URL") and "the server of WMS_TEST_PG_URL"
    lacking = postgres.why_not()
    return [
        f"PostgreSQL: {given or (f'its tests skip: {lacking}' if lacking else postgres.binaries())}",
        f"Chromium: {browsers.chromium() or 'its tests skip: no chromium on this machine'}",
    ]


@pytest.fixture(scope="session")
def pg_server() -> Iterator[postgres.Server]:
    """A PostgreSQL server that makes and drops databases; skips where there is none."""
    lacking = postgres.why_not()
    if lacking and not os.environ.get("WMS_TEST_PG_URL"):
        pytest.skip(lacking)
    with postgres.server() as server:
        yield server


@pytest.fixture(scope="session")
def pg_template(pg_server: postgres.Server) -> Iterator[str]:
    """The name of a database with the schema and no rows, to be copied."""
    name = pg_server.create("template")
    schema.build(pg_server.url(name))
    yield name
    pg_server.drop(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema and no rows, to be copied."""
    path = tmp_path_factory.mktemp("template") / "empty.db"
    schema.build(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the schema as `wms db upgrade` makes it, stamped, to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "empty.db"
    commands.upgrade(f"sqlite:///{path}")
    return path


def _copy(kind: str, request: pytest.FixtureRequest, folder: Path) -> Iterator[str]:
    """A fresh database of this kind with the schema; gone after use."""
    if kind == "sqlite":
        path = folder / "chuwei.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), path)
        yield f"sqlite:///{path}"
        return
    server: postgres.Server = request.getfixturevalue("pg_server")
    name = server.create("test", request.getfixturevalue("pg_template"))
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def sqlite_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh SQLite file with the schema."""
    yield from _copy("sqlite", request, tmp_path)


@pytest.fixture
def pg_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh PostgreSQL database with the schema."""
    yield from _copy("postgresql", request, tmp_path)


@pytest.fixture(params=KINDS)
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A fresh database with the schema; the test runs once on each kind."""
    yield from _copy(request.param, request, tmp_path)


@pytest.fixture(params=KINDS, scope="module")
def module_database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """One database with the schema for a whole test file, which then runs once on each kind."""
    yield from _copy(request.param, request, tmp_path_factory.mktemp("module"))


@pytest.fixture(params=KINDS)
def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A database without a schema, of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'empty.db'}"
        return
    server: postgres.Server = request.getfixturevalue("pg_server")
    name = server.create("empty")
    yield server.url(name)
    server.drop(name)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A fresh open database; the test runs once on each kind."""
    opened = Database.open(database_url)
    yield opened
    opened.dispose()


@pytest.fixture
def sqlite_database(sqlite_url: str) -> Iterator[Database]:
    """A fresh open SQLite database, for what does not depend on the kind."""
    opened = Database.open(sqlite_url)
    yield opened
    opened.dispose()


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A running Chromium (playwright's Browser); skips where there is none. Close your own pages and contexts."""
    if browsers.chromium() is None:
        pytest.skip("no chromium on this machine (Debian: apt-get install chromium fonts-noto-cjk)")
    with browsers.launched() as launched:
        yield launched
