"""PostgreSQL dies under the server: its sessions one by one, or the whole cluster at one moment.

Clients are those of server_killed. The server itself lives on: it must find its way back, and nobody may be told
"a mistake of ours" on the way (503, "again", is lawful). A crash of the cluster is kill -9 of all its processes at
once: what was answered must stand in the files by then. So no cut of power is needed to see whether commits wait for
the log: with synchronous_commit off, and a log writer that sleeps, the answered ones stand in shared memory only.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random

from sqlalchemy import text

from tests import postgres, schema
from tests.proofs.fire.hands import Crowd, crowd
from tests.proofs.fire.park import build
from tests.proofs.fire.servers import Servers
from tests.proofs.fire.verdict import SHOWN_MAX, Verdict, judge, replayed, undelivered
from tests.proofs.frame import POSTGRESQL, Ground, Outcome, proof, twin
from wms.core.db import Database

PROGRAMS, HANDS = 4, 3
MOMENT_S = 0.03
LAST_ONES = 15


# Sessions at work come first: those that wait for nothing lose nothing.
_END_SESSIONS = text(
    "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() ORDER BY state = 'idle', random() LIMIT :number) AS doomed"
)


@proof(
    name="sessions_killed",
    promises=(1, 2, 4),
    on=(POSTGRESQL,),
    small={"kills": 4, "each": 20},
    full={"kills": 20, "each": 150},
    goal="20 kills, 0 lost",
)
def sessions_killed(ground: Ground, *, kills: int, each: int) -> Outcome:
    return _sessions_killed(ground, None, kills, each)


@twin(of="sessions_killed", sabotage="answers leave before their commit", small={"kills": 3, "each": 4})
def session_killed_after_an_early_answer(ground: Ground, *, kills: int, each: int) -> Outcome:
    return _sessions_killed(ground, "answer_before_commit", kills, each)


def _sessions_killed(ground: Ground, sabotage: str | None, kills: int, each: int) -> Outcome:
    park = build(ground.database(), HANDS)
    chance = ground.random()
    with Servers(ground.url, ground.folder, sabotage) as servers:
        servers.start()
        clients = crowd(park, servers.where, PROGRAMS)
        clients.start()
        for number in range(kills):
            _await_a_moment(clients, chance, each)
            # In turn one session, and all that there are.
            _end_sessions(ground.database(), 1 if number % 2 else 100)
        verdict, besides = _end(clients, servers, ground.database(), sabotaged=sabotage is not None)
    return Outcome(f"{kills} kills, {PROGRAMS} programs, {HANDS} PDAs", besides, facts=verdict.facts)


def _end_sessions(database: Database, number: int) -> None:
    with database.write_engine.begin() as connection:
        connection.execute(_END_SESSIONS, {"number": number})


@proof(
    name="cluster_killed",
    promises=(1, 2, 4),
    on=(POSTGRESQL,),
    small={"crashes": 1, "each": 25},
    full={"crashes": 20, "each": 150},
    goal="20 crashes, 0 lost",
)
def cluster_killed(ground: Ground, *, crashes: int, each: int) -> Outcome:
    return _cluster_killed(ground, crashes, each, sabotaged=False)


@twin(of="cluster_killed", sabotage="synchronous_commit = off")
def commits_do_not_wait_for_the_log(ground: Ground, *, crashes: int, each: int) -> Outcome:
    return _cluster_killed(ground, crashes, each, sabotaged=True)


def _cluster_killed(ground: Ground, crashes: int, each: int, *, sabotaged: bool) -> Outcome:
    chance = ground.random()
    with _stand(synchronous_commit="off" if sabotaged else "on") as stand, Servers(stand.url, ground.folder) as servers:
        park = build(stand.database, HANDS)
        _write_all_down(stand.database)
        stand.cluster.put_log_writer_to_sleep()
        servers.start()
        clients = crowd(park, servers.where, PROGRAMS)
        clients.start()
        for number in range(crashes):
            _await_a_moment(clients, chance, each)
            if number % 4 == 3:
                stand.cluster.stop_at_once()
            else:
                stand.cluster.crash()
            stand.cluster.start()
            stand.cluster.put_log_writer_to_sleep()
        verdict, besides = _end(clients, servers, stand.database, sabotaged=sabotaged)
    return Outcome(f"{crashes} crashes, {PROGRAMS} programs, {HANDS} PDAs", besides, facts=verdict.facts)


@dataclass(frozen=True)
class _Stand:
    """A cluster that may be killed, and the proof's database in it."""

    cluster: postgres.Cluster
    url: str
    database: Database


@contextmanager
def _stand(*, synchronous_commit: str) -> Iterator[_Stand]:
    with postgres.cluster_to_crash({"synchronous_commit": synchronous_commit}) as cluster:
        server = postgres.Server(cluster.url)
        url = server.url(server.create("crash"))
        schema.build(url)
        database = Database.open(url)
        try:
            yield _Stand(cluster, url, database)
        finally:
            database.dispose()


def _write_all_down(database: Database) -> None:
    """Only what the clients do shall be at stake, not the park."""
    with database.write_engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("CHECKPOINT")


def _await_a_moment(clients: Crowd, chance: Random, each: int) -> None:
    clients.await_more(chance.randint(each // 2, each))
    time.sleep(chance.uniform(0, MOMENT_S))


def _end(clients: Crowd, servers: Servers, database: Database, *, sabotaged: bool) -> tuple[Verdict, tuple[str, ...]]:
    """The verdict, and every broken promise; of a sabotaged server only what was lost counts."""
    clients.await_more(LAST_ONES)
    clients.finish()
    database.dispose()  # its sessions died with the others
    verdict = judge(database, clients.journal)
    if sabotaged:
        return verdict, tuple(one for one in verdict.sentences if one.startswith("lost"))
    besides = [*replayed(clients), *undelivered(database)]
    servers.stop()
    besides += [*clients.failures, *servers.trouble(), *judge(database, clients.journal).sentences]
    return verdict, tuple(dict.fromkeys([*verdict.sentences, *besides[:SHOWN_MAX]]))
