from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import outbox as outboxes
from devices import sqlite
from devices.errors import ConfigError, OutboxFull
from devices.lock import OutboxLock
from devices.outbox import DAY_MS, KEPT_DAYS, Outbox, read_events
from devices.station import wall_ms
from devices.store import Store
from tests.devices.processes import WAIT_S, wait_until


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "station.db")
    yield opened
    opened.close()


@pytest.fixture
def outbox(store: Store) -> Outbox:
    return Outbox(store, wall_ms)


def add(outbox: Outbox, *codes: str) -> None:
    tickets = [outbox.add("scanner1", "scan", {"code": code}) for code in codes]
    assert all(ticket.wait(WAIT_S) for ticket in tickets)


def codes(outbox: Outbox, limit: int = 100) -> list[object]:
    return [event.facts["code"] for event in outbox.unsent(limit)]


def fill_disk(store: Store) -> None:
    """SQLite's own bound on the file: the same error as a disk without room."""
    pages = store.read(lambda connection: connection.execute("PRAGMA page_count").fetchone()[0])
    store.write(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages + 1}"))


def empty_disk(store: Store) -> None:
    store._writing.execute("PRAGMA max_page_count = 1000000")


def test_events_come_out_numbered_in_the_order_they_went_in(outbox: Outbox) -> None:
    add(outbox, *map(str, range(300)))
    events = outbox.unsent(1000)
    assert [event.seq for event in events] == list(range(1, 301))
    assert [event.facts["code"] for event in events] == list(map(str, range(300)))


def test_a_ticket_is_settled_only_after_the_commit(store: Store, outbox: Outbox) -> None:
    seen: list[int] = []
    ticket = outbox.add("line1", "cfm", {"pid": 1})
    ticket.on_commit(lambda: seen.append(len(list(read_events(store.path)))))
    assert ticket.wait(WAIT_S)
    wait_until(lambda: seen == [1], what="the callback, which comes just after the ticket is settled")
    ticket.on_commit(lambda: seen.append(-1))
    assert seen == [1, -1]


def test_many_events_share_few_commits(store: Store, outbox: Outbox) -> None:
    add(outbox, *map(str, range(500)))
    assert store.commits < 50


def test_events_of_many_threads_are_all_there_once(outbox: Outbox) -> None:
    def work(name: str) -> None:
        add(outbox, *(f"{name}-{number}" for number in range(50)))

    threads = [threading.Thread(target=work, args=(str(number),)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(codes(outbox, 1000))) == 400
    assert [event.seq for event in outbox.unsent(1000)] == list(range(1, 401))


def test_numbers_go_on_after_a_restart_even_if_everything_was_sent_and_forgotten(tmp_path: Path) -> None:
    store = Store(tmp_path / "station.db")
    outbox = Outbox(store, wall_ms)
    add(outbox, "a", "b", "c")
    store.write(lambda connection: connection.execute("DELETE FROM events"))
    store.close()
    store = Store(tmp_path / "station.db")
    outbox = Outbox(store, wall_ms)
    outbox.acknowledge(3)
    add(outbox, "d")
    assert [(event.seq, event.facts["code"]) for event in outbox.unsent(10)] == [(4, "d")]
    store.close()


def test_what_the_server_acknowledged_is_not_sent_again(outbox: Outbox) -> None:
    add(outbox, "a", "b", "c")
    outbox.acknowledge(2)
    assert codes(outbox) == ["c"]
    assert outbox.waiting() == 1


def kept(store: Store) -> list[int]:
    return [event.seq for event in read_events(store.path)]


def test_what_was_acknowledged_is_kept_for_days_in_case_the_server_is_restored(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outboxes, "KEPT_MIN", 1)
    now_ms = [wall_ms()]
    outbox = Outbox(store, lambda: now_ms[0])
    add(outbox, "a", "b", "c")
    outbox.acknowledge(3)
    assert kept(store) == [1, 2, 3]
    now_ms[0] += KEPT_DAYS * DAY_MS + 1
    add(outbox, "d")
    outbox.acknowledge(4)
    assert kept(store) == [4]


def test_however_busy_the_line_is_what_is_kept_has_a_bound(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "KEPT_MIN", 1)
    monkeypatch.setattr(outboxes, "KEPT_MAX", 2)
    outbox = Outbox(store, wall_ms)
    add(outbox, *"abcde")
    outbox.acknowledge(5)
    assert kept(store) == [4, 5]


def test_what_was_not_acknowledged_is_kept_for_ever(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outboxes, "KEPT_MIN", 1)
    outbox = Outbox(store, lambda: 0)
    add(outbox, *"abc")
    Outbox(store, wall_ms).acknowledge(0)
    assert kept(store) == [1, 2, 3]


def test_a_lost_outbox_goes_on_after_the_numbers_the_server_knows(outbox: Outbox) -> None:
    add(outbox, "a", "b")
    outbox.go_on_after(1000)
    add(outbox, "c")
    assert [(event.seq, event.facts["code"]) for event in outbox.unsent(10)] == [(1001, "a"), (1002, "b"), (1003, "c")]


def test_a_full_disk_is_said_and_nothing_is_lost_that_was_promised(store: Store, outbox: Outbox) -> None:
    add(outbox, "before")
    fill_disk(store)
    failed: list[str] = []
    with pytest.raises(OutboxFull, match="full"):  # noqa: PT012  # how many fit before it is full is SQLite's matter
        for number in range(100):
            ticket = outbox.add("scanner1", "scan", {"code": "x" * 1000, "number": number})
            ticket.on_failure(lambda: failed.append("told"))
            ticket.wait(WAIT_S)
    wait_until(lambda: failed, what="the callback, which comes just after the ticket is settled")
    assert failed == ["told"]
    kept = codes(outbox, 1000)
    assert kept[0] == "before"
    empty_disk(store)
    threading.Event().wait(0.6)
    add(outbox, "after")
    assert codes(outbox, 1000) == [*kept, "after"]


def test_what_cannot_be_written_as_json_never_reaches_the_outbox(outbox: Outbox) -> None:
    with pytest.raises(TypeError):
        outbox.add("scanner1", "scan", {"code": object()})
    add(outbox, "fine")
    assert codes(outbox) == ["fine"]


def test_events_can_be_read_while_the_gateway_writes(store: Store, outbox: Outbox) -> None:
    add(outbox, "a")
    reading = read_events(store.path)
    assert next(reading).facts["code"] == "a"
    add(outbox, "b")
    assert [event.facts["code"] for event in read_events(store.path)] == ["a", "b"]
    assert list(reading)[-1].facts["code"] == "b"


def test_no_outbox_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="has the gateway run"):
        list(read_events(tmp_path / "none.db"))


def test_one_outbox_serves_one_gateway(tmp_path: Path) -> None:
    lock = OutboxLock(tmp_path / "station.db")
    with pytest.raises(ConfigError, match="in use by another gateway"):
        OutboxLock(tmp_path / "station.db")
    lock.release()
    OutboxLock(tmp_path / "station.db").release()


def test_the_file_is_written_through_to_the_disk(store: Store) -> None:
    def modes(connection: sqlite.Connection) -> tuple[str, int]:
        ask = connection.execute
        return ask("PRAGMA journal_mode").fetchone()[0], ask("PRAGMA synchronous").fetchone()[0]

    full = 2
    assert store.read(modes) == ("wal", full)
    assert modes(store._writing) == ("wal", full)


def test_a_code_that_is_no_utf8_is_kept_as_it_came(outbox: Outbox) -> None:
    broken = b"\xff\xfe".decode("utf-8", "surrogateescape")
    add(outbox, broken, "储位", "next")
    assert codes(outbox) == [broken, "储位", "next"]


def test_a_callback_that_fails_does_not_stop_the_writer(outbox: Outbox) -> None:
    def fall() -> None:
        raise ZeroDivisionError

    ticket = outbox.add("line1", "cfm", {"pid": 1})
    ticket.on_commit(fall)
    ticket.wait(WAIT_S)
    ticket.on_commit(fall)
    add(outbox, "after")
    assert len(outbox.unsent(10)) == 2
