"""Bays divided anew at random, in any order and given up at any point, while goods come and go: nothing is lost, no
hard rule is broken, and every slot that is no more is empty.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select

from tests.builders import Park, a_park, a_person
from tests.inbound.dock import broken_promises
from tests.slotting.putaways import broken_rules
from tests.slotting.putaways import some_skus as random_skus
from tests.slotting.racking import divisions, filled, on_hand, some_skus, spare, spares
from wms.auditing import broken_promises as every_promise
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Refused
from wms.inbound import service as inbound
from wms.inbound.values import LotGiven
from wms.ledger import service as ledger
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.optimise.slotting.divide import choose
from wms.site import racks
from wms.site.rules import Parts
from wms.site.tables import Slot
from wms.slotting import dividing, division_plan, moving
from wms.slotting.division_ground import OPEN_STATES
from wms.slotting.tables import MoveProposal

STEPS = 90
SPARE = Parts(40, 200)


class Floor:
    """People who put goods away, buy, plan, divide bays and think better of it, by the dice."""

    def __init__(self, park: Park, dice: random.Random) -> None:
        self.park, self.dice = park, dice
        filled(park, every=4)
        self.skus: list[SkuFacts] = park.act(lambda call: random_skus(call, dice))
        self.coming = {sku.id: 10 for sku in [*self.skus, *some_skus(park, 120)]}
        self.done: Counter[str] = Counter()
        self.arrived = on_hand(park)

    def step(self) -> None:
        """Somebody does something; a refusal is an answer, and changes nothing."""
        works: list[Callable[[], None]] = [self._stow, self._stow, self._buy, self._plan, self._carry, self._carry]
        work = self.dice.choice([*works, self._divide, self._divide, self._divide, self._withdraw])
        try:
            work()
            self.done[work.__name__] += 1
        except Refused as no:
            self.done[no.reason.value] += 1

    def _stow(self) -> None:
        for _ in range(4):
            sku, pieces = self.dice.choice(self.skus), self.dice.randint(1, 20)
            lot = LotGiven(self.dice.choice(["B1", "B2"])) if sku.lot_tracked else None
            self.park.act(partial(self._box, sku=sku, pieces=pieces, lot=lot))
            self.arrived += pieces

    def _box(self, call: Call, *, sku: SkuFacts, pieces: int, lot: LotGiven | None) -> None:
        box = inbound.lpn(call, None)
        inbound.receive(call, sku=sku, quantity=pieces, container=box, lot=lot)
        try:
            with call.session.begin_nested():
                inbound.put_away(call, container=box)
        except Refused as no:
            self.done[no.reason.value] += 1

    def _buy(self) -> None:
        def buy(call: Call) -> None:
            query = select(Stock).join(Slot, Slot.place_id == Stock.place_id)
            rows = call.session.scalars(query.where(Stock.on_hand > Stock.promised).order_by(Stock.id)).all()
            for row in self.dice.sample(rows, min(3, len(rows))):
                customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
                goods = (row.sku_id, row.lot_id, row.on_hand - row.promised, Condition(row.condition))
                movement = Movement(MovementKind.SHIP, row.merchant_id, row.place_id, customer, *goods)
                ledger.post(call, [movement])

        self.park.act(buy)

    def _plan(self) -> None:
        number = division_plan.plan_divisions(
            self.park.database,
            self.park.clock,
            self.park.warehouse_id,
            lambda session: self.coming,
            bays_max=4,
            think=choose,
        )
        found = [row.id for row in divisions(self.park, "proposed") if row.plan_id == number]
        self.park.act(lambda call: dividing.accept(call, self.dice.sample(found, (len(found) + 1) // 2)))

    def _carry(self) -> None:
        row = MoveProposal
        query = select(row.id).where(row.state == "accepted").order_by(row.id)
        moves = self.park.read(lambda session: session.scalars(query).all())
        for move in moves[: self.dice.choice([1, 8])]:
            self._one_move(move)

    def _one_move(self, move: int) -> None:
        found = self.park.act(lambda call: moving.set_out(call, move))
        if isinstance(found, Refused):
            self.done[found.reason.value] += 1
        elif self.dice.random() < 0.9:
            self.park.act(lambda call: moving.put_down(call, move, found.target.code))
        elif self.dice.random() < 0.5:
            self.park.act(lambda call: moving.put_back(call, move))

    def _divide(self) -> None:
        rows = divisions(self.park, *OPEN_STATES)
        if not rows:
            return
        row = self.dice.choice(rows)
        slots = self.park.read(lambda session: racks.rack(session, self.park.warehouse_id, row.bay_id)).slots
        if row.state == "accepted":
            self.park.act(lambda call: dividing.begin(call, row.id, slots[0].code))
        elif row.state == "changing":
            self.park.act(lambda call: dividing.parts_changed(call, row.id))
        else:
            for slot in slots[: self.dice.choice([1, len(slots)])]:
                self.park.act(partial(dividing.label_hung, division_id=row.id, slot_code=slot.code))

    def _withdraw(self) -> None:
        rows = divisions(self.park, *OPEN_STATES)
        if rows:
            self.park.act(lambda call: dividing.withdraw(call, self.dice.choice(rows).id))

    def lost(self) -> int:
        """Pieces that arrived and are neither here nor bought."""
        ships = select(MovementRow.quantity).where(MovementRow.kind == MovementKind.SHIP.value)
        return self.arrived - on_hand(self.park) - self.park.read(lambda session: sum(session.scalars(ships)))

    def parts(self) -> Parts:
        """All beams and dividers there are for racks of 600 mm: in the bays, spare, or in somebody's hands."""
        ready = spares(self.park)
        stand = [
            rack.parts
            for rack in self.park.read(lambda session: racks.racks(session, self.park.warehouse_id))
            if rack.depth_mm == 600
        ]
        held = divisions(self.park, "changing")
        return Parts(
            ready.beams + sum(each.beams for each in stand) + sum(max(0, row.beams) for row in held),
            ready.dividers + sum(each.dividers for each in stand) + sum(max(0, row.dividers) for row in held),
        )


@pytest.mark.parametrize("seed", [1, 2])
def test_random_divisions_lose_nothing_and_break_no_rule(database: Database, seed: int) -> None:
    park = a_park(database)
    spare(park, SPARE.beams, SPARE.dividers)
    floor = Floor(a_person(park), random.Random(seed))
    parts = floor.parts()
    for _ in range(STEPS):
        floor.step()
        assert broken_rules(park) == []
        assert floor.lost() == 0
        assert floor.parts() == parts
    retired = park.read(lambda session: session.scalar(select(func.count()).where(Slot.retired)))
    assert retired, f"no bay was divided: {floor.done}"
    assert broken_promises(park) == []
    assert [promise.name for promise, breaks in every_promise(database) if breaks] == []
