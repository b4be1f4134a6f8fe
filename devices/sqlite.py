"""The SQLite library the station uses: the bundled newer one where there is one.

SQLite 3.7.0 to 3.51.2 can damage a database in WAL mode when a checkpoint and a commit meet; `library_warning` tells.
"""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING

if not TYPE_CHECKING:
    with contextlib.suppress(ImportError):
        from pysqlite3 import dbapi2 as sqlite3

FIRST_SOUND_VERSION = (3, 51, 3)

Connection = sqlite3.Connection
Error = sqlite3.Error
Row = sqlite3.Row
connect = sqlite3.connect


def library_warning() -> str:
    """One line if the library in use is one of the unsound ones, else ""."""
    if sqlite3.sqlite_version_info >= FIRST_SOUND_VERSION:
        return ""
    return (
        f"SQLite {sqlite3.sqlite_version} may damage its file in rare cases: install pysqlite3 (pip install pysqlite3)"
    )
