"""The stations' gateways: they number what their devices tell, keep it until the server has it, and print and sort."""

from __future__ import annotations

import json
import secrets
from collections import deque
from functools import cached_property
from random import Random
from secrets import token_hex as a_nonce  # bound before the day begins: used once by anybody, and in no trace
from typing import TYPE_CHECKING, Any

from tests.proofs.day.time import Process
from wms.exchange.gateways.signing import Signed, signature
from wms.printing.service import commands_wake
from wms.sorting.service import ROUTES_WAKE
from wms.sorting.tables import Gateway

if TYPE_CHECKING:
    from tests.proofs.day.park import Day

Json = dict[str, Any]
LINK = frozenset(
    {
        "events_answer_lost",
        "events_replayed",
        "events_gap",
        "events_reordered",
        "gateway_restarts",
        "gateway_clock_wrong",
        "nonce_used_again",
        "signature_wrong",
        "poison_event",
    }
)
PRINTER = frozenset({"printer_paper", "print_uncertain", "print_offered_twice"})
BELT = frozenset(
    {"no_read", "double_read", "confirmed_twice", "confirmed_first", "wrong_chute", "parcel_lost", "chute_full"}
)
JOURNAL_MAX = 400
CALL_MAX = 50
CLOCK_OFF_S = 600
POISON: tuple[Any, ...] = (None, 7, {"chute": "x", "state": []}, {"pid": "no"}, {"code": None})


class Station:
    """One gateway. `tell` numbers and keeps; its process sends, fetches and does."""

    def __init__(self, day: Day, name: str, gateway_id: int, key: str) -> None:
        self.day, self.name, self.id, self._key = day, name, gateway_id, key
        self._dice = Random(f"{day.seed} {name}")
        self._seq = self._told = 0
        self._journal: deque[Json] = deque(maxlen=JOURNAL_MAX)
        self._boot = secrets.token_hex(4)
        self._jobs: set[int] = set()
        self._paper_until_s = 0.0
        self._seen: dict[str, tuple[int, int]] = {}

    def tell(self, kind: str, facts: Any, device: str) -> None:
        self._seq += 1
        at_ms = int(self.day.time.now().timestamp() * 1000)
        self._journal.append({"seq": self._seq, "at_ms": at_ms, "device": device, "kind": kind, "facts": facts})

    @property
    def waiting(self) -> list[Json]:
        return [event for event in self._journal if event["seq"] > self._told][:CALL_MAX]

    def work(self) -> Process:
        while self.day.at_work or self.waiting:
            yield 0.7 + self._dice.random() * 0.6
            if self.waiting:
                self._push(self.day.deck.draw("gateway", LINK))
            if self._woken(commands_wake(self._station_id)):
                self._fetch()
            self.mind()

    @cached_property
    def _station_id(self) -> int:
        return self.day.server.db.read(lambda session: session.get_one(Gateway, self.id)).station_id

    def _woken(self, name: str) -> bool:
        """Whether the long poll on `name` would have come back since it was last asked: the server's own word."""
        seen = (self.day.server.restarts, self.day.server.db.wakes.seen(name))
        fresh = self._seen.get(name) != seen or bool(self._paper_until_s)
        self._seen[name] = seen
        return fresh

    def mind(self) -> None:
        """What else this gateway has to look after."""

    # --- the link

    def _push(self, fault: str | None) -> None:
        if fault == "poison_event":
            self.tell("chute", self._dice.choice(POISON), "line1")
        if fault == "gateway_restarts":
            self._boot = secrets.token_hex(4)
        events = self.waiting
        if fault in ("gateway_clock_wrong", "signature_wrong", "nonce_used_again", "events_gap"):
            self._refused(fault, events)
        if fault == "events_reordered":
            self._dice.shuffle(events)
        if fault == "events_replayed":
            known = [event for event in self._journal if event["seq"] <= self._told]
            events = known[-CALL_MAX:] + events
        status, answer = self._tell_server(events)
        if fault == "events_answer_lost" and status == 200:
            status, again = self._tell_server(events)
            self._expect(fault, status == 200 and again == answer)
        if status == 200:
            self._told = max(self._told, int(answer["high_water"]))
        elif status not in (503,):
            self.day.world.broke(f"{self.name}: events: {status} {answer}")

    def _refused(self, fault: str, events: list[Json]) -> None:
        """What must not get in, and must change nothing."""
        if fault == "gateway_clock_wrong":
            status, answer = self._tell_server(events, off_s=CLOCK_OFF_S)
            self._expect(fault, (status, _reason(answer)) == (401, "clock_wrong"))
        elif fault == "signature_wrong":
            status, answer = self._tell_server(events, key="00" * 32)
            self._expect(fault, (status, _reason(answer)) == (401, "signature_wrong"))
        elif fault == "nonce_used_again":
            nonce = a_nonce(16)
            self.call("GET", "/gateway/v1/commands?wait_s=0", b"", nonce=nonce)
            status, answer = self.call("GET", "/gateway/v1/commands?wait_s=0", b"", nonce=nonce)
            self._expect(fault, (status, _reason(answer)) == (401, "nonce_reused"))
        else:
            beyond = [{**events[-1], "seq": events[-1]["seq"] + 5}]
            status, answer = self._tell_server(beyond)
            self._expect(fault, (status, _reason(answer)) == (409, "event_gap"))

    def _tell_server(self, events: list[Json], **odd: Any) -> tuple[int, Json]:
        body = {"boot": self._boot, "first": 0, "last": 0, "events": events}
        status, answer = self.call("POST", "/gateway/v1/events", json.dumps(body).encode(), **odd)
        kinds = ",".join(f"{event['seq']}:{event['kind']}" for event in events)
        self.day.trace.note(self.name, "events", kinds, status)
        return status, answer

    def call(
        self, method: str, path: str, body: bytes, *, off_s: int = 0, nonce: str = "", key: str = ""
    ) -> tuple[int, Json]:
        at_s = str(int(self.day.time.now().timestamp()) + off_s)
        signed = Signed(method, path, at_s, nonce or a_nonce(16), body, "")
        headers = {
            "X-Gateway": str(self.id),
            "X-Time": signed.time_s,
            "X-Nonce": signed.nonce,
            "X-Signature": signature(key or self._key, signed),
        }
        status, answer, _cookies = self.day.server.call(method, path, body, headers)
        return status, answer

    def _expect(self, fault: str, held: bool) -> None:
        if not held:
            self.day.world.broke(f"{fault}: {self.name}")

    # --- the printer

    def _fetch(self) -> None:
        status, answer = self.call("GET", "/gateway/v1/commands?wait_s=0", b"")
        for command in answer.get("commands", []) if status == 200 else []:
            if command["kind"] == "print":
                self._print(int(command["facts"]["job"]))
            else:
                self.tell("command", {"id": command["id"], "result": "taken"}, "line1")

    def _print(self, job: int) -> None:
        if job in self._jobs or self.day.time.elapsed_s < self._paper_until_s:
            return
        self._paper_until_s = 0.0
        fault = self.day.deck.draw("gateway", PRINTER)
        if fault == "printer_paper":
            self._paper_until_s = self.day.time.elapsed_s + 120.0
            return
        self._jobs.add(job)
        ends = "uncertain" if fault == "print_uncertain" else "verified"
        for state in ("claimed", "sending", "sent", ends):
            self.tell("print", {"job": job, "state": state, "printer": "printer"}, "printer")
        self.day.world.printed[job] += 1
        if fault == "print_offered_twice":
            self._fetch()


class Line(Station):
    """The sorting line's gateway: its own route table, asked for what is missing, telling and confirming."""

    _routes: dict[str, str]
    _version = 0
    _pid = 0

    def mind(self) -> None:
        if self._woken(ROUTES_WAKE):
            self._fetch_routes()
        if self.day.belt:
            self._sort(self.day.belt.popleft())

    def _fetch_routes(self) -> None:
        if self._version == 0:
            self._routes = {}
        status, answer = self.call("GET", f"/gateway/v1/routes?since={self._version}&wait_s=0", b"")
        if status != 200:
            return
        for change in answer["changes"]:
            if change["chute"] is None:
                self._routes.pop(change["code"], None)
            else:
                self._routes[change["code"]] = change["chute"]
        self._version = int(answer["version"])

    def _sort(self, waybill: str) -> None:
        self._pid += 1
        fault = self.day.deck.draw("gateway", BELT)
        codes = [] if fault == "no_read" else [waybill]
        if fault == "double_read" and self.day.world.labelled:
            codes = [waybill, next(iter(self.day.world.labelled))]
        chute = 0 if fault in ("no_read", "double_read") else self._chute_of(waybill)
        if fault == "wrong_chute" and chute:
            chute += 1
        reason = "NOREAD" if not codes else "ROUTE" if chute else "UNKNOWN"
        same = {"pid": self._pid, "codes": codes}
        divert = {**same, "lap": 1, "chute": chute, "reason": reason, "version": self._version}
        result = "LOST" if fault == "parcel_lost" else "NOREAD" if not codes else "OK"
        cfm = {**same, "chute": None if result == "LOST" else chute, "result": result}
        both = [("divert", divert), ("cfm", cfm)]
        for kind, facts in reversed(both) if fault == "confirmed_first" else both:
            self.tell(kind, facts, "line1")
        if fault == "confirmed_twice":
            self.tell("cfm", cfm, "line1")
        if fault == "chute_full" and chute:
            self.tell("chute", {"chute": chute, "state": "FULL", "count": 60}, "line1")
            self.day.office.change_bag(chute)

    def _chute_of(self, waybill: str) -> int:
        told = self._routes.get(waybill)
        if told is None:
            body = json.dumps({"pid": self._pid, "codes": [waybill]}).encode()
            _status, answer = self.call("POST", "/gateway/v1/ask", body)
            told = str(answer.get("chute", "0")) if answer.get("known") else "0"
        return int(told.partition("/")[0])


def _reason(answer: Json) -> str:
    return str(answer.get("error", {}).get("reason", ""))
