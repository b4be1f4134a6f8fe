"""A person with a PDA: sends what he scans until it is answered, over a wire on which anything may happen."""

from __future__ import annotations

import json
import random
import secrets
from collections.abc import Collection, Generator, Mapping
from typing import TYPE_CHECKING, Any

from tests.proofs.day.time import Process
from tests.proofs.day.world import told
from wms.core.codes import Kind, make

if TYPE_CHECKING:
    from tests.proofs.day.park import Day

Json = dict[str, Any]
Doing = Generator[float, None, None]
SCAN, ACT = "scan", "action"
BAD = ("wrong", "intercepted")
AWAY = 503
SHUT_OUT = (401, 409)  # the session is over, or taken over by another device
CLOCK_OFF_MS = {"device_clock_ahead": 7_200_000, "device_clock_behind": -172_800_000}
STRAYS = {"foreign_code": "4006381333931", "broken_code": "\x1d\x1d]Z9~?", "badge_scanned": make(Kind.BADGE, "W01")}


class Hand:
    """One person. `work` of a role is a process that sleeps between scans."""

    def __init__(self, day: Day, badge: str, pin: str, device: str, station: str = "") -> None:
        self.day, self.badge, self._pin, self.device, self.station = day, badge, pin, device, station
        self.dice = self.chance()
        self.envelope: Json = {}
        self.actor = ""
        self._rebooted = False
        self.accepted = False  # the last thing he did, as the house answered it, whether he saw the answer or not
        self.cookies = ""
        self.csrf = ""
        self.stopped_then: frozenset[str] = frozenset()  # orders that were cancelled when the server answered

    def chance(self) -> random.Random:
        """What he does by chance is the seed's."""
        return random.Random(f"{self.day.seed} {self.badge}")

    def work(self) -> Doing:
        """A role's day."""
        raise NotImplementedError

    # --- what he sees

    @property
    def screen(self) -> Json:
        shown: Json = self.envelope["screen"]
        return shown

    @property
    def at(self) -> tuple[str, str]:
        return str(self.screen["dialogue"]), str(self.screen["step"])

    @property
    def standing(self) -> tuple[int | None, int]:
        """The work in hand and when it last moved. What is shown of it may change although nobody moved: an order was
        stopped, somebody else was at the cart.
        """
        work = self.envelope["work"]
        return work["task"], int(work["moved"])

    @property
    def message(self) -> Json:
        return self.envelope.get("message") or {}

    @property
    def refused(self) -> str:
        return str(self.message.get("code") or "wrong") if self.message.get("level") in BAD else ""

    # --- log in and out

    def log_in(self, device: str = "") -> Doing:
        """Until it works. A mistyped PIN is told and typed again."""
        if self.day.deck.draw("walk", ("wrong_pin",)):
            status, answer = self._log_in_once("000001", device)
            self._expect("wrong_pin", status == 401 and answer["error"]["reason"] == "pin_wrong")
            yield 2.0
        status = 0
        while status != 200:
            status, answer = self._log_in_once(self._pin, device)
            if status == 200:
                self.envelope = answer
            yield 1.0

    def _log_in_once(self, pin: str, device: str) -> tuple[int, Json]:
        body = {"device": device or self.device, "badge": self.badge, "pin": pin}
        if self.station:
            body["station"] = make(Kind.STATION, self.station)
        raw = json.dumps(body).encode()
        status, answer, cookies = self.day.server.call("POST", "/pda/login", raw, {})
        if status == 200:
            self.cookies = cookies
            self.csrf = cookies.partition("csrf=")[2].partition(";")[0]
        self.day.trace.note(self.badge, "login", status)
        return status, answer

    # --- scans and keys

    def scan(self, code: str) -> Doing:
        """One scan, perhaps after a wrong one, perhaps twice."""
        self.day.world.scans += 1
        stray = self.day.deck.draw("hand", self._strays())
        if stray and stray != "double_tap":
            yield from self._stray(stray)
        yield from self.send(SCAN, {"code": code})
        if stray == "double_tap" and self.at[0] != "menu":
            yield 0.3
            yield from self.send(SCAN, {"code": code})
            # The second pull is judged by itself; what it did must show in the books.
            self.envelope = {**self.envelope, "message": None}

    def leave(self) -> Doing:
        """Back to the menu, from wherever one is."""
        for _ in range(4):
            if self.at[0] == "menu":
                return
            keys = {key["action"] for key in self.screen["keys"]}
            yield from self.act("leave" if "leave" in keys else "back")
            yield 1.0

    def act(self, action: str, value: str = "") -> Doing:
        yield from self.send(ACT, {"action": action, "value": value})

    def _strays(self) -> Collection[str]:
        """What can be scanned by mistake here without the goods themselves going elsewhere."""
        dialogue, step = self.at
        every = {"foreign_code", "broken_code", "badge_scanned", "key_of_another_screen"}
        if dialogue == "cluster_pick" and step in ("scan_slot", "scan_tote"):
            return every | {"wrong_code", "wrong_place", "double_tap"}
        if dialogue in ("pack", "putaway", "receive") and step not in ("type_lot", "type_expiry"):
            return every | {"wrong_code"}
        return {"key_of_another_screen"}

    def _stray(self, kind: str) -> Doing:
        before, standing = self.at, self.standing
        if kind == "key_of_another_screen":
            yield from self.send(ACT, {"action": "no_such_key", "value": "1"})
        else:
            elsewhere = self.day.slot_nobody_wants if kind == "wrong_place" else self.day.barcode_of_nobody
            code = STRAYS.get(kind) or elsewhere
            yield from self.send(SCAN, {"code": code})
        stayed = self.at == before or self.standing == standing
        self._expect(kind, (bool(self.refused) or self._rebooted) and stayed)
        yield 1.0

    def send(self, path: str, what: Mapping[str, Any], **kept: Any) -> Doing:
        """Send until there is an answer; what happens on the way is drawn from the deck."""
        fault = self.day.deck.draw("wire")
        body = {"id": secrets.token_hex(16), **what, "at_ms": self._device_ms(fault), **kept}
        yield from self._before(fault, path, body)
        status, answer = yield from self._until_answered(path, body)
        first_stopped = self.stopped_then
        if fault in ("lost_answer", "server_restarts_after"):
            if fault == "server_restarts_after":
                self.day.server.restart()
            yield 3.0
            again, answer_again = yield from self._until_answered(path, body)
            self._same(fault, (status, answer), (again, answer_again))
            answer, self.stopped_then = answer_again, first_stopped
        self._answered(path, body, status, answer)
        yield from self._after(fault, path, body, status, answer)

    def _device_ms(self, fault: str | None) -> int:
        return int(self.day.time.now().timestamp() * 1000) + CLOCK_OFF_MS.get(fault or "", 0)

    def _before(self, fault: str | None, path: str, body: Json) -> Doing:
        if fault == "lost_request":
            yield 5.0
        elif fault == "slow_network":
            yield 30.0
        elif fault == "server_restarts_before":
            self.day.server.restart()
        elif fault == "page_mark_missing":
            status, _answer = self._post(path, body, csrf="")
            self._expect(fault, status in (403, *SHUT_OUT))
        elif fault == "database_busy":
            with self.day.server.held_by_another():
                status, _answer = self._post(path, body)
            self._expect(fault, status in (AWAY, *SHUT_OUT))
        elif fault == "disk_full":
            with self.day.server.disk_full():
                status, _answer = self._post(path, body)
            # 200 when there was room left in the last pages: then it was done, and the next try only hears of it
            self._expect(fault, status in (200, AWAY, *SHUT_OUT))

    def _after(self, fault: str | None, path: str, body: Json, status: int, answer: Json) -> Doing:
        if fault == "duplicate":
            self._same(fault, (status, answer), self._post(path, body))
        elif fault == "late_duplicate":
            self.day.time.begin(self._copy_arrives(path, body, status, answer), 45.0 + self.dice.random() * 60)
        elif fault == "id_used_again":
            other = {**body, **({"code": "ANOTHER"} if path == SCAN else {"value": "another"})}
            again, said = self._post(path, other)
            self._expect(fault, again in SHUT_OUT or said["message"]["code"] == "request_id_reused")
        self._rebooted = fault == "device_reboots"  # its screen is drawn anew, without what was refused
        if self._rebooted:
            self.envelope = {}
            yield 40.0
            yield from self.look()

    def look(self) -> Doing:
        """What the screen shows now."""
        while True:
            status, answer, _cookies = self.day.server.call("GET", "/pda/state", None, {"Cookie": self.cookies})
            if status == 200:
                self.envelope = answer
                return
            yield from self.log_in()

    def _until_answered(self, path: str, body: Json) -> Generator[float, None, tuple[int, Json]]:
        while True:
            status, answer = self._post(path, body)
            if status in SHUT_OUT:
                yield from self.log_in()
            elif status == AWAY:
                yield 2.0
            else:
                self.stopped_then = frozenset(self.day.cancelled)
                return status, answer

    def _post(self, path: str, body: Json, csrf: str | None = None) -> tuple[int, Json]:
        headers = {"Cookie": self.cookies, "X-CSRF": self.csrf if csrf is None else csrf}
        status, answer, _cookies = self.day.server.call("POST", f"/pda/{path}", json.dumps(body).encode(), headers)
        return status, answer

    def _copy_arrives(self, path: str, body: Json, status: int, answer: Json) -> Process:
        """A copy of an old request: answered as then, and nothing moves."""
        cookies_then = self.cookies
        before = self._version()
        again = self._post(path, body)
        if again[0] not in SHUT_OUT and cookies_then == self.cookies:
            self._same("late_duplicate", (status, answer), again)
            self._expect("late_duplicate", self._version() == before)
        yield 0.0

    def _version(self) -> int:
        _status, answer, _cookies = self.day.server.call("GET", "/pda/state", None, {"Cookie": self.cookies})
        return int(answer.get("work", {}).get("version", -1))

    def _answered(self, path: str, body: Json, status: int, answer: Json) -> None:
        what = body.get("code") or f"{body.get('action')}={body.get('value')}"
        if status != 200:
            self.day.world.broke(f"{self.badge} {path} {what!r}: {status} {answer}")
            return
        self.envelope = answer
        said = answer.get("message") or {}
        self.day.trace.note(self.badge, path, repr(what), *self.at, said.get("level", "-"), said.get("code", "-"))
        self.said, self.accepted = said, said.get("level") not in BAD
        self.day.world.acknowledged[self.badge, body["id"]] = told(answer["message"]) if self.accepted else ""

    def _same(self, fault: str, first: tuple[int, Json], again: tuple[int, Json]) -> None:
        """The same request is answered alike (unless the session was over)."""
        said = [(status, answer.get("message")) for status, answer in (first, again)]
        self._expect(fault, said[0] == said[1] or again[0] in SHUT_OUT, said)

    def _expect(self, fault: str, held: bool, detail: object = "") -> None:
        if not held:
            where = "/".join(self.at) if self.envelope else "-"
            self.day.world.broke(f"{fault}: {self.badge} at {where}: {detail} {self.message}")
