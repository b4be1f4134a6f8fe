"""What the bare machine can do, measured beside every rate: commits of a raw SQLite loop, and the disk's fsyncs."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from wms.core.db.engine import sqlite_module

SECONDS = 2.0
STATEMENTS_PER_COMMIT = 8
ROWS = 10_000
PAGE_BYTES = 4_096


def calibrate(folder: Path) -> dict[str, Any]:
    """Figures for the disk `folder` lies on, one connection, one process."""
    return {
        "sqlite": sqlite_module().sqlite_version,
        "statements_per_commit": STATEMENTS_PER_COMMIT,
        "raw_commits_per_s": round(_commits_per_s(folder / "raw.db")),
        "fsyncs_per_s": round(_fsyncs_per_s(folder / "raw.bin")),
    }


def _commits_per_s(path: Path) -> float:
    """WAL, synchronous FULL; per commit three look-ups, three updates, two inserts, as a pick has."""
    connection = sqlite_module().connect(str(path), isolation_level=None)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE stock (id INTEGER PRIMARY KEY, on_hand INTEGER NOT NULL CHECK (on_hand >= 0))")
    connection.execute("CREATE TABLE movement (id INTEGER PRIMARY KEY, stock_id INTEGER, quantity INTEGER, note TEXT)")
    connection.execute("BEGIN")
    connection.executemany("INSERT INTO stock VALUES (?, 0)", [(row,) for row in range(ROWS)])
    connection.execute("COMMIT")
    done, began_s = 0, time.monotonic()
    while time.monotonic() - began_s < SECONDS:
        connection.execute("BEGIN IMMEDIATE")
        for step in range(3):
            row = (done * 7_919 + step * 104_729) % ROWS
            connection.execute("SELECT on_hand FROM stock WHERE id = ?", (row,)).fetchone()
            connection.execute("UPDATE stock SET on_hand = on_hand + 1 WHERE id = ?", (row,))
        for _ in range(2):
            connection.execute("INSERT INTO movement (stock_id, quantity, note) VALUES (?, 1, ?)", (done, "x" * 200))
        connection.execute("COMMIT")
        done += 1
    took_s = time.monotonic() - began_s
    connection.close()
    return done / took_s


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
