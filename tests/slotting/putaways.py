"""Random goods into slots chosen or named at random, and every slot judged anew by nobody's code but this."""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from datetime import date
from functools import partial
from typing import Any

from sqlalchemy import select, update

from tests.builders import Park, a_sku
from wms.catalog.tables import Lot, Sku
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.refusal import Refused
from wms.inbound import service as inbound
from wms.inbound.values import LotGiven
from wms.ledger import service as ledger
from wms.ledger.tables import MovementRow, Stock
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.site import queries as site
from wms.site import service as site_service
from wms.site.tables import Bay, Slot, Zone
from wms.slotting.values import FILL_MAX

PER_TRANSACTION = 50
LYING = 60
WEAK_G = 50_000
CLIMATE = {"storage": "ambient", "bulky": "chilled"}
LOTS = {f"B{number}": date(2027, number, 1) for number in range(1, 5)}


class Stowing:
    """Boxes arrive and are put away, slots are blocked and opened between, somebody buys."""

    def __init__(self, park: Park, dice: random.Random) -> None:
        self._park, self._dice = park, dice
        park.act(weaken)
        self._skus = park.act(lambda call: some_skus(call, dice))
        self._codes = [slot.code for slot in park.read(lambda session: site.slots(session, park.warehouse_id))]
        self._blocked: set[str] = set()
        self.outcomes: Counter[str] = Counter()
        self.arrived = 0

    def some(self) -> list[str]:
        """Put `PER_TRANSACTION` boxes away; every rule that is broken afterwards."""
        for code in self._blocked:
            self._park.act(partial(site_service.block_slot, slot_code=code, blocked=False))
        self.arrived += self._park.act(
            lambda call: _some_boxes(call, self._dice, self._skus, self._codes, self.outcomes)
        )
        broken = broken_rules(self._park)
        self._blocked = set(self._dice.sample(self._codes, 2)) - _filled(self._park)
        for code in sorted(self._blocked):
            self._park.act(partial(site_service.block_slot, slot_code=code))
        return broken

    def lost(self) -> int:
        """Pieces that arrived and are neither here nor sold."""
        on_hand = self._park.read(lambda session: sum(session.scalars(select(Stock.on_hand))))
        return self.arrived - on_hand - _gone(self._park)


def weaken(call: Call) -> None:
    """Of three bays one has weak beams and one weak uprights; bulky goods are kept cold."""
    call.session.execute(update(Zone).where(Zone.code == "B").values(temperature="chilled"))
    slots = update(Slot).where(Slot.bay_id % 4 == 0).values(level_weight_max_g=WEAK_G)
    call.session.execute(slots, execution_options={"synchronize_session": False})
    bays = update(Bay).where(Bay.id % 4 == 1).values(weight_max_g=2 * WEAK_G, weight_stated=True)
    call.session.execute(bays, execution_options={"synchronize_session": False})


def broken_rules(park: Park) -> list[str]:
    """Every slot against every rule, recomputed from the rows by nobody's code but this."""
    query = (
        select(Slot, Zone, Stock, Sku)
        .join(Zone, Zone.id == Slot.zone_id)
        .join(Stock, Stock.place_id == Slot.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .where(Stock.on_hand > 0)
    )
    inside: defaultdict[str, list[Any]] = defaultdict(list)
    for row in park.read(lambda session: session.execute(query).all()):
        inside[row[0].code].append(row)
    found = [f"{code}: {why}" for code, rows in inside.items() for why in _broken_in(rows)]
    everything = [row for rows in inside.values() for row in rows]
    found += _hazards_together(everything) + _racks_overloaded(park, everything)
    return found + _lookalikes_together(everything) + _last_below_first(park, everything) + _too_high(park, everything)


def _lookalikes_together(rows: list[Any]) -> list[str]:
    """Bays where two SKUs stand that look alike."""
    seen: defaultdict[tuple[int, int, str], set[int]] = defaultdict(set)
    for slot, _, stock, sku in rows:
        if sku.lookalike:
            seen[slot.bay_id, stock.merchant_id, sku.lookalike].add(sku.id)
    return [f"bay {bay}: look-alikes {sorted(some)}" for (bay, _, _), some in seen.items() if len(some) > 1]


def _last_below_first(park: Park, rows: list[Any]) -> list[str]:
    """Bays where good pieces stand above others of their SKU that expire later."""
    days = {row.id: row.expires_on for row in park.read(lambda s: s.execute(select(Lot.id, Lot.expires_on)).all())}
    stand: defaultdict[tuple[int, int], list[tuple[date, int]]] = defaultdict(list)
    for slot, _, stock, sku in rows:
        day = days[stock.lot_id]
        if day is not None and stock.condition == "good":
            stand[slot.bay_id, sku.id].append((day, slot.level))
    return [
        f"bay {bay}: {first} stands above {last} of SKU {sku}"
        for (bay, sku), some in stand.items()
        for first, high in some
        for last, low in some
        if first < last and high > low
    ]


def _too_high(park: Park, rows: list[Any]) -> list[str]:
    """Pieces over 15 kg whose slot begins above 1.4 m, where no truck lifts them."""
    heights: defaultdict[int, dict[int, int]] = defaultdict(dict)
    for slot in park.read(lambda session: session.scalars(select(Slot)).all()):
        heights[slot.bay_id][slot.level] = slot.height_mm
    return [
        f"{slot.code}: {sku.weight_g} g a piece so high"
        for slot, zone, _, sku in rows
        if sku.weight_g > 15_000
        and zone.kind != "bulky"
        and 50 + sum(50 + tall for level, tall in heights[slot.bay_id].items() if level < slot.level) > 1_400
    ]


def _racks_overloaded(park: Park, rows: list[Any]) -> list[str]:
    """Levels and bays that carry more than they may."""
    limits = {
        row.id: row.weight_max_g for row in park.read(lambda s: s.execute(select(Bay.id, Bay.weight_max_g)).all())
    }
    levels: Counter[tuple[int, int, int | None]] = Counter()
    bays: Counter[int] = Counter()
    for slot, _, stock, sku in rows:
        levels[slot.bay_id, slot.level, slot.level_weight_max_g] += stock.on_hand * sku.weight_g
        bays[slot.bay_id] += stock.on_hand * sku.weight_g
    found = [f"bay {bay}: beams of level {at}" for (bay, at, most), g in levels.items() if most and g > most]
    return found + [f"bay {bay}: uprights" for bay, weight_g in bays.items() if weight_g > limits[bay]]


def _hazards_together(rows: list[Any]) -> list[str]:
    """Bays where goods of two hazard classes stand."""
    classes: defaultdict[int, set[str]] = defaultdict(set)
    for slot, _, _, sku in rows:
        classes[slot.bay_id] |= {sku.hazard} - {""}
    return [f"bay {bay}: hazards {sorted(some)}" for bay, some in classes.items() if len(some) > 1]


def _broken_in(rows: list[Any]) -> list[str]:
    slot, zone = rows[0][0], rows[0][1]
    volume = sum(stock.on_hand * sku.length_mm * sku.width_mm * sku.height_mm for _, _, stock, sku in rows)
    weight = sum(stock.on_hand * sku.weight_g for _, _, stock, sku in rows)
    room = sorted((slot.width_mm, slot.depth_mm, slot.height_mm))
    lots = Counter((stock.sku_id) for _, _, stock, _ in rows)
    found = {
        "too heavy": weight > slot.weight_max_g,
        "too full": volume > FILL_MAX * slot.width_mm * slot.depth_mm * slot.height_mm,
        "owners mixed": len({stock.merchant_id for _, _, stock, _ in rows}) > 1,
        "too many SKUs": len(lots) > slot.skus_max,
        "lots or conditions mixed": max(lots.values()) > 1,
        "bonded": bool(slot.bonded),
        "wrong zone": any(sku.zone_kind != zone.kind for _, _, _, sku in rows),
        "too warm or too cold": any(sku.temperature != zone.temperature for _, _, _, sku in rows),
        "blocked": slot.blocked or slot.under_count,
        "piece too big": any(
            sorted((sku.length_mm, sku.width_mm, sku.height_mm)) > room
            and any(a > b for a, b in zip(sorted((sku.length_mm, sku.width_mm, sku.height_mm)), room, strict=True))
            for _, _, _, sku in rows
        ),
    }
    return [why for why, broken in found.items() if broken]


def some_skus(call: Call, dice: random.Random) -> list[SkuFacts]:
    return [
        a_sku(
            call,
            merchant_code=dice.choice(["M1", "M2", "M3"]),
            length_mm=dice.choice([0, 40, 120, 300, 900]),
            width_mm=dice.choice([30, 80, 200, 600]),
            height_mm=dice.choice([20, 60, 150, 400]),
            weight_g=dice.choice([0, 20, 300, 2_000, 15_000, 16_000, 16_000, 16_000]),
            lot_tracked=dice.random() < 0.3,
            zone_kind=(kind := dice.choice(["storage", "storage", "storage", "bulky"])),
            temperature=dice.choice(["chilled", *[CLIMATE[kind]] * 4]),
            hazard=dice.choice(["", "", "", "3", "9"]),
            lookalike=dice.choice(["", "tin", "jar"]),
        )
        for _ in range(30)
    ]


def _some_boxes(call: Call, dice: random.Random, skus: list[SkuFacts], codes: list[str], told: Counter[str]) -> int:
    arrived = 0
    for _ in range(PER_TRANSACTION):
        sku, quantity = dice.choice(skus), dice.randint(1, dice.choice([3, 30]))
        batch = dice.choice(sorted(LOTS))
        lot = LotGiven(batch, expires_on=LOTS[batch]) if sku.lot_tracked else None
        condition = Condition.DAMAGED if dice.random() < 0.1 else Condition.GOOD
        step = call.step(f"{dice.random()}")
        box = inbound.lpn(step, None)
        inbound.receive(step, sku=sku, quantity=quantity, container=box, lot=lot, condition=condition)
        arrived += quantity
        slot = _named(call, dice, sku, codes) if dice.random() < 0.5 else None
        try:
            with call.session.begin_nested():
                inbound.put_away(step, container=box, slot_code=slot)
            told["stored"] += 1
        except Refused as no:
            told[no.reason.value] += 1
        _take_some_out(step, dice)
    return arrived


def _named(call: Call, dice: random.Random, sku: SkuFacts, codes: list[str]) -> str:
    """Any slot, or one high up, or one beside goods of the same SKU or at least of the same owner: there rules meet."""
    if dice.random() < 0.2:
        return dice.choice([code for code in codes if code[0] == "A" and code[7] in "34"])
    lying = select(Slot.bay_id).join(Stock, Stock.place_id == Slot.place_id).where(Stock.on_hand > 0)
    for those in (Stock.sku_id == sku.id, Stock.merchant_id == sku.merchant_id):
        bays = call.session.scalars(lying.where(those).order_by(Stock.id)).all()
        if bays and dice.random() < 0.3:
            slots = select(Slot.code).where(Slot.bay_id == dice.choice(bays)).order_by(Slot.code)
            return dice.choice(call.session.scalars(slots).all())
    return dice.choice(codes)


def _take_some_out(call: Call, dice: random.Random) -> None:
    """Somebody buys: so that slots become free again, as many as a box took."""
    lying = select(Stock).join(Slot, Slot.place_id == Stock.place_id).where(Stock.on_hand > 0).order_by(Stock.id)
    rows = call.session.scalars(lying).all()
    customer = ledger.virtual_id(call.session, call.warehouse_id, Virtual.CUSTOMER)
    sold = [
        Movement(
            MovementKind.SHIP,
            out.merchant_id,
            out.place_id,
            customer,
            out.sku_id,
            out.lot_id,
            out.on_hand,
            Condition(out.condition),
        )
        for out in dice.sample(rows, max(0, len(rows) - LYING + 1))
    ]
    if sold:
        ledger.post(call, sold)
        call.session.expire_all()


def _gone(park: Park) -> int:
    return park.read(
        lambda session: sum(session.scalars(select(MovementRow.quantity).where(MovementRow.kind == "ship")))
    )


def _filled(park: Park) -> set[str]:
    query = select(Slot.code).join(Stock, Stock.place_id == Slot.place_id).where(Stock.on_hand > 0)
    return set(park.read(lambda session: session.scalars(query).all()))
