"""`wms db`: bring the schema up, take it down, check it, back it up, restore it."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from wms import backups
from wms.cli.trouble import Trouble, add_db_option, opening, refuse_missing_file
from wms.migrations import commands
from wms.settings import database_url

WAYBILLS_SKIPPED_MAX = 10_000_000


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
    backup = actions.add_parser("backup", help="copy the running database to FILE")
    backup.add_argument("file", metavar="FILE")
    add_db_option(backup)
    backup.set_defaults(run=_backup)
    restore = actions.add_parser("restore", help="check FILE, then put it in place")
    restore.add_argument("file", metavar="FILE")
    restore.add_argument("--replace", action="store_true", help="also over a database that has something in it")
    restore.add_argument(
        "--skip-waybills",
        type=_whole,
        default=backups.WAYBILLS_SKIPPED,
        metavar="N",
        help=f"numbers left out of each waybill range, for those given since the backup ({backups.WAYBILLS_SKIPPED})",
    )
    add_db_option(restore)
    restore.set_defaults(run=_restore)


def _whole(word: str) -> int:
    if not word.isdecimal() or int(word) > WAYBILLS_SKIPPED_MAX:
        raise argparse.ArgumentTypeError(f"a whole number up to {WAYBILLS_SKIPPED_MAX:,}, not {word}")
    return int(word)


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
    target, url = Path(given.file), database_url(given.db)
    if target.exists():
        raise Trouble(f"{target} exists: name a new file, a backup never overwrites")
    if not target.parent.is_dir():
        raise Trouble(f"no such folder: {target.parent}")
    backups.back_up(url, target)
    print(f"backed up to {target} ({target.stat().st_size:,} bytes)")
    return 0


def _restore(given: argparse.Namespace) -> int:
    source, url = Path(given.file), database_url(given.db)
    if not source.is_file():
        raise Trouble(f"no such backup: {source}")
    state = backups.restore(source, url, replace=given.replace, waybills_skipped=given.skip_waybills)
    last = f"{state.last_booked_at:%Y-%m-%d %H:%M:%S} UTC" if state.last_booked_at else "none"
    print(f"restored to {url}; every promise holds; last movement: {last}")
    if state.kept_as:
        print(f"what was there before is kept as {state.kept_as}")
    return 0
