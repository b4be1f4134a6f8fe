"""SQLite: the online backup while others write; restoring by one rename under a lock that shuts out every server."""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace as changed
from pathlib import Path
from typing import Any

from sqlalchemy.exc import DBAPIError

from wms.backups import soundness
from wms.backups.soundness import State
from wms.core.db.connecting import sqlite_module
from wms.trouble import Trouble, first_line, refuse_missing_file

SIDE_FILES = ("-wal", "-shm")
OWNER_ONLY = 0o600  # a backup holds names, phones and the gateways' keys


def back_up(url: str, target: Path) -> None:
    """SQLite's online backup: one consistent moment, and nobody waits for it."""
    refuse_missing_file(url)
    soundness.refuse_empty(url, "back it up")
    partial = _beside(target, "partial")
    try:
        _copy_running(_path(url), partial)
        _keep_for_good(partial, target)
    finally:
        _forget(partial)


def _path(url: str) -> Path:
    return Path(url.removeprefix("sqlite:///"))


def _beside(path: Path, word: str) -> Path:
    return path.with_name(f"{path.name}.{word}")


def _copy_running(source: Path, target: Path) -> None:
    _forget(target)
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_WRONLY, OWNER_ONLY))
    module = sqlite_module()
    with contextlib.closing(module.connect(str(source))) as here, contextlib.closing(module.connect(str(target))) as to:
        here.backup(to)
        to.execute("PRAGMA journal_mode=DELETE")  # one file, not one with a log beside it


def _keep_for_good(partial: Path, target: Path) -> None:
    """On the disk first, then under its name: a power cut leaves the whole file or none of that name."""
    _sync(partial)
    os.replace(partial, target)
    _sync_folder(target.parent)


def _sync(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        number = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(number)
        finally:
            os.close(number)


def _forget(path: Path) -> None:
    for name in (path, *_sides(path), path.with_name(path.name + "-journal")):
        name.unlink(missing_ok=True)


def _sides(path: Path) -> list[Path]:
    return [path.with_name(path.name + side) for side in SIDE_FILES]


def restore(source: Path, url: str, *, replace: bool, waybills_skipped: int) -> State:
    """Copy beside, check the copy, swap."""
    target = _path(url)
    partial = _beside(target, "restoring")
    with _nobody_in(target, "PRAGMA locking_mode=EXCLUSIVE"):
        pass  # told at once, not after the long check; the swap asks again
    if not replace:
        _refuse_full(url, target)
    try:
        _copy_backup(source, partial)
        _refuse_damaged(partial, source)
        state = soundness.made_fit(f"sqlite:///{partial}", str(source), waybills_skipped)
        _close_log(partial)
        return changed(state, kept_as=_swap(partial, target))
    finally:
        _forget(partial)


def _copy_backup(source: Path, partial: Path) -> None:
    """By its bytes, so that a read-only medium will do; with its log, should somebody have opened it."""
    _forget(partial)
    try:
        shutil.copyfile(source, partial)
        log = source.with_name(source.name + "-wal")
        if log.is_file():
            shutil.copyfile(log, partial.with_name(partial.name + "-wal"))
    except OSError as error:
        raise Trouble(f"{source} cannot be copied to {partial}: {error.strerror}") from error
    partial.chmod(OWNER_ONLY)


def _refuse_damaged(partial: Path, source: Path) -> None:
    """Every page, every index, every reference."""
    module = sqlite_module()
    with contextlib.closing(module.connect(str(partial))) as connection:
        try:
            said = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(1)")]
            lost = connection.execute("PRAGMA foreign_key_check").fetchone()
        except module.DatabaseError as error:
            raise Trouble(f"{source} is not a sound database, nothing was restored: {first_line(error)}") from error
    if said != ["ok"]:
        raise Trouble(f"{source} is damaged, nothing was restored: {' '.join(said[0].split())}")
    if lost is not None:
        raise Trouble(f"{source} is damaged, nothing was restored: a row of {lost[0]} refers to nothing")


def _close_log(partial: Path) -> None:
    with contextlib.closing(sqlite_module().connect(str(partial))) as connection:
        connection.execute("PRAGMA journal_mode=DELETE")


def _refuse_full(url: str, target: Path) -> None:
    if not target.is_file():
        return
    try:
        full = soundness.has_something_in_it(url)
    except DBAPIError:
        full = True  # damaged, or no database at all: somebody may want it nevertheless
    if full:
        raise Trouble(f"{target} has something in it: say --replace to put the backup in its place (it is kept beside)")


@contextlib.contextmanager
def _nobody_in(target: Path, first: str) -> Iterator[None]:
    """Nobody has the file open, nor can within the block. A damaged file is let through: it is why one restores."""
    if not target.is_file():
        yield
        return
    module = sqlite_module()
    connection = module.connect(str(target), timeout=0, isolation_level=None)
    try:
        _lock(connection, module, target, first)
        yield
    finally:
        connection.close()


def _lock(connection: Any, module: Any, target: Path, first: str) -> None:
    try:
        connection.execute(first)
        connection.execute("BEGIN EXCLUSIVE")
    except module.OperationalError as error:
        if "locked" in str(error) or "busy" in str(error):
            raise Trouble(f"{target} is in use: stop the server first") from error
    except module.DatabaseError:
        return


def _swap(partial: Path, target: Path) -> str:
    """The restored file under the name, the old one under another; where that is ("" when there was none)."""
    # Out of its log first: then the lock is on the file itself, and closing it leaves nothing behind.
    with _nobody_in(target, "PRAGMA journal_mode=DELETE"):
        kept = _beside(target, time.strftime("replaced-%Y%m%d-%H%M%S")) if target.is_file() else None
        if kept is not None:
            os.link(target, kept)
            for log in filter(Path.is_file, _sides(target)):
                # Only a damaged database still has a log here. Left in place it would be played into the restored one.
                os.replace(log, kept.with_name(kept.name + log.name.removeprefix(target.name)))
            _sync_folder(target.parent)
        _keep_for_good(partial, target)
    return str(kept or "")
