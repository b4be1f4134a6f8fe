"""The park before the day: building, people, couriers, goods; opening stock through ASNs, receipts and putaways.

All of it by the services that the doors call, in ordinary transactions.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.core.call import Call
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.tables import FileMark
from wms.demo import words
from wms.demo.plan import CYCLES, DAY, DayPlan, PlannedLot, PlannedSku, at_local, portions
from wms.inbound import queries as inbound_queries
from wms.inbound import service as inbound
from wms.inbound.values import LotGiven
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.shipping import couriers, routes
from wms.site import generator
from wms.site import service as site_service
from wms.site.values import ContainerKind
from wms.sorting import service as sorting

MARK = "made_by"
MADE_BY_DEMO = "wms demo"

Tick = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class Credentials:
    """Random for each run: badges and PINs of the people, the supervisor's password, an integrator's key."""

    pins: dict[str, str]
    supervisor_login: str
    supervisor_password: str
    api_key: str


@dataclass(frozen=True, slots=True)
class Park:
    warehouse_id: int
    credentials: Credentials


def build(db: Database, plan: DayPlan, tick: Tick) -> Park:
    """Make the park and stock it; `tick(n)` after every n opening receipts."""
    eve = HandClock(at_local(DAY, "06:00") - timedelta(hours=8))
    warehouse_id = db.transact(lambda session: _house(session, eve, plan))
    steps = _numbered()

    def act(work: Callable[[Call], Any]) -> Any:
        return system_call(db, eve, warehouse_id, work, request_id=f"build:{next(steps)}")

    credentials = act(lambda call: _let_people_in(call))
    act(_set_couriers_up)
    act(lambda call: _list_goods(call, plan))
    _announce(act, plan)
    opening = [lot for lot in plan.lots if lot.asn.startswith("OPEN")]
    skus = {sku.code: sku for sku in plan.skus}
    for lot in opening:
        _stock(act, skus[lot.sku], lot)
        tick(1)
    act(lambda call: sorting.plan_chutes(call))
    return Park(warehouse_id, credentials)


def _numbered() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


def _house(session: Any, clock: HandClock, plan: DayPlan) -> int:
    session.add(FileMark(name=MARK, value=MADE_BY_DEMO))
    session.add(FileMark(name="seed", value=str(plan.seed)))
    return generator.build_park(session, clock.now(), seed=plan.seed)


def _let_people_in(call: Call) -> Credentials:
    pins: dict[str, str] = {}
    for number, (badge, name, role) in enumerate((*words.PEOPLE, words.LINE_PERSON), 1):
        pins[badge] = f"{secrets.randbelow(10**6):06d}"
        supervises = role == Role.SUPERVISOR
        password = secrets.token_urlsafe(9) if supervises else None
        people.add_person(
            call,
            badge=badge,
            name=name,
            role=role,
            pin=pins[badge],
            login="banzhang" if supervises else None,
            password=password,
        )
        people.enrol_device(call, code=f"PDA-{number:02d}", kind=DeviceKind.HANDHELD, name=f"PDA {number:02d}")
        if password is not None:
            supervisor_password = password
    key = people.make_key(call, role=Role.INTEGRATOR)
    return Credentials(pins, "banzhang", supervisor_password, key)


def _set_couriers_up(call: Call) -> None:
    for code, name, product, cut_offs, prefix, first, digits in words.COURIERS:
        couriers.add_courier(call, code=code, name=name, product=product, cut_offs=cut_offs)
        couriers.add_pool(
            call, courier=code, prefix=prefix, first=first, last=first + words.POOL_SIZE - 1, digits=digits
        )
        for area in words.AREAS:
            couriers.add_route(call, courier=code, match=area[0][:4], route_code=area[4], hub=area[5])
        couriers.add_route(call, courier=code, match="", route_code="000-000", hub=words.AREAS[0][5])
    for code in words.BY_HANGZHOU:
        routes.set_reroute(call, courier=code, to_hub=words.AREAS[0][5])


def _list_goods(call: Call, plan: DayPlan) -> None:
    for code, name in plan.merchants:
        catalog.add_merchant(call, code=code, name=name, contact=name[:1] + "先生", phone="0563-8150000")
    for sku in plan.skus:
        catalog.add_sku(
            call,
            merchant_code=sku.merchant,
            code=sku.code,
            name=sku.name,
            barcodes=[(sku.barcode, 1)],
            unit=sku.unit,
            family=sku.family,
            length_mm=sku.sizes_mm[0],
            width_mm=sku.sizes_mm[1],
            height_mm=sku.sizes_mm[2],
            weight_g=sku.weight_g,
            shelf_life_days=sku.shelf_life_days or None,
            lot_tracked=bool(sku.shelf_life_days),
            min_life_ship_days=30 if sku.shelf_life_days else 0,
        )


def _announce(act: Callable[..., Any], plan: DayPlan) -> None:
    """One ASN per merchant for the eve, one for the morning."""
    lines: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for lot in plan.lots:
        lines.setdefault((lot.merchant, lot.asn), []).append((lot.sku, lot.quantity))
    for (merchant, asn), wanted in sorted(lines.items()):
        opens = asn.startswith("OPEN")
        expected = at_local(DAY, "06:00") - timedelta(hours=9) if opens else at_local(DAY, CYCLES[0])
        act(
            lambda call, m=merchant, a=asn, w=wanted, e=expected: inbound.create_asn(
                call, no=a, lines=w, merchant_code=m, expected_at=e
            )
        )


def _stock(act: Callable[..., Any], sku: PlannedSku, lot: PlannedLot) -> None:
    """Receive and put away one lot, in as many containers as its size needs."""
    for quantity in portions(lot.quantity, sku.sizes_mm, sku.weight_g):
        act(lambda call, q=quantity: _store(call, lot, q))


def _store(call: Call, lot: PlannedLot, quantity: int) -> None:
    asn_id, merchant_id = inbound_queries.asn_head(call.session, call.warehouse_id, lot.asn)
    sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant_id, lot.sku)
    container = site_service.make_container(call, ContainerKind.LPN)
    given = LotGiven(lot.lot or None, None, lot.expires_on)
    inbound.receive(call, sku=sku, quantity=quantity, container=container, asn_id=asn_id, lot=given)
    inbound.put_away(call, container=container)


def is_a_demo(db: Database) -> bool:
    """Whether this program made the database as a demonstration."""
    return db.read(lambda session: session.get(FileMark, MARK)) is not None
