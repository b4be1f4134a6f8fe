"""Hands with loaded carts, ready to pick piece after piece: what the measurements of the stock book begin with.

Each hand has a planned batch of its own with a tote for every order. A pick of one piece goes through the same door as
a scan: `perform`, one transaction, the answer stored with its effect.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from tests.builders import Park, a_sku, put_goods
from wms.catalog import service as catalog
from wms.core.call import Call, Who
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.perform import Outcome, perform
from wms.outbound import service as outbound
from wms.picking import queries, service
from wms.site import generator
from wms.site.tables import Slot
from wms.site.values import ContainerKind

HANDS = 8
ORDERS, LINES = 6, 2  # of each hand's batch
PIECES = 12_000  # of each line: more than any measurement picks, and no more than a cart carries
TINY: dict[str, Any] = {"length_mm": 1, "width_mm": 1, "height_mm": 1, "weight_g": 1}


@dataclass(frozen=True, slots=True)
class Floor:
    """Where it is, and for each hand the ids of its open picks."""

    url: str
    warehouse_id: int
    hands: tuple[tuple[int, ...], ...]


def lay_out(park: Park, *, hot: bool = False) -> Floor:
    """Goods, orders, batches, carts and totes for `HANDS` hands; `hot`: everything from one row of stock."""
    park.act(_add_containers)
    goods = park.act(partial(_stocked, rows=1 if hot else HANDS * ORDERS * LINES))
    hands = tuple(_loaded(park, hand, goods) for hand in range(HANDS))
    return Floor(park.database.url, park.warehouse_id, hands)


def _add_containers(call: Call) -> None:
    carts = [f"CB-{hand}" for hand in range(HANDS)]
    totes = [f"TB-{hand}-{position}" for hand in range(HANDS) for position in range(1, ORDERS + 1)]
    generator.add_containers(call.session, call.warehouse_id, ContainerKind.CART, carts)
    generator.add_containers(call.session, call.warehouse_id, ContainerKind.TOTE, totes)


def _stocked(call: Call, rows: int) -> list[str]:
    """One SKU in a slot of its own for each row; their codes."""
    mine = select(Slot.place_id).where(Slot.warehouse_id == call.warehouse_id).order_by(Slot.place_id).limit(rows)
    slots = call.session.scalars(mine).all()
    assert len(slots) == rows, f"the building has {len(slots)} slots, {rows} are needed"
    return [_sku_in(call, f"B{number}", slot, HANDS * ORDERS * LINES // rows) for number, slot in enumerate(slots)]


def _sku_in(call: Call, code: str, slot_id: int, lines: int) -> str:
    sku = a_sku(call, code, **TINY)
    lot_id = catalog.ensure_lot(call, sku, None, None, None)
    put_goods(call, sku, slot_id, PIECES * lines, lot_id)
    return code


def _loaded(park: Park, hand: int, goods: list[str]) -> tuple[int, ...]:
    """The open picks of a hand that has its cart and all its totes."""
    park.act(partial(_order, hand=hand, goods=goods))
    (wave,) = park.act(lambda call: outbound.make_waves(call, hot_from=1_000))
    park.act(lambda call: outbound.release_wave(call, wave))
    (batch_id,) = park.act(lambda call: service.plan_wave(call, wave, seconds_max=0.5)).batches
    park.act(lambda call: service.begin_batch(call, batch_id, f"CB-{hand}"))
    walk = park.read(lambda session: queries.walk_of_batch(session, park.warehouse_id, batch_id))
    for tote in walk.totes:
        park.act(partial(_assign, batch_id=batch_id, position=tote.position, code=f"TB-{hand}-{tote.position}"))
    return tuple(pick.id for pick in walk.open_picks)


def _order(call: Call, hand: int, goods: list[str]) -> None:
    for number in range(ORDERS):
        first = (hand * ORDERS + number) * LINES
        lines = [(goods[(first + line) % len(goods)], PIECES) for line in range(LINES)]
        no = f"B{hand}-{number}"
        outbound.create_order(call, merchant_code="M1", no=no, courier="SF", lines=lines, cut_offs=("23:59",))
        outbound.allocate(call, no)


def _assign(call: Call, batch_id: int, position: int, code: str) -> None:
    service.assign_tote(call, batch_id, position, code)


def picker(database: Database, floor: Floor, hand: int) -> Callable[[int], Outcome]:
    """What picks one piece: `pick(turn)` walks round the hand's picks."""
    who, clock, walk = Who(f"person:{hand + 1}", floor.warehouse_id), WallClock(), uuid4().hex
    picks = floor.hands[hand]

    def pick(turn: int) -> Outcome:
        pick_id = picks[turn % len(picks)]
        with database.turns.taken():  # as every call does at the door
            return perform(database, clock, who, f"{walk}-{turn}", f"pick {pick_id}", partial(_picked, pick_id=pick_id))

    return pick


def _picked(call: Call, pick_id: int) -> dict[str, int]:
    after = service.pick(call, pick_id, 1).pick(pick_id)
    assert after is not None
    return {"left": after.left}
