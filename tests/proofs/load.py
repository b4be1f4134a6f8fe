"""Fifty PDAs against one house: each scan of a picking walk is acknowledged in time, and none is lost.

Each PDA is a connection of its own that walks planned batches: get work, load the cart, slot, goods, tote, lane. It
scans as soon as its pause is over and the last answer is there; the pause makes the crowd offer a given number of scans
a second, several times what people do. The time of a scan is measured at the PDA, from sending it to having its answer.
They begin spread over one walk: people do not all load their carts in the same second, and again a walk later. On
PostgreSQL two servers share the crowd: one Python process uses one core only.
"""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count

from scripts.benches.client import cpu_s
from tests.proofs.fire.hands import Crowd
from tests.proofs.fire.park import FirePark, build
from tests.proofs.fire.servers import Servers, Where
from tests.proofs.fire.verdict import judge, replayed, undelivered
from tests.proofs.fire.walks import plan, walks
from tests.proofs.fire.wire import pda
from tests.proofs.frame import Ground, Outcome, proof, twin

WARM_UP_S = 3.0
SPREAD_S = 15.0  # about a walk of six orders at the pace of the full size
RATE_MIN = 150.0
P99_MS_MAX = 250.0
SERVERS = {"sqlite": 1, "postgresql": 2}
SMALL_RUN_S = 10  # below that there is no figure, only right or wrong


@proof(
    name="load",
    promises=(1, 2, 4),
    small={"hands": 4, "orders": 24, "seconds": 2, "offered": 60},
    full={"hands": 50, "orders": 1_800, "seconds": 60, "offered": 155},
    goal=">= 150 scans/s, p99 <= 250 ms, 0 lost",
)
def load(ground: Ground, **size: int) -> Outcome:
    return _load(ground, None, **size)


@twin(of="load", sabotage="the server drops what it did on the way to the disk")
def loaded_server_that_forgets(ground: Ground, **size: int) -> Outcome:
    return _load(ground, "forget_every_tenth", **size)


def _load(ground: Ground, sabotage: str | None, *, hands: int, orders: int, seconds: int, offered: int) -> Outcome:
    database = ground.database()
    park = build(database, hands)
    plan(database, park, hands, orders)
    with ExitStack() as stack:
        servers = [stack.enter_context(_server(ground, number, sabotage)) for number in range(SERVERS[ground.kind])]
        for server in servers:
            server.start()
        spread_s = SPREAD_S if seconds >= SMALL_RUN_S else 0.0
        clients = _crowd(park, [server.where for server in servers], hands, offered, spread_s)
        clients.start()
        time.sleep(spread_s + WARM_UP_S if seconds >= SMALL_RUN_S else 0)
        clients.await_more(1)
        began_s, cpu_began_s = time.monotonic(), _cpu_s(servers)
        time.sleep(seconds)
        ended_s, cpu_ended_s = time.monotonic(), _cpu_s(servers)
        clients.finish()
        verdict = judge(database, clients.journal, orders_before=orders)
        besides = [*replayed(clients), *undelivered(database), *clients.failures]
        besides += [line for server in servers for line in server.trouble()]
        for server in servers:
            server.stop()
    times_s = sorted(one.took_s for one in clients.journal if began_s <= one.at_s <= ended_s)
    rate = len(times_s) / (ended_s - began_s)
    figures = {f"p{share} ms": _percentile_ms(times_s, share) for share in (50, 90, 99)}
    figures["server cpu ms a scan"] = round((cpu_ended_s - cpu_began_s) * 1_000 / max(1, len(times_s)), 2)
    if seconds >= SMALL_RUN_S:
        besides += _too_slow(rate, figures["p99 ms"])
    broken = tuple(dict.fromkeys([*verdict.sentences, *besides[:5]]))
    many = f", {len(servers)} servers" if len(servers) > 1 else ""
    size = f"{hands} PDAs{many}, {seconds} s, {offered} scans/s offered"
    return Outcome(size, broken, round(rate, 1), "scans/s", {**verdict.facts, **figures})


def _server(ground: Ground, number: int, sabotage: str | None) -> Servers:
    """With a folder of its own for what it logs."""
    folder = ground.folder / f"server {number}"
    folder.mkdir()
    return Servers(ground.url, folder, sabotage)


def _cpu_s(servers: Sequence[Servers]) -> float:
    return sum(cpu_s(server.pid) for server in servers)


def _crowd(park: FirePark, doors: Sequence[Where], hands: int, offered: int, spread_s: float) -> Crowd:
    totes = count()
    wires = [pda(doors[number % len(doors)], badge) for number, badge in enumerate(park.people)]
    lives = [walks(park, f"L{number}", number, totes) for number in range(hands)]
    return Crowd(wires, lives, hands / offered, spread_s)


def _percentile_ms(times_s: list[float], share: int) -> float:
    """Nearest rank."""
    return round(times_s[max(0, math.ceil(len(times_s) * share / 100) - 1)] * 1_000, 1) if times_s else math.inf


def _too_slow(rate: float, p99_ms: float) -> list[str]:
    found = []
    if rate < RATE_MIN:
        found.append(f"{rate:.0f} scans/s were acknowledged; {RATE_MIN:.0f} are wanted")
    if p99_ms > P99_MS_MAX:
        found.append(f"one scan in a hundred took {p99_ms:.0f} ms or more; {P99_MS_MAX:.0f} are allowed")
    return found
