"""No slot ever holds what it may not, and nothing is lost on the way there.

Boxes of random goods (sizes, weights, owners, lots, dates, conditions, temperatures, hazards, looks) go into slots
that are chosen or named at random, in racks of which some have weak beams or uprights; after every fifty each slot that
holds anything is judged anew by code that shares nothing with the house.
"""

from __future__ import annotations

import time
from random import Random

from tests.builders import a_park
from tests.proofs.frame import BOTH, SQLITE, Ground, Outcome, proof, twin
from tests.proofs.sabotage import replaced
from tests.slotting.putaways import PER_TRANSACTION, Stowing
from wms.slotting import judging

BROKEN_TOLD_MAX = 5


@proof(
    name="putaways",
    promises=(3, 4, 9),
    on=BOTH,
    small={"putaways": 500},
    full={"putaways": 100_000},
    goal="100,000 random putaways: no hard rule broken, nothing lost",
)
def putaways(ground: Ground, *, putaways: int) -> Outcome:
    return _stow(ground, putaways)


@twin(of="putaways", sabotage="weight is not looked at", on=(SQLITE,), small={"putaways": 1_000})
def weightless(ground: Ground, *, putaways: int) -> Outcome:
    def only_size(slot: object, inside: object, goods: object) -> None:
        """As if every beam carried everything."""

    with replaced(judging, _check_room=only_size):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="hazard classes are not kept apart", on=(SQLITE,), small={"putaways": 1_000})
def hazards_together(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_hazards=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="beams carry whatever lies on them", on=(SQLITE,), small={"putaways": 1_000})
def beams_of_steel(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_beams=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="uprights carry whatever lies between them", on=(SQLITE,), small={"putaways": 1_000})
def uprights_of_steel(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_uprights=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="cold goods stand wherever there is room", on=(SQLITE,), small={"putaways": 1_000})
def warm_milk(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_temperature=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="nobody asks how high heavy pieces are lifted", on=(SQLITE,), small={"putaways": 2_000})
def backs_of_steel(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_lift=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="look-alikes are not kept apart", on=(SQLITE,), small={"putaways": 1_000})
def lookalikes_together(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_lookalikes=lambda *_given: None):
        return _stow(ground, putaways)


@twin(of="putaways", sabotage="what expires first stands anywhere", on=(SQLITE,), small={"putaways": 1_000})
def first_anywhere(ground: Ground, *, putaways: int) -> Outcome:
    with replaced(judging, _check_expiry=lambda *_given: None):
        return _stow(ground, putaways)


def _stow(ground: Ground, putaways: int) -> Outcome:
    stowing = Stowing(a_park(ground.database()), Random(ground.seed))
    broken: list[str] = []
    began_s = time.monotonic()
    for _ in range(putaways // PER_TRANSACTION):
        broken += stowing.some()
        if len(broken) >= BROKEN_TOLD_MAX:
            break
    rate = putaways / max(0.001, time.monotonic() - began_s)
    if lost := stowing.lost():
        broken.append(f"{lost} pieces are neither here nor sold")
    facts = {
        "stored": stowing.outcomes["stored"],
        "refused": sum(stowing.outcomes.values()) - stowing.outcomes["stored"],
    }
    size = f"{putaways:,} putaways"
    return Outcome(size, (*broken[:BROKEN_TOLD_MAX], *ground.audit()), rate, "putaways/s", facts)
