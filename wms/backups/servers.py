"""PostgreSQL: its own `pg_dump` while others write; restoring into a database beside, then two renames in one
transaction.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace as changed
from pathlib import Path

from sqlalchemy import URL, Connection, NullPool, create_engine, make_url, text
from sqlalchemy.exc import DBAPIError

from wms.backups import soundness
from wms.backups.soundness import State
from wms.trouble import Trouble, first_line, opening

DEBIAN = Path("/usr/lib/postgresql")
NAME_LENGTH_MAX = 63
MAINTENANCE = ("postgres", "template1")


def program(name: str) -> str:
    """The newest `pg_dump` or `pg_restore` of this machine: an older one refuses a newer server. Raises Trouble."""

    def version(folder: Path) -> float:
        with contextlib.suppress(ValueError):
            return float(folder.parent.name)
        return 0.0

    installed = sorted(DEBIAN.glob("*/bin"), key=version, reverse=True)
    found = next((str(folder / name) for folder in installed if (folder / name).is_file()), None) or shutil.which(name)
    if found is None:
        raise Trouble(f"{name} is not on this machine: install PostgreSQL's client programs")
    return found


def back_up(url: str, target: Path) -> None:
    """One compressed snapshot of the whole. Row level security stays on: without a tenant it hides nothing."""
    dump = program("pg_dump")
    soundness.refuse_empty(url, "back it up")
    partial = target.with_name(f"{target.name}.partial")
    partial.unlink(missing_ok=True)
    os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    try:
        _run([dump, "--format=custom", "--enable-row-security", "--no-owner", f"--file={partial}"], url)
        with partial.open("rb+") as file:
            os.fsync(file.fileno())
        os.replace(partial, target)
    finally:
        partial.unlink(missing_ok=True)


def _run(words: list[str], url: str, database: str | None = None) -> None:
    """Run one of PostgreSQL's programs. The password goes by the environment: command lines are everybody's to read."""
    address = make_url(url).set(drivername="postgresql")
    bare = address._replace(password=None, database=database or address.database)
    env = {**os.environ, **({"PGPASSWORD": str(address.password)} if address.password else {})}
    command = [*words, f"--dbname={bare.render_as_string()}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Trouble(f"{Path(words[0]).name} failed: {said[-1] if said else 'no reason given'}")


def restore(source: Path, url: str, *, replace: bool, waybills_skipped: int) -> State:
    """Restore into a database of its own, check that, then swap the names."""
    load = program("pg_restore")
    name = str(make_url(url).database)
    stamp = time.strftime("%Y%m%d%H%M%S")
    beside, kept = _named(name, f"restoring_{stamp}"), _named(name, f"replaced_{stamp}")
    with _server(url) as server:
        there = _exists(server, name)
        if there:
            _refuse_in_use(server, name)
            _refuse_full(url, name, replace=replace)
        _make(server, beside)
        try:
            _run([load, "--exit-on-error", "--single-transaction", "--no-owner", str(source)], url, beside)
            state = soundness.made_fit(_of(url, beside), str(source), waybills_skipped)
            _swap(server, name, beside, kept if there else None)
        finally:
            server.exec_driver_sql(f"DROP DATABASE IF EXISTS {_quoted(server, beside)}")
    return changed(state, kept_as=kept if there else "")


def _named(name: str, word: str) -> str:
    return f"{name[: NAME_LENGTH_MAX - len(word) - 1]}_{word}"


def _of(url: str, database: str) -> str:
    return make_url(url).set(database=database).render_as_string(hide_password=False)


@contextlib.contextmanager
def _server(url: str) -> Iterator[Connection]:
    """A connection beside the database: one cannot rename the room one stands in."""
    with opening(url), _maintenance(make_url(url)) as connection:
        yield connection


@contextlib.contextmanager
def _maintenance(address: URL) -> Iterator[Connection]:
    names = [name for name in MAINTENANCE if name != address.database]
    engine = create_engine(address.set(database=names[0]), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        yield connection


def _exists(server: Connection, name: str) -> bool:
    return server.execute(text("SELECT 1 FROM pg_database WHERE datname = :name"), {"name": name}).first() is not None


def _refuse_in_use(server: Connection, name: str) -> None:
    others = server.execute(text("SELECT count(*) FROM pg_stat_activity WHERE datname = :name"), {"name": name})
    if others.scalar_one():
        raise Trouble(f"the database {name} is in use: stop the server first")


def _refuse_full(url: str, name: str, *, replace: bool) -> None:
    if not replace and soundness.has_something_in_it(url):
        raise Trouble(f"the database {name} has something in it: say --replace to put the backup in its place")


def _make(server: Connection, name: str) -> None:
    try:
        server.exec_driver_sql(f"CREATE DATABASE {_quoted(server, name)} TEMPLATE template0")
    except DBAPIError as error:
        raise Trouble(
            f"no database can be made beside the old one (ALTER ROLE ... CREATEDB): {first_line(error)}"
        ) from error


def _swap(server: Connection, name: str, beside: str, kept: str | None) -> None:
    """Both names change or none: renaming a database is part of a transaction. Somebody's connection stops it."""
    try:
        server.exec_driver_sql("BEGIN")
        if kept is not None:
            server.exec_driver_sql(f"ALTER DATABASE {_quoted(server, name)} RENAME TO {_quoted(server, kept)}")
        server.exec_driver_sql(f"ALTER DATABASE {_quoted(server, beside)} RENAME TO {_quoted(server, name)}")
        server.exec_driver_sql("COMMIT")
    except DBAPIError as error:
        server.exec_driver_sql("ROLLBACK")
        raise Trouble(f"nothing was restored: {first_line(error)}") from error


def _quoted(server: Connection, name: str) -> str:
    return server.dialect.identifier_preparer.quote_identifier(name)
