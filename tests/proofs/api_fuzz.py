"""Thousands of calls made from our own OpenAPI document, lawful and unlawful, against a park with stock and orders.

Every answer is one that the document declares (status, type, schema), none is a mistake of ours (5xx), and afterwards
every promise of the house still holds.
"""

from __future__ import annotations

import time
from collections import Counter
from itertools import count
from typing import Any

import schemathesis
from flask import Response
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.proofs.frame import Ground, Outcome, proof, twin
from tests.proofs.fuzz.bodies import towards_what_is_there
from tests.proofs.fuzz.park import KNOWN, Fuzzed, a_fuzzed_park
from tests.proofs.sabotage import replaced
from wms.core import web
from wms.outbound import api as outbound_api

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
BROKEN_LENGTH_MAX = 400


class Caller:
    """Calls one operation after another and keeps count of what was answered."""

    def __init__(self, fuzzed: Fuzzed, number: int) -> None:
        self._key = fuzzed.key
        self._seed = number
        self._turns = count(1)
        self.statuses: Counter[int] = Counter()
        self.broken: list[str] = []

    def call(self, operation: Any, times: int) -> None:
        """About `times` generated calls of one operation; stops at the first that breaks the description."""
        sized = settings(
            max_examples=times,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        ask = seed(self._seed)(sized(given(case=operation.as_strategy())(self._once)))
        try:
            ask()
        except (Exception, FailureGroup) as error:  # noqa: BLE001 - whatever a failed check raises is a finding
            words = " ".join(f"{type(error).__name__}: {error}".split())
            self.broken.append(f"{operation.method} {operation.path}: {words}"[:BROKEN_LENGTH_MAX])

    def _once(self, case: Any) -> None:
        turn = next(self._turns)
        if turn % 4:
            case.body = towards_what_is_there(case.body, turn)
            for name in set(case.path_parameters or {}) & set(KNOWN):
                case.path_parameters[name] = KNOWN[name]
        headers = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": f"fuzz-{turn}"}
        answer = case.call(headers=headers)
        self.statuses[answer.status_code] += 1
        case.validate_response(answer, checks=CHECKS)


def bombard(ground: Ground, calls: int) -> Outcome:
    """About `calls` calls, spread evenly over all operations."""
    fuzzed, began_s = a_fuzzed_park(ground.database()), time.monotonic()
    caller = Caller(fuzzed, ground.seed)
    described = schemathesis.openapi.from_wsgi("/api/openapi.json", fuzzed.house.app)
    operations = [found.ok() for found in described.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        caller.call(operation, -(-calls // len(operations)))
    made = sum(caller.statuses.values())
    broken = [*caller.broken, *ground.audit()]
    broken += [f"{number} answers of {status}" for status, number in caller.statuses.items() if status >= 500]
    if not caller.broken and made < calls * 0.9:  # an operation with a single lawful call is not repeated
        broken.append(f"only {made} of {calls} calls were made")
    facts = {
        "operations": len(operations),
        **{str(status): caller.statuses[status] for status in sorted(caller.statuses)},
    }
    return Outcome(f"{made:,} calls", tuple(broken), made / (time.monotonic() - began_s), "calls/s", facts)


@proof(
    name="api_fuzz",
    promises=(3, 4, 6, 10),
    small={"calls": 170},
    full={"calls": 20_000},
    goal="0 answers of 5xx, every answer as described",
)
def api_fuzz(ground: Ground, *, calls: int) -> Outcome:
    return bombard(ground, calls)


@twin(of="api_fuzz", sabotage="allocation stumbles over what it finds", small={"calls": 170})
def stumbling(ground: Ground, *, calls: int) -> Outcome:
    def stumble(_call: Any, no: str) -> None:
        raise KeyError(no)

    with replaced(outbound_api, promise=stumble):
        return bombard(ground, calls)


@twin(of="api_fuzz", sabotage="answers bear a status nobody described", small={"calls": 100})
def undescribed(ground: Ground, *, calls: int) -> Outcome:
    def teapot(body: str, status: int = 200) -> Any:
        return Response(body, status=418 if status == 404 else status, content_type=web.JSON_TYPE)

    with replaced(web, json_response=teapot):
        return bombard(ground, calls)
