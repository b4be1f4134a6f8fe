"""Those who walk the aisles: picks, putaways, counts; with and without a network."""

from __future__ import annotations

import re
import secrets
from typing import Any

from tests.proofs.day.hand import SCAN, SHUT_OUT, Doing, Hand, Json
from wms.core.codes import Kind, make
from wms.demo.hands import TOTE, must, next_pick_scan, slot_code

WALKING = ("scan_slot", "scan_sku", "scan_tote", "quantity")
LANE = "SG-01"
OFFLINE = frozenset({"offline_walk", "offline_lost_answer", "offline_reboot", "offline_moved_on", "offline_cancelled"})
BREAKS = frozenset({"left_and_resumed", "logged_out", "session_expired", "other_device", "language"})
IDLE_S = 25 * 60.0
STOPPED = "S7-21"
STORED = re.compile(r"放好 (\d+)|(\d+) stored")


class Picker(Hand):
    """Gets work and does it: cluster picks with a cart of his own, putaways, counts."""

    cart = ""
    _totes: list[str]
    _orders: dict[str, str]
    _order_at_cart = ""

    def work(self) -> Doing:
        self._totes, self._orders = [], {}
        yield from self.log_in()
        while not self.day.over:
            yield 3.0 + self.dice.random() * 6.0
            if self.at[0] == "menu":
                yield from self.act("get_work")
                if self.at[0] == "menu":
                    yield 15.0
                continue
            yield from self._step()

    def _step(self) -> Doing:
        dialogue, step = self.at
        if fault := self.day.deck.draw("walk", self._possible(dialogue, step)):
            yield from self._disturbed(fault)
            return
        if dialogue == "cluster_pick":
            yield from self._pick(step)
        elif dialogue == "putaway":
            yield from self._put_away()
        elif dialogue == "count":
            yield from self._count()
        else:
            yield from self.leave()

    def _possible(self, dialogue: str, step: str) -> frozenset[str]:
        if dialogue == "cluster_pick" and step in ("scan_slot", "scan_sku"):
            return BREAKS | OFFLINE | {"skipped_stop", "undone", "short"}
        if dialogue == "cluster_pick":
            return BREAKS
        if dialogue == "putaway" and step == "scan_slot":
            return frozenset({"proposed_slot_blocked", "lease_expired"})
        return frozenset({"none"})

    # --- a cluster pick

    def _pick(self, step: str) -> Doing:
        if step == "scan_cart":
            self._totes = []
            yield from self.scan(make(Kind.CART, self.cart))
        elif step == "scan_new_tote":
            yield from self._load()
        elif step == "scan_lane":
            yield from self._to_lane()
        elif step in WALKING:
            yield from self._walk()
        else:
            yield from self.leave()

    def _load(self) -> Doing:
        if not self.day.free_totes:
            yield 60.0
            return
        tote = self.day.free_totes.popleft()
        order = str(must(self.screen, "big")["tail"]).split()[-1]
        yield from self.scan(make(Kind.TOTE, tote))
        if not self.refused:
            self._totes.append(tote)
            self._orders[tote] = self._order_at_cart = order

    def _walk(self) -> Doing:
        before = self.screen
        yield from self.scan(next_pick_scan(before, self.day.goods))
        self._perhaps_put_into_tote(before)

    def _perhaps_put_into_tote(self, screen: Json) -> None:
        """What the hand did as the screen told: so many pieces of the article from the slot into the tote. Told that
        an order was stopped, it puts back what was for that one.
        """
        if screen["step"] not in ("scan_tote", "quantity"):
            return
        article, tote = must(screen, "item"), tote_of(screen)
        stopped = self.message.get("level") == "intercepted" and self.message.get("code") == STOPPED
        if self._orders.get(tote) in self.stopped_then if stopped else bool(self.refused):
            return
        # While the number is shown the tote confirms all of it; the card says what is still to be taken.
        pieces = screen["input"]["max"] if screen["step"] == "quantity" else article["quantity"]
        self.day.world.take(str(must(screen, "location")["code"]), str(article["name"]), int(pieces))

    def _to_lane(self) -> Doing:
        yield from self.scan(make(Kind.STATION, LANE))
        if self.refused:
            yield from self.leave()
            return
        self.day.to_pack.extend(self._totes)
        self._totes = []

    # --- putaway and count

    def _put_away(self) -> Doing:
        status = self.screen["status"]
        if self.at[1] != "scan_slot" or not status:
            yield from self.leave()
            return
        box, slot = str(status[0]["value"]), str(must(self.screen, "location")["code"])
        article = str(must(self.screen, "item")["name"])
        yield from self.scan(slot_code(self.screen))
        if not self.accepted:
            yield from self.leave()
        elif stored := STORED.search(f"{self.said.get('title')} {self.said.get('text')}"):
            self.day.world.put_away(box, slot, article, int(stored[1] or stored[2]))

    def _count(self) -> Doing:
        """Counts what really lies there, article by article."""
        if self.at[1] == "choose_lot":
            yield from self.act("choose", str(must(self.screen, "choose")["rows"][0]["value"]))
            return
        slot = str(self.screen["status"][0]["value"])
        for (place, article), pieces in sorted(self.day.world.stored.items()):
            if place == slot and pieces > 0 and self.at == ("count", "scan_item"):
                yield from self.scan(self.day.goods.barcodes[article])
                if self.at[1] == "choose_lot":
                    yield from self.leave()
                    return
                yield from self.act("quantity", str(self.day.world.stored[place, article]))
        if self.at == ("count", "scan_item"):
            yield from self.act("done")

    # --- what disturbs him

    def _disturbed(self, fault: str) -> Doing:
        if fault in OFFLINE:
            yield from self._offline(fault)
        elif fault == "skipped_stop":
            yield from self.act("skip")
        elif fault == "undone":
            yield from self.act("undo")
        elif fault == "short":
            yield from self.act("short")
            if self.at[1] == "short":
                yield from self.act("missing", "1")
        elif fault == "proposed_slot_blocked":
            yield from self._blocked()
        elif fault == "lease_expired":
            yield IDLE_S + 600.0
        else:
            yield from self._break(fault)

    def _break(self, fault: str) -> Doing:
        before, standing, version = self.at, self.standing, self._version()
        if fault == "left_and_resumed":
            yield from self.act("leave")
            yield 20.0
            yield from self.act("get_work")
            return
        if fault == "language":
            yield from self.send("language", {"language": "en" if self.dice.random() < 0.5 else "zh"})
        elif fault == "logged_out":
            self._post("logout", {})
            yield 30.0
            yield from self.log_in()
        elif fault == "session_expired":
            yield IDLE_S
            yield from self.look()
        elif fault == "other_device":
            old = self.cookies
            yield from self.log_in(self.day.spare_device)
            status, _answer, _cookies = self.day.server.call("GET", "/pda/state", None, {"Cookie": old})
            self._expect(fault, status in SHUT_OUT, f"the old PDA: {status}")
        moved_on = self._version() not in (version, version + 1)  # by others: a cart taken away, an order stopped
        self._expect(fault, self.at == before or self.standing == standing or moved_on, f"stood at {before}")

    def _blocked(self) -> Doing:
        slot = str(must(self.screen, "location")["code"])
        self.day.block(slot)
        yield from self.scan(slot_code(self.screen))
        self._expect("proposed_slot_blocked", bool(self.refused))
        self.day.block(slot, blocked=False)
        yield from self.leave()

    # --- without a network

    def _offline(self, fault: str) -> Doing:
        """Scans are made by what lies ahead and kept; then they are replayed in order. A conflict stops the rest."""
        _status, answer, _cookies = self.day.server.call("GET", "/pda/ahead", None, {"Cookie": self.cookies})
        path = answer.get("ahead") or []
        if len(path) < 3:
            return
        kept: list[tuple[str, Json, str]] = []
        screen, work = self.screen, self.envelope["work"]
        for step in path[: self.dice.randint(3, 9)]:
            kept.append((secrets.token_hex(16), screen, str(step["accepts"][0])))
            screen = step["screen"]
            yield 4.0
        yield from self._meanwhile(fault)
        yield from self._replay(fault, kept, work)

    def _meanwhile(self, fault: str) -> Doing:
        if fault == "offline_reboot":
            yield IDLE_S  # the session is over as well
        elif fault == "offline_moved_on":
            yield from self.log_in(self.day.spare_device)
            if self.at[0] != "menu":
                yield from self._pick(self.at[1])
            yield from self.log_in()
        elif fault == "offline_cancelled" and self._order_at_cart:
            self.day.cancel(self._order_at_cart)

    def _replay(self, fault: str, kept: list[tuple[str, Json, str]], work: Json) -> Doing:
        moved_on = self._version() not in (-1, work["version"])
        for scan_id, screen, code in kept:
            self.day.world.scans += 1
            body: dict[str, Any] = {"id": scan_id, "code": code, "kept": True, "work": work}
            status, answer = yield from self._until_answered(SCAN, body)
            if fault == "offline_lost_answer":
                yield 2.0
                again = yield from self._until_answered(SCAN, body)
                self._same(fault, (status, answer), again)
            self._answered(SCAN, body, status, answer)
            self._expect(fault, not moved_on or self.refused == "changed_meanwhile")
            self._perhaps_put_into_tote(screen)
            if self.refused or status != 200:
                self.day.world.conflicts += 1
                break
            work = answer["work"]
            yield 0.2


def tote_of(screen: Json) -> str:
    """The tote the screen points to."""
    found = TOTE.search(str(must(screen, "tote")["text"]))
    assert found is not None, "the screen names a tote"
    return found[0]
