"""A hand with a PDA: walks a dialogue as the shell does, and keeps to what it declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

from tests.builders import Park, acting
from tests.picking.floor import Floor
from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core import codes
from wms.core.call import Call, Who
from wms.core.codes import Kind
from wms.core.dialogue import Ahead, Dialogue, Message, Move, Scan, Screen, Turn
from wms.core.refusal import Refused
from wms.picking.dialogue import CLUSTER_PICK

_scans = count(1)


class Hand:
    """One person in one dialogue. `scan` and `press` give the message (None for none) or the refusal."""

    def __init__(self, park: Park, dialogue: Dialogue, person_id: int, language: str = "zh") -> None:
        self.park, self.dialogue, self.person_id, self.language = park, dialogue, person_id, language
        self.step: str | None = None
        self.state: Mapping[str, Any] = {}
        self.seen: set[str] = set()

    @property
    def over(self) -> bool:
        return self.step is None

    def begin(self, **given: Any) -> Message | None:
        return self._go(lambda call: self.dialogue.begin(call, given), None)

    def scan(self, code: str) -> Message | None:
        step = self.dialogue.steps[self._here()]
        scan = Scan(f"scan-{next(_scans)}", codes.read(code), code)
        assert step.on_scan is not None
        on_scan = step.on_scan
        return self._go(lambda call: on_scan(Turn(call, self.state), scan), step.leads_to)

    def press(self, action: str, value: str = "") -> Message | None:
        step = self.dialogue.steps[self._here()]
        act = step.actions[action]
        return self._go(lambda call: act(Turn(call, self.state), value), step.leads_to)

    def refused(self, code: str) -> Refused:
        """A scan that rolls back."""
        try:
            self.scan(code)
        except Refused as no:
            return no
        raise AssertionError(f"{code} was not refused")

    def _go(self, make: Any, leads_to: frozenset[str | None] | None) -> Message | None:
        facts = {"person_id": self.person_id, "actor": f"person:{self.person_id}", "language": self.language}
        move: Move = acting(self.park.database, make, self.park.warehouse_id, now=self.park.clock.now(), **facts)
        if leads_to is not None:
            assert move.step in leads_to, f"{self.step} declares {set(leads_to)}, but led to {move.step}"
        self.step, self.state = move.step, dict(move.state)
        if move.step is not None:
            self.seen.add(move.step)
            self.screen()
        return move.message

    def screen(self) -> Screen:
        here = self.dialogue.steps[self._here()]
        return self.park.read(lambda session: here.screen(Turn(self._call(session), self.state)))

    def ahead(self) -> Sequence[Ahead]:
        look = self.dialogue.ahead
        assert look is not None
        return self.park.read(lambda session: look(Turn(self._call(session), self.state), self._here()))

    def card(self, kind: str) -> Any:
        return next(card for card in self.screen().cards if card.kind == kind)

    def _call(self, session: Any) -> Call:
        who = Who(f"person:{self.person_id}", self.park.warehouse_id, person_id=self.person_id, language=self.language)
        return Call(session, who, "view", self.park.clock.now())

    def _here(self) -> str:
        assert self.step is not None, "the dialogue is over"
        return self.step


def slot(code: str) -> str:
    return codes.make(Kind.SLOT, code)


def tote(number: int) -> str:
    return codes.make(Kind.TOTE, f"T-{number:04d}")


def cart(number: int = 1) -> str:
    return codes.make(Kind.CART, f"C-{number:02d}")


LANE = codes.make(Kind.STATION, "PK-01")


def barcode(floor: Floor, sku: SkuFacts) -> str:
    return floor.park.read(lambda session: catalog.barcodes_of(session, floor.park.warehouse_id, sku.id))[0].barcode


def at_the_rack(floor: Floor, *orders: tuple[str, list[tuple[SkuFacts, int]]]) -> Hand:
    """A hand with a loaded cart, about to scan the first slot."""
    floor.loaded(*orders)
    hand = Hand(floor.park, CLUSTER_PICK, floor.person("W-1"))
    hand.begin()
    assert hand.step == "scan_slot"
    return hand


def told(message: Message | None) -> Message:
    assert message is not None
    return message


def code_of(message: Message | None) -> str:
    return told(message).code


def walked(floor: Floor, hand: Hand) -> int:
    """Walk on to the lane as the screens say; how many scans that took."""
    scans = 0
    while hand.step != "scan_lane":
        accepts = hand.ahead()[0].accepts
        hand.scan(accepts[0])
        scans += 1
    return scans
