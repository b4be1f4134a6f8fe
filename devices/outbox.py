"""Store and forward: every durable event of the station, numbered for ever, kept until the server has it.

Without a server all events are kept. With one, what it acknowledged is kept for days (`KEPT_DAYS`, bounded by
`KEPT_MAX`), so that a server restored from a backup can be given again what it forgot.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from devices import sqlite
from devices.errors import ConfigError
from devices.store import Receipt, Store

KEPT_DAYS = 7
KEPT_MIN = 10_000  # also of a station whose clock jumped
KEPT_MAX = 2_000_000  # some 400 MB; a day of a fast sorting line
FORGOTTEN_AT_ONCE_MAX = 1_000
DAY_MS = 86_400_000
PAGE = 500
ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """One event as it lies in the outbox; `at_ms` is the gateway's wall clock when it happened."""

    seq: int
    at_ms: int
    device: str
    kind: str
    facts: Mapping[str, object]

    def as_sent(self) -> dict[str, object]:
        """The event as it goes to the server."""
        return {"seq": self.seq, "at_ms": self.at_ms, "device": self.device, "kind": self.kind, "facts": self.facts}

    def as_line(self) -> dict[str, object]:
        """The event as `wms-devices events --json` prints it: the facts beside the rest."""
        return {"seq": self.seq, "at_ms": self.at_ms, "device": self.device, "kind": self.kind, **self.facts}


def event_writer(
    at_ms: int, device: str, kind: str, facts: Mapping[str, object]
) -> Callable[[sqlite.Connection], None]:
    """The work that stores one event, for whoever has more to write in the same commit."""
    # ASCII only: a code with broken UTF-8 (kept as lone surrogates) must neither stop the writer nor the link.
    row = (at_ms, device, kind, json.dumps(facts, separators=(",", ":")))

    def write(connection: sqlite.Connection) -> None:
        connection.execute("INSERT INTO events (at_ms, device, kind, facts) VALUES (?, ?, ?, ?)", row)

    return write


class Outbox:
    """Events in, in order; out to the server, in the same order."""

    def __init__(self, store: Store, now_ms: Callable[[], int]) -> None:
        self._store = store
        self._now_ms = now_ms
        self._more = threading.Event()
        self.acknowledged = store.read(lambda connection: _mark(connection, ACKNOWLEDGED))

    def add(self, device: str, kind: str, facts: Mapping[str, object]) -> Receipt:
        """Store one event. Raises OutboxFull when nothing can be committed now."""
        receipt = self._store.submit(event_writer(self._now_ms(), device, kind, facts))
        receipt.on_commit(self.announce)
        return receipt

    def announce(self) -> None:
        """Wake whoever sends: there is something new."""
        self._more.set()

    def wait_for_more(self, timeout_s: float) -> None:
        """Return when something was stored since the last call, or after `timeout_s`."""
        self._more.wait(timeout_s)
        self._more.clear()

    def unsent(self, limit: int) -> list[StoredEvent]:
        """The oldest events the server has not acknowledged, at most `limit`."""
        return self._store.read(lambda connection: _page(connection, self.acknowledged, limit))

    def newest(self, device: str, kind: str, limit: int) -> list[Mapping[str, object]]:
        """Facts of the newest events of one device and kind still kept, at most `limit`, oldest first."""
        question = "SELECT facts FROM events WHERE device = ? AND kind = ? ORDER BY seq DESC LIMIT ?"
        rows = self._store.read(lambda connection: connection.execute(question, (device, kind, limit)).fetchall())
        return [json.loads(facts) for (facts,) in reversed(rows)]

    def waiting(self) -> int:
        """How many events the server has not acknowledged."""
        return max(0, self.last_seq() - self.acknowledged)

    def last_seq(self) -> int:
        return self._store.read(_last_seq)

    def oldest_seq(self) -> int:
        """The oldest event still kept, or the number of the next one if there is none."""

        def ask(connection: sqlite.Connection) -> int:
            found = connection.execute("SELECT min(seq) FROM events").fetchone()[0]
            return int(found) if found is not None else _last_seq(connection) + 1

        return self._store.read(ask)

    def acknowledge(self, high_water: int) -> None:
        """The server has everything up to `high_water`; it may also have gone back (restored from a backup)."""
        old_ms = self._now_ms() - KEPT_DAYS * DAY_MS

        def work(connection: sqlite.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (ACKNOWLEDGED, high_water))
            _forget(connection, high_water, old_ms)

        self._store.write(work)
        self.acknowledged = high_water

    def go_on_after(self, high_water: int) -> None:
        """The server knows higher numbers than we do: this file was lost and made anew.

        What is unsent is renumbered to follow the server's mark; sent as it is, the server would drop it as known.
        """

        def work(connection: sqlite.Connection) -> None:
            rows = connection.execute(
                "SELECT at_ms, device, kind, facts FROM events WHERE seq > ? ORDER BY seq", (self.acknowledged,)
            ).fetchall()
            connection.execute("DELETE FROM events WHERE seq > ?", (self.acknowledged,))
            connection.execute("UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'", (high_water,))
            if connection.execute("SELECT changes()").fetchone()[0] == 0:
                connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES ('events', ?)", (high_water,))
            connection.executemany("INSERT INTO events (at_ms, device, kind, facts) VALUES (?, ?, ?, ?)", rows)
            connection.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)", (ACKNOWLEDGED, high_water))

        self._store.write(work)
        self.acknowledged = high_water


def read_events(path: Path) -> Iterator[StoredEvent]:
    """Every durable event in order, also while a gateway is writing. Raises ConfigError if there is no outbox."""
    if not path.exists():
        raise ConfigError(f"no outbox at {path}: has the gateway run with this configuration?")
    connection = sqlite.connect(str(path), isolation_level=None)
    try:
        connection.execute("PRAGMA query_only = ON")
        after = 0
        while page := _page(connection, after, PAGE):
            yield from page
            after = page[-1].seq
    except sqlite.Error as error:
        raise ConfigError(f"{path} cannot be read: {error}") from error
    finally:
        connection.close()


def _page(connection: sqlite.Connection, after: int, limit: int) -> list[StoredEvent]:
    rows = connection.execute(
        "SELECT seq, at_ms, device, kind, facts FROM events WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit)
    )
    return [StoredEvent(seq, at_ms, device, kind, json.loads(facts)) for seq, at_ms, device, kind, facts in rows]


def _forget(connection: sqlite.Connection, high_water: int, old_ms: int) -> None:
    """Of what was acknowledged: the oldest, as long as they are old or too many; a bite at a time."""
    rows = connection.execute(
        "SELECT seq, at_ms FROM events WHERE seq <= ? ORDER BY seq LIMIT ?",
        (high_water - KEPT_MIN, FORGOTTEN_AT_ONCE_MAX),
    )
    gone = 0
    for seq, at_ms in rows.fetchall():
        if at_ms >= old_ms and seq > high_water - KEPT_MAX:
            break
        gone = seq
    connection.execute("DELETE FROM events WHERE seq <= ?", (gone,))


def _last_seq(connection: sqlite.Connection) -> int:
    found = connection.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()
    return int(found[0]) if found else 0


def _mark(connection: sqlite.Connection, name: str) -> int:
    found = connection.execute("SELECT value FROM marks WHERE name = ?", (name,)).fetchone()
    return int(found[0]) if found else 0
