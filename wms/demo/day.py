"""The state that the people of a demonstration share: carts, totes, lanes, what was told them, and what still is to
be done.
"""

from __future__ import annotations

import http.client
import json
import queue
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from wms.core.codes import Kind, make
from wms.core.wakes import Wakes
from wms.demo.clock import DayClock
from wms.demo.hands import Goods
from wms.demo.plan import DayPlan, PlannedSku
from wms.demo.stations import Floor

REST_TRIES_MAX = 5
TOTES = 400
STALL_S = 300.0
WORK = "work"  # called out across the hall


class RestRefused(Exception):
    """The API said no; the message is its sentence."""


class Rest:
    """The integrator's program: orders in, cancellations, and what the supervisor asks of the floor."""

    def __init__(self, url: str, key: str) -> None:
        self._netloc = urlsplit(url).netloc
        self._key = key
        self._lock = threading.Lock()
        self._connection = http.client.HTTPConnection(self._netloc, timeout=120)

    def post(self, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        """One command with a new id; asked again under the same id when the line breaks. Raises RestRefused."""
        headers = {
            "Authorization": f"Bearer {self._key}",
            "Idempotency-Key": secrets.token_hex(16),
            "Content-Type": "application/json",
        }
        return self._send("POST", path, json.dumps(body or {}), headers)

    def get(self, path: str) -> dict[str, Any]:
        return self._send("GET", path, None, {"Authorization": f"Bearer {self._key}"})

    def _send(self, method: str, path: str, body: str | None, headers: dict[str, str]) -> dict[str, Any]:
        with self._lock:
            for attempt in range(1, REST_TRIES_MAX + 1):
                try:
                    self._connection.request(method, path, body, headers)
                    response = self._connection.getresponse()
                    content = response.read()
                    break
                except (OSError, http.client.HTTPException):
                    self._connection.close()
                    if attempt == REST_TRIES_MAX:
                        raise
                    time.sleep(0.2 * attempt)
        answer: dict[str, Any] = json.loads(content) if content else {}
        if response.status >= 400:
            raise RestRefused(f"{method} {path}: {response.status} {answer.get('error', answer)}")
        return answer


@dataclass(slots=True)
class Happened:
    """What was made to go wrong, and how it ended: shown in the report."""

    lines: dict[str, str] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, fault: str, what: str) -> None:
        with self.lock:
            self.lines[fault] = what


@dataclass(slots=True)
class Day:
    """One day under way."""

    url: str
    plan: DayPlan
    goods: Goods
    floor: Floor
    rest: Rest
    clock: DayClock
    happened: Happened = field(default_factory=Happened)
    over: threading.Event = field(default_factory=threading.Event)
    counts: Counter[str] = field(default_factory=Counter)
    troubles: list[str] = field(default_factory=list)
    free_totes: queue.Queue[str] = field(default_factory=queue.Queue)
    to_pack: queue.Queue[str] = field(default_factory=queue.Queue)
    rejected: queue.Queue[str] = field(default_factory=queue.Queue)
    order_of_tote: dict[str, str] = field(default_factory=dict)
    waybill_of_pid: dict[int, str] = field(default_factory=dict)
    stopped: set[str] = field(default_factory=set)
    fired: set[str] = field(default_factory=set)
    scan_s: list[float] = field(default_factory=list)
    line_ms: list[float] = field(default_factory=list)
    calls: Wakes = field(default_factory=Wakes)
    couriers_wait: threading.Event = field(default_factory=threading.Event)
    _skus: dict[str, PlannedSku] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)
    _moved_s: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        for number in range(1, TOTES + 1):
            self.free_totes.put(f"T-{number:04d}")
        self._skus.update({sku.name: sku for sku in self.plan.skus})

    def count(self, what: str, more: int = 1) -> int:
        """Count something done; the new count. Whatever is counted shows that the day moves on."""
        with self._lock:
            self.counts[what] += more
            self._moved_s = time.monotonic()
            return self.counts[what]

    def once(self, fault: str) -> bool:
        """True for the first who asks: each fault happens once."""
        with self._lock:
            if fault in self.fired:
                return False
            self.fired.add(fault)
            return True

    def trouble(self, who: str, what: str) -> None:
        """Something nobody planned: kept for the report, the day goes on."""
        with self._lock:
            self.troubles.append(f"{who}: {what}")

    def stalled(self) -> bool:
        """Nothing was counted for so long that nobody will do anything any more."""
        return time.monotonic() - self._moved_s > STALL_S

    def sku_named(self, name: str) -> PlannedSku:
        """What a screen calls by its name."""
        return self._skus[name]

    def tote_label(self, tote: str) -> str:
        return make(Kind.TOTE, tote)
