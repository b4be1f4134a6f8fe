"""Catalogue, receiving and shipping over HTTP: statuses, repeats, foreign rows, hostile text."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from tests.builders import Park, a_park, a_sku
from tests.inbound.dock import announced, broken_promises
from tests.shipping.dock import Dock, a_dock, order, picked
from wms.catalog.api import catalog_api
from wms.core.db import Database
from wms.core.web import Edge, make_flask
from wms.inbound.api import inbound_api
from wms.inbound.tables import Receipt
from wms.people.queries import who_has_key
from wms.people.service import make_key
from wms.people.values import Role
from wms.shipping.api import shipping_api


class Client:
    """A program with a key."""

    def __init__(self, park: Park, role: Role = Role.INTEGRATOR, merchant_id: int | None = None) -> None:
        database = park.database
        look = lambda key: database.read(lambda session: who_has_key(session, key))  # noqa: E731
        app = make_flask("test", Edge(database, park.clock, look))
        for blueprint in (catalog_api, inbound_api, shipping_api):
            app.register_blueprint(blueprint)
        self.http: FlaskClient = app.test_client()
        self.key = park.act(lambda call: make_key(call, role=role, merchant_id=merchant_id))
        self.answer: Any = None

    def post(self, path: str, body: object = None, request_id: str | None = None, key: str | None = None) -> int:
        headers = {"Authorization": f"Bearer {key or self.key}", "Idempotency-Key": request_id or uuid4().hex}
        answer = self.http.post(f"/api/v1/{path}", json=body, headers=headers)
        self.answer = answer.get_json()
        return answer.status_code

    def get(self, path: str) -> int:
        answer = self.http.get(f"/api/v1/{path}", headers={"Authorization": f"Bearer {self.key}"})
        self.answer = answer.get_json()
        return answer.status_code

    @property
    def reason(self) -> str:
        return str(self.answer["error"]["reason"])


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


@pytest.fixture
def quick(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def test_goods_come_in_and_go_to_a_slot(park: Park) -> None:
    program = Client(park)
    park.act(a_sku)
    sku = {"merchant": "M1", "code": "TEA", "name": "高山贡菊", "barcodes": [{"code": "6901234567892"}]}
    sizes = {"length_mm": 100, "width_mm": 80, "height_mm": 60, "weight_g": 200, "lot_tracked": True}
    assert program.post("skus", {**sku, **sizes}) == 201
    assert program.post("asns", {"merchant": "M1", "no": "A1", "lines": [{"sku": "TEA", "quantity": 10}]}) == 201
    receipt = {"asn": "A1", "sku": "TEA", "quantity": 10, "lot": "B1", "container": "lpn-77"}
    assert program.post("receipts", receipt, "r1") == 201
    first = program.answer
    assert (first["container"], first["lot"], first["expected"], first["received"]) == ("LPN-77", "B1", 10, 10)
    assert program.post("receipts", receipt, "r1") == 201
    assert program.answer == first, "asked twice, done once, answered alike"
    assert len(park.read(lambda session: session.scalars(select(Receipt.id)).all())) == 1
    assert program.post("receipts", {**receipt, "quantity": 9}, "r1") == 422
    assert program.post("putaways", {"container": "lpn-77"}) == 201
    assert program.answer["stored"][0]["reasons"]
    assert program.answer["slot"] == program.answer["stored"][0]["slot"]
    assert broken_promises(park) == []


def test_a_refusal_is_answered_alike_too(quick: Park) -> None:
    program = Client(quick)
    sku = quick.act(a_sku)
    announced(quick, "A1", (sku, 1))
    body = {"asn": "A1", "sku": sku.code, "quantity": 2, "container": "L-1"}
    assert program.post("receipts", body, "r1") == 409
    said = program.answer
    assert program.reason == "over_receipt"
    assert program.post("receipts", body, "r1") == 409
    assert program.answer == said


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("receipts", {"asn": "NO", "sku": "S", "quantity": 1, "container": "L"}, 404),
        ("receipts", {"asn": "A1", "sku": "NO", "quantity": 1, "container": "L"}, 404),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 0, "container": "L"}, 400),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "L 1"}, 400),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "A.B"}, 404),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "T-0001"}, 422),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "LP.L-1.0"}, 422),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "L", "extra": 1}, 400),
        ("receipts", {"asn": "A1", "sku": "S", "quantity": "many", "container": "L"}, 400),
        ("receipts", [], 400),
        ("putaways", {"container": "NO"}, 404),
        ("putaways", {"container": "T-0001"}, 422),
        ("putaways", {"container": "NO", "slot": "x" * 65}, 400),
        ("asns", {"merchant": "NO", "no": "A2", "lines": [{"sku": "S", "quantity": 1}]}, 404),
        ("asns", {"merchant": "M1", "no": "A1", "lines": [{"sku": "S", "quantity": 1}]}, 409),
        ("asns", {"merchant": "M1", "no": "A2", "lines": []}, 400),
        ("skus", {"merchant": "M1", "code": "S", "name": "again"}, 409),
        ("orders/NO/ship", None, 404),
    ],
)
def test_each_mistake_has_its_status(quick: Park, path: str, body: object, status: int) -> None:
    sku = quick.act(lambda call: a_sku(call, "S"))
    announced(quick, "A1", (sku, 10))
    assert Client(quick).post(path, body) == status


def test_a_foreign_merchants_rows_do_not_exist(quick: Park) -> None:
    mine, foreign = quick.act(lambda call: a_sku(call, "S")), quick.act(lambda call: a_sku(call, "F", "M2"))
    announced(quick, "A1", (mine, 10))
    announced(quick, "F1", (foreign, 10), merchant_code="M2")
    house = Client(quick)
    house.post("receipts", {"asn": "F1", "sku": "F", "quantity": 1, "container": "LF"})
    program = Client(quick, Role.INTEGRATOR, mine.merchant_id)
    assert program.post("receipts", {"asn": "F1", "sku": "F", "quantity": 1, "container": "L"}) == 404
    assert program.post("receipts", {"asn": "A1", "sku": "F", "quantity": 1, "container": "L"}) == 404
    assert program.post("putaways", {"container": "LF"}) == 404
    assert program.post("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "LF"}) == 404, "not his box"
    assert program.post("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "LM"}) == 201
    assert program.post("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "LM"}) == 201, "his own again"
    assert program.post("asns", {"merchant": "M2", "no": "A9", "lines": [{"sku": "F", "quantity": 1}]}) == 404
    assert program.post("skus", {"merchant": "M2", "code": "X", "name": "X"}) == 404
    assert program.post("asns", {"no": "A9", "lines": [{"sku": "S", "quantity": 1}]}) == 201, "its own, unnamed"
    merchant = Client(quick, Role.MERCHANT, mine.merchant_id)
    assert merchant.post("receipts", {"asn": "A1", "sku": "S", "quantity": 1, "container": "L"}) == 403


def test_without_a_key_or_a_request_id_nothing_is_done(quick: Park) -> None:
    program = Client(quick)
    body = {"container": "L"}
    assert program.http.post("/api/v1/putaways", json=body).status_code == 401
    assert program.post("putaways", body, key="cw_nonsense") == 401
    headers = {"Authorization": f"Bearer {program.key}"}
    assert program.http.post("/api/v1/putaways", json=body, headers=headers).status_code == 400


HOSTILE = [
    "'; DROP TABLE sku; --",
    "<script>alert(1)</script>",
    "=HYPERLINK(1)",
    "../../etc/passwd",
    "a\x00b",
    "a\nb",
    "\u202egnp.exe",
    "名" * 400,
    "%s%n{0}",
    "\ud800",
]


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_stays_text(park: Park, text: str) -> None:
    """In every field: taken word for word or refused, never our mistake."""
    program = Client(park)
    sku = park.act(a_sku)
    announced(park, "A1", (sku, 10))
    asked = [
        ("skus", {"merchant": "M1", "code": text, "name": "x"}),
        ("skus", {"merchant": "M1", "code": uuid4().hex, "name": text, "unit": text, "family": text}),
        ("asns", {"merchant": "M1", "no": text, "lines": [{"sku": sku.code, "quantity": 1}]}),
        ("asns", {"merchant": text, "no": "A2", "lines": [{"sku": text, "quantity": 1}]}),
        ("receipts", {"asn": "A1", "sku": sku.code, "quantity": 1, "container": "L-1", "lot": text}),
        ("receipts", {"asn": text, "sku": text, "quantity": 1, "container": text}),
        (
            "receipts",
            {"asn": "A1", "sku": sku.code, "quantity": 1, "container": "L-1", "lot": {"code": "B", "origin": text}},
        ),
        ("putaways", {"container": "L-1", "slot": text}),
        ("reroutes", {"courier": text, "to_hub": text, "from_hub": text}),
    ]
    statuses = [program.post(path, body) for path, body in asked]
    assert max(statuses) < 500, statuses


def test_an_order_is_closed_in_one_call(database: Database) -> None:
    dock: Dock = a_dock(database)
    program = Client(dock.park)
    order_id = picked(dock, 3)
    no = order(dock, order_id).no
    assert program.post(f"orders/{no}/ship", request_id="s1") == 200
    said = program.answer
    assert said["state"] == "shipped"
    assert len(said["parcels"][0]["waybill"]) == 15
    assert program.post(f"orders/{no}/ship", request_id="s1") == 200
    assert program.answer == said
    assert program.post(f"orders/{no}/ship") == 409
    assert order(dock, order_id).state == "shipped"
    assert broken_promises(dock.park) == []
