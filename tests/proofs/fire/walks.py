"""Picking walks for many hands: carts, totes, orders in planned batches, and the life of somebody who walks them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice
from typing import Any

from tests.builders import MORNING, Park
from tests.proofs.fire.hands import Life, arrivals
from tests.proofs.fire.park import COURIER, MERCHANT, FirePark
from tests.proofs.fire.wire import Ask
from wms.core import codes
from wms.core.call import Call
from wms.core.clock import HandClock
from wms.core.codes import Kind
from wms.core.db import Database
from wms.outbound import service as outbound
from wms.picking import service as picking
from wms.site import generator
from wms.site.values import ContainerKind

WAVE_ORDERS = 48
LINES = 3
PLAN_SECONDS_MAX = 0.5
LANE = codes.make(Kind.STATION, "PK-01")


def plan(database: Database, park: FirePark, hands: int, orders: int) -> None:
    """`orders` orders of three goods each, in planned batches; a cart for each hand, a tote for each order."""
    house = Park(database, park.warehouse_id, HandClock(MORNING))

    def add_containers(call: Call) -> None:
        carts = [f"CW-{number:03d}" for number in range(hands)]
        totes = [f"TW-{number:05d}" for number in range(orders + hands)]
        generator.add_containers(call.session, park.warehouse_id, ContainerKind.CART, carts)
        generator.add_containers(call.session, park.warehouse_id, ContainerKind.TOTE, totes)

    house.act(add_containers)
    numbers = iter([f"W{number}" for number in range(orders)])
    while wave := list(islice(numbers, WAVE_ORDERS)):
        _release(house, park, wave)


def _release(house: Park, park: FirePark, numbers: list[str]) -> None:
    def order(call: Call) -> None:
        for place, no in enumerate(numbers):
            lines = [(park.goods[(place + step) % len(park.goods)].code, 1) for step in range(LINES)]
            outbound.create_order(
                call, merchant_code=MERCHANT, no=no, courier=COURIER, lines=lines, cut_offs=("16:00", "23:59")
            )
            outbound.allocate(call, no)

    house.act(order)
    for wave in house.act(lambda call: outbound.make_waves(call, hot_from=1_000)):
        house.act(lambda call, wave=wave: outbound.release_wave(call, wave))  # type: ignore[misc]
        house.act(lambda call, wave=wave: picking.plan_wave(call, wave, seconds_max=PLAN_SECONDS_MAX))  # type: ignore[misc]


def walks(park: FirePark, name: str, number: int, totes: Iterator[int]) -> Life:
    """Get work, load the cart, walk to the lane; again. Who finds no work receives goods instead."""
    ids = count(1)

    def ask(kind: str, body: dict[str, Any], books: int = 0) -> Ask:
        own = f"{name}-{next(ids)}"
        return Ask(f"/pda/{kind}", {"id": own, "at_ms": 0, **body}, own, kind, books)

    while True:
        entry = yield ask("action", {"action": "get_work", "value": ""})
        if not entry.accepted:
            break
        while entry.answer["screen"]["dialogue"] == "cluster_pick":
            screen = entry.answer["screen"]
            books = 1 if screen["step"] == "scan_tote" else 0
            entry = yield ask("scan", {"code": _wanted(park, screen, number, totes)}, books)
    yield from arrivals(park, f"{name}A")


def _wanted(park: FirePark, screen: dict[str, Any], number: int, totes: Iterator[int]) -> str:
    """The code a hand scans that does what the screen asks."""
    cards = {card["kind"]: card for card in screen["cards"]}
    match screen["step"]:
        case "scan_cart":
            return codes.make(Kind.CART, f"CW-{number:03d}")
        case "scan_new_tote":
            return codes.make(Kind.TOTE, f"TW-{next(totes):05d}")
        case "scan_slot":
            return codes.make(Kind.SLOT, cards["location"]["code"])
        case "scan_sku":
            return next(good.barcode for good in park.goods if good.name == cards["item"]["name"])
        case "scan_tote":
            return codes.make(Kind.TOTE, str(cards["tote"]["text"]).rpartition(" ")[2])
        case "scan_lane":
            return LANE
    raise AssertionError(f"nobody told what to scan at {screen['step']}")
