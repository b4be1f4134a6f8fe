"""What the bare machine can do, measured beside every rate: commits of a raw driver's loop, and the disk's fsyncs."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import make_url

from wms.core.db.connecting import sqlite_module

SECONDS = 2.0
STATEMENTS_PER_COMMIT = 8
ROWS = 10_000
PAGE_BYTES = 4_096


def calibrate(folder: Path) -> dict[str, Any]:
    """Figures for the disk `folder` lies on, one connection, one process."""
    return {
        "sqlite": sqlite_module().sqlite_version,
        "statements_per_commit": STATEMENTS_PER_COMMIT,
        "raw_commits_per_s": round(sqlite_commits_per_s(folder / "raw.db")),
        "fsyncs_per_s": round(_fsyncs_per_s(folder / "raw.bin")),
    }


def sqlite_commits_per_s(path: Path, seconds: float = SECONDS) -> float:
    """WAL, synchronous FULL, in a new file; per commit three look-ups, three updates, two inserts, as a pick has."""
    connection = sqlite_module().connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    rate = _commits_per_s(connection.execute, "BEGIN IMMEDIATE", "?", seconds)
    connection.close()
    return rate


def postgresql_commits_per_s(url: str, seconds: float = SECONDS) -> float:
    """The same loop in an empty database of its own."""
    plain = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
    with psycopg.connect(plain, autocommit=True) as connection:
        return _commits_per_s(connection.execute, "BEGIN", "%s", seconds)


def _commits_per_s(execute: Callable[..., Any], begin: str, mark: str, seconds: float) -> float:
    execute("CREATE TABLE raw_stock (id INTEGER PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0))")
    execute("CREATE TABLE raw_movement (stock_id INTEGER, quantity INTEGER, note TEXT)")
    rows = ", ".join(f"({row}, 0)" for row in range(ROWS))
    execute(f"INSERT INTO raw_stock VALUES {rows}")
    done, began_s = 0, time.monotonic()
    while time.monotonic() - began_s < seconds:
        execute(begin)
        for step in range(3):
            row = (done * 7_919 + step * 104_729) % ROWS
            execute(f"SELECT on_hand FROM raw_stock WHERE id = {mark}", (row,)).fetchone()
            execute(f"UPDATE raw_stock SET on_hand = on_hand + 1 WHERE id = {mark}", (row,))
        for _ in range(2):
            execute(f"INSERT INTO raw_movement VALUES ({mark}, 1, {mark})", (done, "x" * 200))
        execute("COMMIT")
        done += 1
    return done / (time.monotonic() - began_s)


def _fsyncs_per_s(path: Path) -> float:
    page = b"\0" * PAGE_BYTES
    done, began_s = 0, time.monotonic()
    with path.open("wb") as file:
        while time.monotonic() - began_s < SECONDS / 2:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
            done += 1
    return done / (time.monotonic() - began_s)
