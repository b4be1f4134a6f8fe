"""Many workers who pick for a while, in threads or in processes: how many picks were done and what they cost."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from sqlalchemy import text

from scripts.benches.client import cpu_s
from scripts.benches.picks import Floor, picker
from scripts.benches.replay import Hand, Pick, PostgresRaw, SqliteRaw
from wms.core.db import Database

GATE_TIMEOUT_S = 120
WARM_UP = 12  # turns of each worker: statements get prepared, pages read
RAW_ON_POSTGRESQL = ("one_by_one", "pipelined", "as_function")
Work = Callable[[int], int]


@dataclass(frozen=True, slots=True)
class Done:
    """Picks, the wall seconds they took, and processor seconds: the workers' own and the database server's."""

    picks: int
    seconds: float
    cpu_s: float

    @property
    def rate(self) -> float:
        return self.picks / self.seconds

    @property
    def cpu_ms(self) -> float:
        return self.cpu_s * 1_000 / max(1, self.picks)


def together(done: Sequence[Done]) -> Done:
    """Several rounds as one."""
    return Done(sum(one.picks for one in done), sum(one.seconds for one in done), sum(one.cpu_s for one in done))


def _live(work: Work, gate: Any, seconds: float, used_s: Callable[[], float] = lambda: 0.0) -> tuple[int, float, float]:
    """Picks done, seconds taken and processor seconds used by one worker, once all are at the gate."""
    for turn in range(WARM_UP):
        work(turn)
    gate.wait(GATE_TIMEOUT_S)
    picks, turn, began_s, cpu_began_s = 0, WARM_UP, time.monotonic(), used_s()
    while time.monotonic() - began_s < seconds:
        picks += work(turn)
        turn += 1
    return picks, time.monotonic() - began_s, used_s() - cpu_began_s


def _in_threads(works: Sequence[Work], seconds: float) -> Done:
    gate = threading.Barrier(len(works) + 1)
    with ThreadPoolExecutor(len(works)) as pool:
        lives = [pool.submit(_live, work, gate, seconds) for work in works]
        gate.wait(GATE_TIMEOUT_S)
        began_s = time.process_time()
        found = [life.result() for life in lives]
        cpu = time.process_time() - began_s
    return Done(sum(picks for picks, *_ in found), max(took_s for _, took_s, _ in found), cpu)


def product_in_threads(floor: Floor, seconds: float) -> Done:
    """The real command, a thread for each hand, one database."""
    database = Database.open(floor.url)
    try:
        return _in_threads([_counted(database, floor, hand) for hand in range(len(floor.hands))], seconds)
    finally:
        database.dispose()


def _counted(database: Database, floor: Floor, hand: int) -> Work:
    pick = picker(database, floor, hand)

    def work(turn: int) -> int:
        outcome = pick(turn)
        assert outcome.status == 200, outcome.body
        return 1

    return work


def raw_in_threads(url: str, hands: Sequence[Sequence[Pick]], seconds: float) -> Done:
    """The bare driver, a thread for each hand, one connection that they take in turn; a commit for each pick."""
    raw, mutex = SqliteRaw(url), threading.Lock()

    def worker(hand: Hand) -> Work:
        def work(turn: int) -> int:
            with mutex:
                return raw.commit_each(hand, turn)

        return work

    try:
        return _in_threads([worker(Hand(picks)) for picks in hands], seconds)
    finally:
        raw.connection.close()


def raw_eight_to_a_commit(url: str, hands: Sequence[Sequence[Pick]], seconds: float) -> Done:
    """The bare driver in one thread, eight picks to a commit."""
    raw = SqliteRaw(url)
    hand = Hand([pick for picks in hands for pick in picks])
    try:
        return _in_threads([lambda turn: raw.commit_eight(hand, turn)], seconds)
    finally:
        raw.connection.close()


_gates: list[Any] = []


def _keep(gate: Any) -> None:
    _gates.append(gate)


def in_processes(live: Callable[..., tuple[int, float, float]], shares: Sequence[tuple[Any, ...]]) -> Done:
    """`live(*share)` in a process for each share; they begin together."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])
    with ProcessPoolExecutor(len(shares), context, _keep, (context.Barrier(len(shares)),)) as pool:
        found = [life.result() for life in [pool.submit(live, *share) for share in shares]]
    picks, took_s, cpu = zip(*found, strict=True)
    return Done(sum(picks), max(took_s), sum(cpu))


def product_process(floor: Floor, hand: int, seconds: float) -> tuple[int, float, float]:
    """The real command in a process of its own with a connection of its own."""
    database = Database.open(floor.url)
    try:
        work = _counted(database, floor, hand)
        work(WARM_UP + 1)
        pid = database.transact(lambda session: session.execute(text("SELECT pg_backend_pid()")).scalar_one())
        return _measured(work, seconds, pid)
    finally:
        database.dispose()


def raw_process(url: str, picks: Sequence[Pick], way: str, seconds: float) -> tuple[int, float, float]:
    """The bare driver in a process of its own."""
    raw, hand = PostgresRaw(url), Hand(picks)
    do: Callable[[Hand, int], int] = getattr(raw, way)
    try:
        return _measured(lambda turn: do(hand, turn), seconds, raw.backend_pid)
    finally:
        raw.connection.close()


def _measured(work: Work, seconds: float, backend_pid: int) -> tuple[int, float, float]:
    return _live(work, _gates[0], seconds, lambda: time.process_time() + cpu_s(backend_pid))
