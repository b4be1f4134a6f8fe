"""`wms db`: bring the schema up, take it down, check it, back it up, restore it."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from wms.auditing import broken_promises
from wms.cli.trouble import Trouble, add_db_option, open_database, opening, refuse_missing_file
from wms.core.db import Database
from wms.core.db.engine import sqlite_module
from wms.migrations import commands
from wms.settings import database_url


def add_to(commands_parser: Any) -> None:
    db = commands_parser.add_parser("db", help="the database: upgrade, downgrade, check, backup, restore")
    actions = db.add_subparsers(dest="action", metavar="ACTION", required=True, parser_class=type(db))
    for name, run, what in (
        ("upgrade", _upgrade, "bring the schema to this program's version (makes a new file)"),
        ("downgrade", _downgrade, "undo the newest step of the schema"),
        ("check", _check, "compare the schema with this program"),
    ):
        parser = actions.add_parser(name, help=what)
        add_db_option(parser)
        parser.set_defaults(run=run)
    for name, run, what in (
        ("backup", _backup, "copy the running database to FILE"),
        ("restore", _restore, "check FILE, then put it in place"),
    ):
        parser = actions.add_parser(name, help=what)
        parser.add_argument("file", metavar="FILE")
        add_db_option(parser)
        parser.set_defaults(run=run)


def _upgrade(given: argparse.Namespace) -> int:
    url = database_url(given.db)
    with opening(url):
        print(f"schema {commands.upgrade(url)} at {url}")
    return 0


def _downgrade(given: argparse.Namespace) -> int:
    url = database_url(given.db)
    refuse_missing_file(url)
    with opening(url):
        print(f"schema {commands.downgrade(url)} at {url}")
    return 0


def _check(given: argparse.Namespace) -> int:
    url = database_url(given.db)
    refuse_missing_file(url)
    with opening(url):
        found = commands.check(url)
    for sentence in found:
        print(sentence, file=sys.stderr)
    if not found:
        print(f"the schema of {url} is the program's")
    return 1 if found else 0


def _backup(given: argparse.Namespace) -> int:
    target = Path(given.file)
    if target.exists():
        raise Trouble(f"{target} exists: name a new file, a backup never overwrites")
    database = open_database(given.db)
    if database.is_sqlite:
        _sqlite_copy(database.url.removeprefix("sqlite:///"), target)
    else:
        _run_pg(["pg_dump", "--format=custom", f"--file={target}", _pg_url(database.url)])
    print(f"backed up to {target} ({target.stat().st_size:,} bytes)")
    return 0


def _sqlite_copy(source: str, target: Path) -> None:
    """SQLite's online backup: a consistent copy while others write."""
    module = sqlite_module()
    partial = target.with_name(target.name + ".partial")
    with module.connect(source) as here, module.connect(str(partial)) as there:
        here.backup(there)
    there.close()
    os.replace(partial, target)


def _restore(given: argparse.Namespace) -> int:
    source, url = Path(given.file), database_url(given.db)
    if not source.is_file():
        raise Trouble(f"no such backup: {source}")
    if not url.startswith("sqlite:///"):
        _run_pg(
            ["pg_restore", "--clean", "--if-exists", "--single-transaction", f"--dbname={_pg_url(url)}", str(source)]
        )
        return _say_sound(url)
    _refuse_unsound(source)
    target = Path(url.removeprefix("sqlite:///"))
    _refuse_in_use(target)
    for leftover in (target.with_name(target.name + "-wal"), target.with_name(target.name + "-shm")):
        leftover.unlink(missing_ok=True)
    partial = target.with_name(target.name + ".partial")
    shutil.copyfile(source, partial)
    os.replace(partial, target)
    return _say_sound(url)


def _refuse_in_use(target: Path) -> None:
    """Nobody swaps the file under a running server. A damaged file is no reason to refuse: it is why one restores."""
    if not target.is_file():
        return
    module = sqlite_module()
    connection = module.connect(str(target), timeout=0, isolation_level=None)
    try:
        connection.execute("PRAGMA locking_mode=EXCLUSIVE")
        connection.execute("BEGIN EXCLUSIVE")
        connection.execute("ROLLBACK")
    except module.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Trouble(f"{target} is in use: stop the server first") from error
    except module.DatabaseError:
        return
    finally:
        connection.close()


def _refuse_unsound(source: Path) -> None:
    with opening(str(source)):
        found = commands.check(f"sqlite:///{source}")
    if found:
        raise Trouble(f"{source} is not a backup of this program: {found[0]}")
    database = Database.open(f"sqlite:///{source}")
    broken = [f"{promise.sentence}: {one.subject}" for promise, breaks in broken_promises(database) for one in breaks]
    database.dispose()
    if broken:
        raise Trouble(f"{source} breaks a promise, nothing was restored: {broken[0]}")


def _say_sound(url: str) -> int:
    database = open_database(url)
    broken = any(breaks for _promise, breaks in broken_promises(database))
    database.dispose()
    print(f"restored to {url}; " + ("a promise is BROKEN: run wms audit" if broken else "every promise holds"))
    return 1 if broken else 0


def _pg_url(url: str) -> str:
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def _run_pg(words: list[str]) -> None:
    if shutil.which(words[0]) is None:
        raise Trouble(f"{words[0]} is not on this machine: install PostgreSQL's client programs")
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Trouble(
            f"{words[0]} failed: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no reason given'}"
        )
