"""Copies of the running database, and putting one back: beside first, checked whole, then swapped in one step.

A backup is one file: of SQLite a database like any other, of PostgreSQL an archive of `pg_dump`. `back_up` and
`restore` raise Trouble with one line for a person; whatever they raise, the database in place is as it was.
"""

from __future__ import annotations

from pathlib import Path

from wms.backups import files, servers
from wms.backups.soundness import WAYBILLS_SKIPPED, State

__all__ = ["WAYBILLS_SKIPPED", "State", "back_up", "restore"]


def back_up(url: str, target: Path) -> None:
    """Write a consistent copy of the database at `url` to the new file `target` while others work in it."""
    copy = files.back_up if url.startswith("sqlite:///") else servers.back_up
    copy(url, target)


def restore(source: Path, url: str, *, replace: bool, waybills_skipped: int = WAYBILLS_SKIPPED) -> State:
    """Put the backup in place and say what it holds.

    `replace` lets it take the place of a database that has something in it; that one is kept under another name.
    Raises Trouble when the backup is not sound, or when somebody works in the database.
    """
    put_back = files.restore if url.startswith("sqlite:///") else servers.restore
    return put_back(source, url, replace=replace, waybills_skipped=waybills_skipped)
