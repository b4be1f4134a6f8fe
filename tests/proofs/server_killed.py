"""The server is killed with -9 under load, again and again: what was acknowledged is there exactly once.

Programs live order cycles over REST, people receive and put away at PDAs, each on a connection of its own. Every client
journals what was acknowledged; what was not is sent again under its id to the next server. After the last kill all
commands are answered, some are sent once more, and the journals are compared with the rows. The server is `wms serve`
in a process of its own (tests/proofs/fire/mother.py says how a start is made cheap).
"""

from __future__ import annotations

import time

from tests.proofs.fire.hands import ProgramLife, crowd, order_cycles, receipts
from tests.proofs.fire.park import build
from tests.proofs.fire.servers import Servers
from tests.proofs.fire.verdict import Verdict, judge, replayed, undelivered
from tests.proofs.frame import Ground, Outcome, proof, twin

MOMENT_S = 0.03  # about the time of a command, so that kills fall into every part of one
LAST_ONES = 10


@proof(
    name="server_killed",
    promises=(1, 2, 4),
    small={"kills": 2, "programs": 3, "hands": 2, "each": 30},
    full={"kills": 100, "programs": 5, "hands": 4, "each": 110},
    goal=">= 5,000 acknowledged, 0 lost, 0 doubled",
)
def server_killed(ground: Ground, **size: int) -> Outcome:
    """Between two kills 1 to `each` commands are acknowledged to `programs` programs and `hands` PDAs."""
    verdict, again = _fire(ground, None, order_cycles, **size)
    return _outcome(size, verdict, (*verdict.sentences, *again))


@twin(
    of="server_killed",
    sabotage="answers leave before their commit",
    small={"kills": 2, "programs": 3, "hands": 2, "each": 5},
)
def answered_before_the_commit(ground: Ground, **size: int) -> Outcome:
    verdict, _again = _fire(ground, "answer_before_commit", order_cycles, **size)
    return _outcome(size, verdict, tuple(one for one in verdict.sentences if one.startswith("lost")))


@twin(
    of="server_killed",
    sabotage="the server ignores the client's ids",
    small={"kills": 2, "programs": 4, "hands": 0, "each": 8},
)
def every_retry_a_new_command(ground: Ground, **size: int) -> Outcome:
    """Only the sums are asked: they do not look at ids."""
    verdict, _again = _fire(ground, "fresh_ids", receipts, **size)
    return _outcome(size, verdict, tuple(one for one in verdict.sentences if one.startswith("doubled: sum")))


def _fire(
    ground: Ground,
    sabotage: str | None,
    life: ProgramLife,
    *,
    kills: int,
    programs: int,
    hands: int,
    each: int,
) -> tuple[Verdict, list[str]]:
    """The verdict after the last kill, and what was wrong besides: when old commands came once more, in the logs."""
    park = build(ground.database(), hands)
    chance = ground.random()
    ground.close()
    with Servers(ground.url, ground.folder, sabotage) as servers:
        servers.start()
        clients = crowd(park, servers.where, programs, life)
        clients.start()
        for _ in range(kills):
            clients.await_more(chance.randint(1, each))
            time.sleep(chance.uniform(0, MOMENT_S))
            servers.kill()
            servers.start()
        clients.await_more(LAST_ONES)
        clients.finish()
        verdict = judge(ground.database(), clients.journal)
        again = [*replayed(clients), *undelivered(ground.database())]
        servers.stop()
        again += [*clients.failures, *servers.trouble()]
    return verdict, [*again, *judge(ground.database(), clients.journal).sentences]


def _outcome(size: dict[str, int], verdict: Verdict, broken: tuple[str, ...]) -> Outcome:
    words = f"{size['kills']} kills, {size['programs']} programs, {size['hands']} PDAs"
    return Outcome(words, tuple(dict.fromkeys(broken)), facts=verdict.facts)
