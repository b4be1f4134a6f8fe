"""A small park for proofs under fire: little goods in plenty, a courier, programs with keys, people who are logged in.

Everything goes through the rooms' own services. Goods are tiny, so that slots never fill however long a proof runs.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from tests.builders import Park, a_park, a_sku, stock_in
from wms.core import codes
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.codes import Kind
from wms.core.db import Database
from wms.inbound import service as inbound
from wms.migrations import commands
from wms.people import gate
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.shipping import couriers

COURIER = "SF"
MERCHANT = "M1"
ASN = "ASN-1"
PIN = "246810"
SKUS = 8
OPENING_PIECES = 2_000
EXPECTED_PIECES = 1_000_000
POOL_SIZE = 10_000_000
SMALL = {"length_mm": 10, "width_mm": 10, "height_mm": 5, "weight_g": 1}
SLOTS = ("A01-01-1A", "A01-02-1A", "A01-03-1A", "A01-04-1A", "A02-01-1A", "A02-02-1A", "A02-03-1A", "A02-04-1A")


@dataclass(frozen=True, slots=True)
class Good:
    """One SKU: what programs call it, what people call it, and what a scanner reads on it."""

    code: str
    name: str
    barcode: str


@dataclass(frozen=True, slots=True)
class Badge:
    """Somebody who is logged in at a PDA: the actor of his commands, and the secrets of his session."""

    actor: str
    token: str
    csrf: str


@dataclass(frozen=True)
class FirePark:
    """What clients need to know. `key` is one program's; `asn` the bar code of an arrival without end."""

    warehouse_id: int
    key: str
    key_actor: str
    goods: tuple[Good, ...]
    people: tuple[Badge, ...]
    asn: str


def build(database: Database, hands: int) -> FirePark:
    """Make the park in an empty database, with `hands` people at PDAs."""
    _sign(database)
    park = a_park(database)
    act = park.act
    act(_let_a_courier_in)
    goods = tuple(act(partial(_stocked, number=number)) for number in range(SKUS))
    lines = [(good.code, EXPECTED_PIECES) for good in goods]
    act(lambda call: inbound.create_asn(call, no=ASN, merchant_code=MERCHANT, lines=lines))
    key = act(lambda call: people.make_key(call, role=Role.INTEGRATOR))
    badges = tuple(_logged_in(park, database, act, number) for number in range(1, hands + 1))
    return FirePark(park.warehouse_id, key, "key:1", goods, badges, codes.make(Kind.ASN, ASN))


def _sign(database: Database) -> None:
    """Write down which schema this is, as an upgrade does: a server opens nothing else."""
    with database.write_engine.begin() as connection:
        MigrationContext.configure(connection).stamp(ScriptDirectory(str(commands.HERE)), "head")


def _let_a_courier_in(call: Call) -> None:
    couriers.add_courier(call, code=COURIER, name="顺丰", cut_offs=["16:00", "23:59"])
    couriers.add_pool(call, courier=COURIER, prefix="SF", first=1, last=POOL_SIZE, digits=12)
    couriers.add_route(call, courier=COURIER, match="", route_code="000-000", hub="HUB")


def _stocked(call: Call, number: int) -> Good:
    good = Good(f"S{number}", f"商品 {number}", f"690000000{number:04d}")
    sku = a_sku(call, good.code, MERCHANT, barcode=good.barcode, name=good.name, **SMALL)
    stock_in(call, sku, SLOTS[number], OPENING_PIECES)
    return good


def _logged_in(park: Park, database: Database, act: Callable[[Callable[[Call], Any]], Any], number: int) -> Badge:
    badge, device = f"W{number:03d}", f"PDA-{number:03d}"
    person = act(lambda call: people.add_person(call, badge=badge, name=f"工人 {badge}", role=Role.WORKER, pin=PIN))
    act(lambda call: people.enrol_device(call, code=device, kind=DeviceKind.HANDHELD, name=device))
    opened = gate.log_in(
        database, WallClock(), warehouse_id=park.warehouse_id, device_code=device, badge=badge, pin=PIN
    )
    return Badge(f"person:{person}", opened.token, opened.csrf)
