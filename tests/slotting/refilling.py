"""A storehouse that is refilled, ordered from and disturbed at random; what lies there is counted by nobody's code but
this.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from contextlib import suppress
from typing import Any

from sqlalchemy import select

from tests.builders import Park, a_sku, stock_in
from tests.inbound.hands import Hands
from tests.outbound.orders import allocate, cancel, place
from tests.slotting.faces import code_of, hands, refills
from wms.catalog import queries as catalog
from wms.catalog import service as catalog_service
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.refusal import Refused
from wms.ledger.tables import Stock
from wms.outbound import service as outbound
from wms.outbound.service.refills import plan_refills
from wms.picking.service.planning import plan_wave
from wms.site import queries as site
from wms.site import service as site_service
from wms.slotting import carrying, judging, levels
from wms.slotting.refill_rules import Levels
from wms.slotting.values import Goods

SKUS = 12
PEOPLE = 3


class Storehouse:
    """Every command goes through the rooms' own doors; a refusal is an answer like any other."""

    def __init__(self, park: Park, seed: int) -> None:
        self.park, self.dice = park, random.Random(seed)
        self.skus = park.act(self._stocked)
        self.codes = [slot.code for slot in park.read(lambda session: site.slots(session, park.warehouse_id))]
        self.people: list[Hands] = []
        self.orders: list[str] = []
        self.waves: list[str] = []
        self.done: Counter[str] = Counter()
        self.before = self.lying()

    def _stocked(self, call: Call) -> list[SkuFacts]:
        skus = [self._a_sku(call) for _ in range(SKUS)]
        for number, slot in enumerate(site.slots(call.session, call.warehouse_id)):
            sku = skus[number % SKUS]
            lot_id = catalog_service.ensure_lot(call, sku, self.dice.choice(["B1", "B2"]), None, None)
            goods = Goods(sku, lot_id, self.dice.randint(10, 60), bonded=slot.bonded)
            if slot.bonded or self.dice.random() < (0.7 if slot.level < 3 else 0.2):
                continue
            with suppress(Refused):
                judging.check_lawful(call, goods, slot.place_id)
                stock_in(call, sku, slot.code, goods.quantity, catalog.lot_by_id(call.session, 1, lot_id).code)
        for sku in skus:
            levels.set_by_hand(call, sku.id, Levels(self.dice.randint(1, 15), self.dice.randint(20, 60)))
        return skus

    def _a_sku(self, call: Call) -> SkuFacts:
        dice = self.dice
        facts: dict[str, Any] = {"weight_g": dice.choice([0, 300, 2_500]), "hazard": dice.choice(["", "", "3", "9"])}
        facts |= {"length_mm": dice.choice([0, 60, 120]), "height_mm": dice.choice([30, 60])}
        sku = a_sku(call, lot_tracked=True, **facts)
        if dice.random() < 0.7:
            case = dice.choice([6, 12])
            catalog_service.add_barcode(call, sku.merchant_id, sku.id, f"2{sku.id:012d}", case)
        return sku

    def lying(self) -> Counter[int]:
        """Pieces of each SKU, wherever they lie."""
        found: defaultdict[int, int] = defaultdict(int)
        for sku_id, quantity in self.park.read(
            lambda session: session.execute(select(Stock.sku_id, Stock.on_hand)).all()
        ):
            found[sku_id] += quantity
        return Counter(found)

    def step(self) -> None:
        """Something happens."""
        what = self.dice.choices(
            (self._walk, self._plan, self._order, self._cancel, self._gather, self._send, self._block, self._withdraw),
            (60, 12, 12, 3, 2, 2, 4, 3),
        )[0]
        try:
            what()
        except Refused as no:
            self.done[no.reason.value] += 1
        else:
            self.done[what.__name__] += 1

    def _plan(self) -> None:
        self.done["planned"] += self.park.act(plan_refills)

    def _order(self) -> None:
        no = f"R-{len(self.orders)}"
        self.orders.append(no)
        place(self.park, no, (self.dice.choice(self.skus), self.dice.randint(1, 25)))
        allocate(self.park, no)

    def _cancel(self) -> None:
        if self.orders:
            cancel(self.park, self.dice.choice(self.orders))

    def _gather(self) -> None:
        self.waves += self.park.act(outbound.make_waves)

    def _send(self) -> None:
        if self.waves:
            no = self.waves.pop()
            self.park.act(lambda call: outbound.release_wave(call, no))
            self.park.act(lambda call: plan_wave(call, no))

    def _block(self) -> None:
        code, blocked = self.dice.choice(self.codes), self.dice.random() < 0.5
        self.park.act(lambda call: site_service.block_slot(call, code, blocked=blocked))

    def _withdraw(self) -> None:
        found = refills(self.park, "open", "carried")
        if found:
            row = self.dice.choice(found)
            self.park.act(lambda call: carrying.withdraw(call, row.id))

    def _walk(self) -> None:
        """One of the people does the next thing, mostly the right one."""
        self.people = [one for one in self.people if one.step is not None]
        if len(self.people) < PEOPLE and self.dice.random() < 0.5:
            self.people.append(hands(self.park))
            return
        if self.people:
            self._one_step(self.dice.choice(self.people))

    def _one_step(self, hand: Hands) -> None:
        dice = self.dice
        if dice.random() < 0.02:
            hand.press("leave")
        elif hand.step == "type_quantity":
            most = int(hand.screen["input"]["max"])
            hand.press("quantity", str(most if dice.random() < 0.8 else dice.randint(0, most)))
        elif hand.step == "scan_item":
            hand.scan(self._barcode(hand))
        elif hand.step == "scan_target" and dice.random() < 0.15:
            hand.press("other")
        elif "F3" in hand.keys and dice.random() < 0.4:
            hand.press("put_first")
        elif hand.step == "scan_source" and dice.random() < 0.1:
            hand.press(dice.choice(["later", "nothing"]))
        else:
            code = str(hand.cards("location")[0]["code"])
            hand.scan(code if dice.random() < 0.95 else dice.choice(self.codes))

    def _barcode(self, hand: Hands) -> str:
        sku_id = next(row.sku_id for row in refills(self.park) if row.id == hand.state["refill"])
        house = self.park.warehouse_id
        return self.park.read(lambda session: catalog.barcodes_of(session, house, sku_id)[0].barcode)

    def overfull(self) -> list[str]:
        """Walks that are more than a person pushes: their refills and grams."""
        walks: defaultdict[int, list[int]] = defaultdict(list)
        grams = {sku.id: sku.weight_g for sku in self.skus}
        for row in refills(self.park, "open", "carried"):
            walks[row.walk_id or 0].append(row.quantity * grams[row.sku_id])
        return [f"walk {walk}: {loads}" for walk, loads in walks.items() if len(loads) > 6 or sum(loads) > 150_000]

    def twice(self) -> list[str]:
        """SKUs and lots that are on their way to one slot twice."""
        keys = Counter(
            (row.sku_id, row.lot_id, row.book, row.target_id) for row in refills(self.park, "open", "carried")
        )
        return [f"{sku} to {code_of(self.park, target)}" for (sku, _, _, target), count in keys.items() if count > 1]
