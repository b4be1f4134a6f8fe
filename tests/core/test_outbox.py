"""What leaves the house: if and only if committed, in order within its aggregate, under leases."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import event, func, select, text, update
from sqlalchemy.exc import DBAPIError

from tests.builders import acting, at_once
from wms.core import outbox
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.outbox import ATTEMPTS_MAX, BATCH_MAX, Announcement, Brief, Deliverer, announce
from wms.core.tables import FileMark, OutboxRow

WAIT_S = 60.0


def announced(database: Database, *facts: tuple[str, int]) -> None:
    def all_of(call: Call) -> None:
        for aggregate, number in facts:
            announce(call, "order.shipped", aggregate, number=number)

    acting(database, all_of)


class Post:
    """Takes what is delivered; fails while `down`."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.got: list[tuple[str, int]] = []
        self.down = False
        self.deliverer = Deliverer(database, {"order.shipped": self.take})

    def take(self, row: Announcement) -> None:
        if self.down:
            raise ConnectionError("no answer")
        self.got.append((row.aggregate, row.facts["number"]))

    def rounds(self, count: int = 10) -> None:
        for _ in range(count):
            self.deliverer.deliver_some()


@pytest.fixture
def post(database: Database) -> Post:
    return Post(database)


def in_the_past(database: Database) -> None:
    """As if every wait and lease were over."""
    gone = datetime.now(UTC) - timedelta(hours=1)
    database.transact(lambda session: session.execute(update(OutboxRow).values(not_before=gone, lease_until=gone)))


def rows_open(database: Database) -> int:
    query = select(func.count()).select_from(OutboxRow).where(OutboxRow.sent_at.is_(None))
    return database.read(lambda session: session.scalar(query)) or 0


def test_what_was_rolled_back_is_never_delivered(post: Post) -> None:
    def in_vain(call: Call) -> None:
        announce(call, "order.shipped", "order:1", number=1)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        acting(post.database, in_vain)
    post.rounds()
    assert post.got == []


def test_facts_of_one_aggregate_come_in_order(post: Post) -> None:
    announced(post.database, ("order:1", 1), ("order:2", 1), ("order:1", 2), ("order:1", 3), ("order:2", 2))
    post.rounds()
    assert [number for aggregate, number in post.got if aggregate == "order:1"] == [1, 2, 3]
    assert [number for aggregate, number in post.got if aggregate == "order:2"] == [1, 2]
    assert rows_open(post.database) == 0


def test_a_fact_is_delivered_once(post: Post) -> None:
    announced(post.database, ("order:1", 1))
    post.rounds()
    assert post.got == [("order:1", 1)]


def test_a_failed_fact_holds_back_its_own_aggregate_only(post: Post) -> None:
    announced(post.database, ("order:1", 1))
    post.down = True
    post.rounds(1)
    post.down = False
    announced(post.database, ("order:1", 2), ("order:2", 1))
    post.rounds()
    assert post.got == [("order:2", 1)]
    in_the_past(post.database)
    post.rounds()
    assert post.got == [("order:2", 1), ("order:1", 1), ("order:1", 2)]


def test_what_keeps_failing_is_set_aside_for_a_person(post: Post) -> None:
    announced(post.database, ("order:1", 1))
    post.down = True
    for _ in range(ATTEMPTS_MAX):
        in_the_past(post.database)
        post.rounds(1)
    (row,) = post.database.read(lambda session: session.scalars(select(OutboxRow)).all())
    assert (row.attempts, row.sent_at, row.trouble) == (ATTEMPTS_MAX, None, "ConnectionError: no answer")
    assert row.set_aside_at is not None
    post.down = False
    in_the_past(post.database)
    post.rounds()
    assert post.got == []


def test_a_leased_fact_waits_until_its_lease_is_over(post: Post) -> None:
    announced(post.database, ("order:1", 1))
    soon = datetime.now(UTC) + timedelta(seconds=30)
    post.database.transact(lambda session: session.execute(update(OutboxRow).values(lease_until=soon)))
    post.rounds()
    assert post.got == []
    in_the_past(post.database)
    post.rounds()
    assert post.got == [("order:1", 1)]


def test_a_row_whose_lease_ran_out_behind_a_slow_one_is_left_to_others(
    post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    announced(post.database, ("order:1", 1), ("order:2", 2))
    take, lease_s = post.take, outbox.LEASE_S

    def longer_than_the_lease(row: Announcement) -> None:
        take(row)
        monkeypatch.setattr(outbox, "LEASE_S", 0.0)

    Deliverer(post.database, {"order.shipped": longer_than_the_lease}).deliver_some()
    monkeypatch.setattr(outbox, "LEASE_S", lease_s)
    assert post.got == [("order:1", 1)]
    in_the_past(post.database)
    post.rounds()
    assert post.got == [("order:1", 1), ("order:2", 2)]


def test_two_workers_share_the_work_and_keep_the_order(database: Database) -> None:
    facts = [(f"order:{number % 5}", number) for number in range(20)]
    announced(database, *facts)
    workers = [Post(database), Post(database)]
    shared: list[tuple[str, int]] = []
    for worker in workers:
        worker.got = shared
    for _ in range(6):
        at_once([worker.deliverer.deliver_some for worker in workers])
    assert sorted(shared) == sorted(facts)
    for aggregate in {aggregate for aggregate, _ in facts}:
        numbers = [number for found, number in shared if found == aggregate]
        assert numbers == sorted(numbers)


def test_a_batch_is_bounded(post: Post) -> None:
    announced(post.database, *((f"order:{number}", number) for number in range(BATCH_MAX + 1)))
    assert [post.deliverer.deliver_some() for _ in range(3)] == [BATCH_MAX, 1, 0]


def test_a_running_worker_delivers_soon_after_the_commit_and_stops(post: Post) -> None:
    seen = post.database.wakes.seen("delivered")
    take = post.take

    def take_and_tell(row: Announcement) -> None:
        take(row)
        post.database.wakes.wake(["delivered"])

    deliverer = Deliverer(post.database, {"order.shipped": take_and_tell})
    deliverer.start()
    announced(post.database, ("order:1", 1))
    assert post.database.wakes.wait("delivered", seen, WAIT_S)
    deliverer.stop()
    assert post.got == [("order:1", 1)]


def test_a_running_worker_outlives_a_database_that_was_away(post: Post) -> None:
    announced(post.database, ("order:1", 1))
    post.database.transact(lambda session: session.execute(text("ALTER TABLE outbox RENAME TO away")))
    stalled = threading.Event()
    deliverer = Deliverer(post.database, {"order.shipped": post.take})
    deliver_some = deliverer.deliver_some

    def watched() -> int:
        try:
            return deliver_some()
        except DBAPIError:
            stalled.set()
            raise

    deliverer.deliver_some = watched  # type: ignore[method-assign]
    deliverer.start()
    assert stalled.wait(WAIT_S)
    post.database.transact(lambda session: session.execute(text("ALTER TABLE away RENAME TO outbox")))
    until_s = time.monotonic() + WAIT_S
    while not post.got and time.monotonic() < until_s:
        time.sleep(0.01)
    deliverer.stop()
    assert post.got == [("order:1", 1)]


def brief(database: Database, *, fails_at: int | None = None) -> Deliverer:
    """A worker whose handler leaves a mark for each number; of one it fails, after the mark."""

    def mark(call: Call, told: Announcement) -> None:
        number = told.facts["number"]
        call.session.add(FileMark(name=f"n{number}", value="1"))
        call.session.flush()
        if number == fails_at:
            raise ConnectionError("no answer")

    return Deliverer(database, {"order.shipped": Brief(database, WallClock(), mark)})


def marks(database: Database) -> list[str]:
    return list(database.read(lambda session: session.scalars(select(FileMark.name).order_by(FileMark.name)).all()))


def test_brief_facts_are_done_in_the_one_transaction_that_marks_them(database: Database) -> None:
    announced(database, ("order:1", 1), ("order:2", 2), ("order:3", 3))
    commits: list[int] = []
    event.listen(database.write_engine, "commit", lambda _connection: commits.append(rows_of_marks(database)))
    assert brief(database).deliver_some() == 3
    assert commits == [0]
    assert marks(database) == ["n1", "n2", "n3"]
    assert rows_open(database) == 0


def rows_of_marks(database: Database) -> int:
    """As others see them."""
    return len(marks(database))


def test_a_brief_fact_that_fails_takes_back_its_own_effect_only(database: Database) -> None:
    announced(database, ("order:1", 1), ("order:2", 2), ("order:3", 3))
    worker = brief(database, fails_at=2)
    worker.deliver_some()
    assert marks(database) == ["n1", "n3"]
    assert rows_open(database) == 1
    (row,) = database.read(lambda session: session.scalars(select(OutboxRow).where(OutboxRow.sent_at.is_(None))).all())
    assert (row.attempts, row.trouble) == (1, "ConnectionError: no answer")
    in_the_past(database)
    brief(database).deliver_some()
    assert marks(database) == ["n1", "n2", "n3"]


def test_a_topic_nobody_listens_to_is_done_with(post: Post) -> None:
    acting(post.database, lambda call: announce(call, "other", "order:1"))
    post.rounds()
    assert rows_open(post.database) == 0
