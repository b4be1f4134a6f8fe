"""A park for measurements: the building and couriers of the demonstration, plain goods, stock in every SKU's slot."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.demo import words
from wms.inbound import service as inbound
from wms.migrations import commands
from wms.people import service as people
from wms.people.values import Role
from wms.shipping import couriers
from wms.site import generator
from wms.site import service as site
from wms.site.values import ContainerKind

MERCHANTS = 5
SKUS_EACH = 12
OPENING_QUANTITY = 60
EXPECTED_QUANTITY = 1_000_000
POOL_SIZE = 1_000_000


@dataclass(frozen=True, slots=True)
class BenchPark:
    """Where it is, who may call, and what there is: merchant code -> (its ASN, its SKU codes)."""

    url: str
    key: str
    merchants: dict[str, tuple[str, list[str]]]
    couriers: list[str]
    areas: list[str]


def build(path: Path) -> BenchPark:
    """Make the park in a new SQLite file."""
    url = f"sqlite:///{path}"
    commands.upgrade(url)
    database = Database.open(url)
    clock, numbers = WallClock(), count(1)
    warehouse_id = database.transact(lambda session: generator.build_park(session, clock.now(), seed=1))

    def act(work: Callable[[Call], Any]) -> Any:
        return system_call(database, clock, warehouse_id, work, request_id=f"build:{next(numbers)}")

    key = act(lambda call: people.make_key(call, role=Role.INTEGRATOR))
    act(_couriers)
    merchants = {f"M{number}": act(partial(_goods, number=number)) for number in range(1, MERCHANTS + 1)}
    database.dispose()
    return BenchPark(url, key, merchants, [one[0] for one in words.COURIERS], [area[0] for area in words.AREAS])


def _couriers(call: Call) -> None:
    for code, name, product, cut_offs, prefix, first, digits in words.COURIERS:
        couriers.add_courier(call, code=code, name=name, product=product, cut_offs=cut_offs)
        couriers.add_pool(call, courier=code, prefix=prefix, first=first, last=first + POOL_SIZE - 1, digits=digits)
        for area in words.AREAS:
            couriers.add_route(call, courier=code, match=area[0][:4], route_code=area[4], hub=area[5])


def _goods(call: Call, number: int) -> tuple[str, list[str]]:
    """A merchant with SKUs, an ASN without end and stock that was received and put away."""
    merchant, asn = f"M{number}", f"ASN-{number}"
    merchant_id = catalog.add_merchant(call, code=merchant, name=f"Merchant {number}")
    skus = [f"{merchant}-{sku:03d}" for sku in range(1, SKUS_EACH + 1)]
    for place, code in enumerate(skus):
        barcode = f"69{number:02d}{place:08d}0"
        catalog.add_sku(
            call,
            merchant_code=merchant,
            code=code,
            name=code,
            barcodes=[(barcode, 1)],
            length_mm=120,
            width_mm=80,
            height_mm=60,
            weight_g=200,
        )
    inbound.create_asn(call, no=asn, merchant_code=merchant, lines=[(code, EXPECTED_QUANTITY) for code in skus])
    for code in skus:
        _stock(call, merchant_id, code)
    return asn, skus


def _stock(call: Call, merchant_id: int, code: str) -> None:
    sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant_id, code)
    container = site.make_container(call, ContainerKind.LPN)
    inbound.receive(call, sku=sku, quantity=OPENING_QUANTITY, container=container)
    inbound.put_away(call, container=container)
