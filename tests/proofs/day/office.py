"""The merchant's program and the office: orders and deliveries come in by REST, waves are made and released."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from itertools import count, cycle
from random import Random
from typing import TYPE_CHECKING, Any

from tests.proofs.day.time import Process

if TYPE_CHECKING:
    from tests.proofs.day.park import Day

Json = dict[str, Any]
EVERY_S = 60.0
AWAY = 503
REST = frozenset(
    {
        "order_cancelled",
        "order_sent_twice",
        "order_key_reused",
        "order_number_reused",
        "order_answer_lost",
        "order_of_nothing",
    }
)


class Office:
    """Sends orders at the pace of the floor."""

    def __init__(self, day: Day, key: str, orders_a_minute: int) -> None:
        self.day, self._key, self._pace = day, key, orders_a_minute
        self._dice = Random(f"{day.seed} office")
        self._plan: Iterator[Any] = cycle(day.plan.orders)
        self._numbers = count(1)
        self.placed: list[str] = []

    def ask(self, method: str, path: str, body: Json | None = None, key: str = "") -> tuple[int, Json]:
        headers = {"Authorization": f"Bearer {self._key}"}
        if method == "POST":
            headers |= {"Idempotency-Key": key or secrets.token_hex(16), "Content-Type": "application/json"}
        raw = None if method == "GET" else json.dumps(body or {}).encode()
        status, answer, _cookies = self.day.server.call(method, path, raw, headers)
        self.day.trace.note("office", method, path, status)
        return status, answer

    def work(self) -> Process:
        while not self.day.over:
            for _order in range(self._pace):
                self._place(self.day.deck.draw("rest", REST))
            yield 1.0
            status, answer = self.ask("POST", "/api/v1/waves")
            for wave in answer.get("waves", []) if status == 201 else []:
                yield 1.0
                self.ask("POST", f"/api/v1/waves/{wave}/release")
            yield EVERY_S

    def _place(self, fault: str | None) -> None:
        planned = next(self._plan)
        no = f"D{next(self._numbers):06d}"
        body: Json = {
            "no": no,
            "merchant": planned.merchant,
            "courier": planned.courier,
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in planned.lines],
            "receiver": planned.receiver,
        }
        if fault == "order_of_nothing":
            status, _answer = self.ask("POST", "/api/v1/orders", {**body, "lines": [{"sku": "NONE", "quantity": 1}]})
            self._expect(fault, status == 404)
        key = secrets.token_hex(16)
        first = self.ask("POST", "/api/v1/orders", body, key)
        self._expect("order", first[0] == 201)
        self.placed.append(no)
        self._again(fault, body, key, first)

    def _again(self, fault: str | None, body: Json, key: str, first: tuple[int, Json]) -> None:
        if fault in ("order_sent_twice", "order_answer_lost"):
            self._expect(fault, self.ask("POST", "/api/v1/orders", body, key) == first)
        elif fault == "order_key_reused":
            status, _answer = self.ask("POST", "/api/v1/orders", {**body, "no": "ANOTHER"}, key)
            self._expect(fault, status == 422)
        elif fault == "order_number_reused":
            status, _answer = self.ask("POST", "/api/v1/orders", body)
            self._expect(fault, status == 409)
        elif fault == "order_cancelled" and len(self.placed) > 1:
            self.day.cancel(self._dice.choice(self.placed[-200:]))

    def change_bag(self, chute: int) -> None:
        self.ask("POST", f"/api/v1/chutes/{chute}/empty")

    def announce(self, no: str, merchant: str, lines: list[tuple[str, int]]) -> None:
        """A delivery that is to come."""
        body = {"no": no, "merchant": merchant, "lines": [{"sku": sku, "quantity": pieces} for sku, pieces in lines]}
        status, answer = self.ask("POST", "/api/v1/asns", body)
        self._expect(f"delivery {no}: {answer}", status == 201)

    def _expect(self, fault: str, held: bool) -> None:
        if not held:
            self.day.world.broke(f"{fault}: the office")
