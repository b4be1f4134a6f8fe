"""Sixteen faults: how each strikes at a moment, how it is mended, and what must have happened by then.

An expectation is two words for each moment: what the client heard of its first try ("told", "later" for 503, "no",
"silent") and how many pieces were received before it tried again. `python -m tests.proofs.matrix.faults` prints them.
"""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from sqlalchemy import text

from tests.proofs.frame import BOTH, POSTGRESQL, SQLITE
from tests.proofs.matrix.stand import BEFORE_SEND, SHORT_S, Client, Said, Server, Wire
from wms.core.db import Database
from wms.core.db.connecting import sqlite_module

FROZEN_S = 0.4
HELD_S = 0.3
JUNK = 20
LOCKED = 4096  # bytes a file may have: nothing can be written any more


@dataclass
class Cell:
    """What a fault has to strike with."""

    url: str
    server: Server
    wire: Wire
    client: Client
    other_body: str
    moment: str
    copies: list[Said] = field(default_factory=list)
    threads: list[threading.Thread] = field(default_factory=list)
    undo: list[Callable[[], None]] = field(default_factory=list)

    def beside(self, work: Callable[[], object]) -> None:
        """Something that goes on while the command does."""
        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        self.threads.append(thread)
        time.sleep(0.1)


@dataclass(frozen=True, slots=True)
class Fault:
    """`expect`: (heard, pieces) before send, before commit, after commit, after answer."""

    name: str
    strike: Callable[[Cell], None]
    expect: tuple[str, str, str, str]
    on: tuple[str, ...] = BOTH
    final: tuple[int, int, int, int] = (201, 201, 201, 201)


def _wire_cut(cell: Cell) -> None:
    cell.wire.cut()
    cell.undo.append(lambda: setattr(cell.wire, "up", True))


def _wire_hangs(cell: Cell) -> None:
    cell.wire.hangs = True
    cell.undo.append(lambda: setattr(cell.wire, "hangs", False))


def _wire_slow(cell: Cell) -> None:
    cell.wire.slow = True


def _half_copy(cell: Cell) -> None:
    cell.client.half(cell.server.port)


def _client_dies(cell: Cell) -> None:
    cell.client.give_up()


def _server_killed(cell: Cell) -> None:
    cell.server.kill()
    cell.undo.append(cell.server.start_again)


def _server_frozen(cell: Cell) -> None:
    os.kill(cell.server.pid, signal.SIGSTOP)
    threading.Timer(FROZEN_S, os.kill, (cell.server.pid, signal.SIGCONT)).start()


def _copy_at_once(cell: Cell) -> None:
    cell.beside(lambda: cell.copies.append(cell.client.copy().send(cell.server.port)))


def _other_content(cell: Cell) -> None:
    def send() -> None:
        cell.copies.append(cell.client.copy().send(cell.server.port, cell.other_body))

    if cell.moment == BEFORE_SEND:
        send()
    else:
        cell.beside(send)


def _database_held(cell: Cell) -> None:
    """Another process writes and takes its time; if ours writes just now, it stands behind it."""
    cell.beside(lambda: _hold(cell.url))


def _hold(url: str) -> None:
    if url.startswith("sqlite"):
        holder = sqlite_module().connect(url.removeprefix("sqlite:///"), isolation_level=None, timeout=10)
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(HELD_S)
        holder.execute("ROLLBACK")
        holder.close()
        return
    database = Database.open(url)
    with database.write_engine.begin() as connection:
        connection.execute(text("LOCK TABLE request IN ACCESS EXCLUSIVE MODE"))
        time.sleep(HELD_S)
    database.dispose()


def _disk_fails(cell: Cell) -> None:
    """Not a byte more goes to the server's files."""
    kept = resource.prlimit(cell.server.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(cell.server.pid, resource.RLIMIT_FSIZE, (LOCKED, kept[1]))
    cell.undo.append(lambda: _allow(cell.server.pid, kept, resource.RLIMIT_FSIZE))


def _allow(pid: int, kept: tuple[int, int], what: int) -> None:
    resource.prlimit(pid, what, kept)


def _session_killed(cell: Cell) -> None:
    """The database server ends every session of ours."""
    database = Database.open(cell.url)
    with database.write_engine.begin() as connection:
        words = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
        connection.execute(text(f"{words} AND pid <> pg_backend_pid()"))
    database.dispose()


def _reader_left_open(cell: Cell) -> None:
    """Another process reads a snapshot and never ends."""
    reader = sqlite_module().connect(cell.url.removeprefix("sqlite:///"), isolation_level=None, check_same_thread=False)
    reader.execute("BEGIN")
    reader.execute("SELECT count(*) FROM movement").fetchone()
    cell.undo.append(reader.close)


def _clock_back(cell: Cell) -> None:
    os.kill(cell.server.pid, signal.SIGUSR1)


def _clock_ahead(cell: Cell) -> None:
    os.kill(cell.server.pid, signal.SIGUSR2)


def _junk(cell: Cell) -> None:
    """Strangers knock with anything but HTTP."""
    for number in range(JUNK):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", cell.server.port), SHORT_S) as wire:
            wire.sendall(bytes(range(256)) * (number + 1) + b"\r\n\r\n")


def _no_more_files(cell: Cell) -> None:
    """The server may open nothing new."""
    kept = resource.prlimit(cell.server.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(cell.server.pid, resource.RLIMIT_NOFILE, (1, kept[1]))
    pid = cell.server.pid
    cell.undo.append(lambda: _allow(pid, kept, resource.RLIMIT_NOFILE))


DONE = ("told 1", "told 1", "told 1", "told 1")
UNHEARD = ("silent 0", "silent 1", "silent 1", "told 1")

FAULTS = (
    Fault("the wire is cut", _wire_cut, UNHEARD),
    Fault("the wire hangs", _wire_hangs, UNHEARD),
    Fault("the wire is slow", _wire_slow, DONE),
    Fault("half a copy arrives", _half_copy, DONE),
    Fault("the client dies", _client_dies, ("told 1", "silent 1", "silent 1", "told 1")),
    Fault("the server is killed", _server_killed, ("silent 0", "silent 0", "silent 1", "told 1")),
    Fault("the server freezes", _server_frozen, DONE),
    Fault("a copy arrives", _copy_at_once, DONE),
    Fault(
        "other content comes under its id",
        _other_content,
        ("no 1", "told 1", "told 1", "told 1"),
        final=(422, 201, 201, 201),
    ),
    Fault("another process holds the database", _database_held, DONE),
    Fault("the disk takes nothing more", _disk_fails, ("later 0", "later 0", "told 1", "told 1"), (SQLITE,)),
    Fault("a reader is left open", _reader_left_open, DONE, (SQLITE,)),
    Fault("the database ends our sessions", _session_killed, DONE, (POSTGRESQL,)),
    Fault("the clock jumps back a day", _clock_back, DONE),
    Fault("the clock jumps a day ahead", _clock_ahead, DONE),
    Fault("strangers send junk", _junk, DONE),
    Fault("the server may open no more files", _no_more_files, ("silent 0", "told 1", "told 1", "told 1")),
)


def table() -> str:
    """The matrix as declared: what is heard of the first try, and how many pieces are there before the second."""
    head = ("fault", "on", "before send", "before commit", "after commit", "after answer")
    rows = [(fault.name, ", ".join(fault.on), *fault.expect) for fault in FAULTS]
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())
