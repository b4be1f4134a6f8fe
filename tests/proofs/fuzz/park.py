"""The park that is fuzzed: the whole application over stock, orders, couriers and people, with keys that open doors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests import builders
from tests.builders import Park
from wms.app import House, make_house
from wms.catalog.tables import Merchant
from wms.core.db import Database
from wms.inbound.service import create_asn
from wms.outbound.service.orders import create_order
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.settings import Settings
from wms.shipping import couriers

PASSWORD, PIN, DEVICE, BADGE, LOGIN = "correct horse battery", "246802", "PDA-01", "W0001", "cheng"

# Names of fields, and what of it is there: so that calls get past the door.
KNOWN: dict[str, Any] = {
    "sku": "S1", "merchant": "M1", "courier": "YUNDA", "container": "L0000001", "slot": "A01-01-1A", "asn": "A1",
    "order": "D1", "no": "D1", "code": "S1", "number": 1, "to_hub": "杭州", "from_hub": "",
}  # fmt: skip


@dataclass(frozen=True)
class Fuzzed:
    """A house over a park, a key that may do everything, and what the house says of its own calls."""

    park: Park
    house: House
    key: str

    @property
    def spec(self) -> dict[str, Any]:
        answer = self.house.app.test_client().get("/api/openapi.json")
        assert answer.status_code == 200
        found: dict[str, Any] = answer.get_json()
        return found

    def operations(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        """Path, method and description of every call."""
        for path, methods in self.spec["paths"].items():
            for method, call in methods.items():
                yield path, method, call


def a_fuzzed_park(database: Database) -> Fuzzed:
    """Ten pieces of S1 of merchant M1, order D1, ASN A1, courier YUNDA; a supervisor, a worker, a PDA."""
    park = builders.a_park(database)
    give_merchant(park, "M1", "A01-01-1A")
    park.act(lambda call: couriers.add_courier(call, code="YUNDA", name="韵达", cut_offs=["16:00"]))
    park.act(lambda call: couriers.add_pool(call, courier="YUNDA", first=1, last=999_999))
    park.act(lambda call: couriers.add_route(call, courier="YUNDA", match="", route_code="1", hub="杭州"))
    give_order(park, "M1", "D1")
    supervisor = {"badge": "S0001", "name": "程丽", "role": Role.ADMIN, "login": LOGIN, "password": PASSWORD}
    park.act(lambda call: people.add_person(call, **supervisor))
    park.act(lambda call: people.add_person(call, badge=BADGE, name="章强", role=Role.ADMIN, pin=PIN))
    park.act(lambda call: people.enrol_device(call, code=DEVICE, kind=DeviceKind.HANDHELD, name="PDA 1"))
    key = park.act(lambda call: people.make_key(call, role=Role.ADMIN))
    return Fuzzed(park, make_house(database, park.clock, Settings()), key)


def give_merchant(park: Park, code: str, slot: str) -> int:
    """A merchant with ten pieces of his own S1 and an arrival A1; his number."""
    sku = park.act(lambda call: builders.a_sku(call, "S1", code))
    park.act(lambda call: builders.stock_in(call, sku, slot, 10))
    park.act(lambda call: create_asn(call, merchant_code=code, no="A1", lines=[("S1", 5)]))
    return sku.merchant_id


def give_order(park: Park, merchant: str, no: str) -> int:
    """An order for one S1; its number."""
    lines = [("S1", 1, 100)]
    given: dict[str, Any] = {"merchant_code": merchant, "no": no, "courier": "YUNDA", "lines": lines}
    return park.act(lambda call: create_order(call, **given, cut_offs=("16:00",)))


def merchants(park: Park) -> dict[str, int]:
    """Code -> number of every merchant."""
    rows = park.read(lambda session: session.query(Merchant.code, Merchant.id).all())
    return {str(code): int(number) for code, number in rows}


def as_path(rule: str) -> str:
    """A route as the description writes it: `/orders/<no>` -> `/orders/{no}`."""
    return re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule)
