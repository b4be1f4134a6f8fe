"""The API's description: complete, valid, true; and nothing that fits it, or does not, makes the server stumble."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests import builders
from tests import schema as tables
from tests.proofs.fuzz.bodies import towards_what_is_there
from wms.app import House, make_house
from wms.core.db import Database
from wms.core.refusal import Reason
from wms.people.service import make_key
from wms.people.values import Role
from wms.settings import Settings
from wms.shipping import couriers

EXAMPLES_EACH = int(os.environ.get("CHUWEI_FUZZ_EXAMPLES", "25"))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]

# Half of the generated bodies speak of what is there, so that calls get past the door.
KNOWN: dict[str, Any] = {
    "sku": "S1",
    "merchant": "M1",
    "courier": "YUNDA",
    "container": "L0000001",
    "slot": "A01-01-1A",
    "asn": "A1",
}
KNOWN |= {"order": "D1", "no": "D1", "code": "S1", "number": 1}


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[House, str]]:
    """The application over a small park with stock and an order, and a key that may do everything."""
    url = f"sqlite:///{tmp_path_factory.mktemp('openapi') / 'park.db'}"
    tables.build(url)
    database = Database.open(url)
    park = builders.a_park(database)
    park.act(lambda call: builders.stock_in(call, builders.a_sku(call, "S1"), "A01-01-1A", 10))
    park.act(lambda call: couriers.add_courier(call, code="YUNDA", name="韵达", cut_offs=["16:00"]))
    park.act(lambda call: couriers.add_pool(call, courier="YUNDA", first=1, last=9_999))
    park.act(lambda call: couriers.add_route(call, courier="YUNDA", match="", route_code="1", hub="杭州"))
    key = park.act(lambda call: make_key(call, role=Role.INTEGRATOR))
    yield make_house(database, park.clock, Settings()), key
    database.dispose()


def spec(door: tuple[House, str]) -> dict[str, Any]:
    answer = door[0].app.test_client().get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def calls(found: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in found["paths"].items():
        for method, call in methods.items():
            yield path, method, call


def test_every_rest_route_is_described_and_nothing_else(door: tuple[House, str]) -> None:
    rules = {
        (re.sub(r"<(?:[^:>]+:)?([^>]+)>", r"{\1}", rule.rule), method.lower())
        for rule in door[0].app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert {(path, method) for path, method, _call in calls(spec(door))} == rules
    assert len(rules) >= 17


def test_every_call_has_a_summary_a_name_a_key_and_its_refusals(door: tuple[House, str]) -> None:
    names = []
    for path, method, call in calls(spec(door)):
        where = f"{method} {path}"
        names.append(call["operationId"])
        assert call["summary"], where
        assert call["security"] == [{"bearer": []}], where
        parameters = {(one["in"], one["name"]) for one in call["parameters"]}
        assert {("path", name) for name in re.findall(r"{(\w+)}", path)} <= parameters, where
        assert (("header", "Idempotency-Key") in parameters) == (method != "get"), where
        assert {"401", "403", "404", "409", "503"} <= set(call["responses"]), where
        assert [status for status in call["responses"] if status.startswith("2")], where
    assert len(set(names)) == len(names)


def test_every_status_of_a_reason_is_described(door: tuple[House, str]) -> None:
    described = {int(status) for _path, _method, call in calls(spec(door)) for status in call["responses"]}
    assert {reason.status for reason in Reason} <= described


def test_references_lead_somewhere_and_schemas_are_schemas(door: tuple[House, str]) -> None:
    found = spec(door)
    assert found["openapi"].startswith("3.1")
    assert found["components"]["securitySchemes"]["bearer"] == {"type": "http", "scheme": "bearer"}
    assert "ValidationError" not in found["components"]["schemas"]

    def walk(node: Any) -> Iterator[str]:
        if isinstance(node, dict):
            if isinstance(node.get("$ref"), str):
                yield node["$ref"]
            for below in node.values():
                yield from walk(below)
        elif isinstance(node, list):
            for below in node:
                yield from walk(below)

    for reference in walk(found):
        at: Any = found
        for part in reference.removeprefix("#/").split("/"):
            at = at[part]
    for schema in found["components"]["schemas"].values():
        jsonschema_rs.meta.validate(schema)


_numbers = count(1)


def test_no_call_makes_the_server_stumble(door: tuple[House, str]) -> None:
    described = schemathesis.openapi.from_wsgi("/api/openapi.json", door[0].app)
    statuses: Counter[int] = Counter()
    for found in described.get_all_operations():
        assert isinstance(found, Ok), found
        ask_all_kinds(found.ok(), door[1], statuses)
    assert sum(statuses.values()) >= 300
    assert {200, 201, 400, 404} <= set(statuses), statuses
    assert {409, 422} & set(statuses), "no call came as far as a rule of the house"
    assert max(statuses) < 500, statuses


def ask_all_kinds(operation: Any, key: str, statuses: Counter[int]) -> None:
    """Generated calls of one operation; each answer is one that is described."""

    @settings(
        max_examples=EXAMPLES_EACH,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        turn = next(_numbers)
        if turn % 4:
            case.body = towards_what_is_there(case.body, turn, KNOWN)
            for name in set(case.path_parameters or {}) & set(KNOWN):
                case.path_parameters[name] = KNOWN[name]
        answer = case.call(headers={"Authorization": f"Bearer {key}", "Idempotency-Key": f"fuzz-{turn}"})
        statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)

    ask()


def test_a_number_no_column_can_hold_is_a_page_that_is_not_there(door: tuple[House, str]) -> None:
    headers = {"Authorization": f"Bearer {door[1]}", "Idempotency-Key": "huge"}
    answer = door[0].app.test_client().post(f"/api/v1/chutes/{2**64}/empty", headers=headers)
    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (404, "not_found")
