"""Those at the dock and at the tables: they receive, pack, mind the line and hand over to the couriers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.proofs.day.hand import Doing, Hand
from wms.core.codes import Kind, make
from wms.demo.hands import must

if TYPE_CHECKING:
    from tests.proofs.day.gateways import Station

BOX = re.compile(r"\bL\d{6,}\b|\b[A-Z]+\d{6,}\b")
PATIENCE_S = 600.0
WAIT_S = 2.0


class Receiver(Hand):
    """Takes deliveries in, piece by piece."""

    def work(self) -> Doing:
        yield from self.log_in()
        while not self.day.over:
            if self.at[0] != "menu":
                yield from self.act("leave")
            delivery = self.day.next_delivery()
            yield from self.act("choose", "receive")
            yield from self.pull(make(Kind.ASN, delivery.no))
            for article, pieces in delivery.lines:
                if self.day.ended():
                    return
                yield from self._one_box(article, pieces, delivery.no)
            yield from self.act("close")
            yield 30.0

    def pull(self, code: str) -> Doing:
        yield from self.scan(code)

    def _one_box(self, article: str, pieces: int, lot: str) -> Doing:
        for _piece in range(pieces):
            yield 1.0 + self.dice.random() * 2.0
            yield from self.pull(self.day.goods.barcodes[article])
        counted = int(must(self.screen, "count_big")["value"]) if self.at[1] == "scan_item" else 0
        while counted > pieces:  # pulled twice
            yield from self.act("minus_one")
            counted = int(must(self.screen, "count_big")["value"])
        yield from self.act("put")
        if self.at[1] == "type_lot":
            yield from self.act("lot", lot)
        if self.at[1] == "type_expiry":
            yield from self.act("expiry", "2027-06-30")
        counted = int(must(self.screen, "item")["quantity"])
        yield from self.act("new_container")
        if self.refused:
            self.day.world.broke(f"receive {article}: {self.message}")
            return
        found = BOX.search(str(self.message["text"]))
        assert found is not None, self.message
        self.day.world.put_into(found[0], article, counted)


class Packer(Hand):
    """Packs what the pickers bring; weighs by typing, where the table has no scale."""

    def work(self) -> Doing:
        yield from self.log_in()
        while not self.day.over:
            yield 4.0 + self.dice.random() * 4.0
            if self.at[0] == "menu":
                yield from self.act("choose", "pack")
            if not self.day.to_pack:
                yield 20.0
                continue
            yield from self._pack(self.day.to_pack.popleft())

    def pull(self, code: str) -> Doing:
        yield from self.scan(code)

    def weigh(self, weight_g: int) -> Doing:
        yield from self.act("weight", str(weight_g))

    def _pack(self, tote: str) -> Doing:
        yield from self.pull(make(Kind.TOTE, tote))
        if self.at[1] != "scan_item":
            return  # empty, or its order was stopped on the way
        order = str(self.screen["status"][0]["value"])
        for _scan in range(200):
            if self.at[1] != "scan_item" or self.refused or self.day.over:
                break
            shown = must(self.screen, "item")
            yield 2.0 + self.dice.random() * 2.0
            yield from self.pull(self.day.goods.barcodes[str(shown["name"])])
        if self.at[1] == "weigh" and not self.refused:
            yield from self.weigh(int(must(self.screen, "big")["value"]))
        if self.at[1] != "scan_label" or self.refused:
            yield from self._put_aside()
            return
        yield from self._label(tote, order)

    def _label(self, tote: str, order: str) -> Doing:
        waybill = str(must(self.screen, "facts")["rows"][0]["value"])
        self.day.world.labelled[waybill] = order
        yield 6.0
        yield from self.pull(waybill)
        self.day.free_totes.append(tote)
        if not self.refused:
            self.day.belt.append(waybill)
        if self.at[1] != "scan_tote":
            yield from self._put_aside()

    def _put_aside(self) -> Doing:
        """Stopped, or it does not fit: it lies on the table for a supervisor."""
        yield from self.leave()


class AtStation(Hand):
    """Somebody whose scans come from the station's own scanner, through its gateway."""

    gateway: Station

    def pull(self, code: str) -> Doing:
        """The screen moves on when the gateway's event was booked. Who pulls looks at the screen first: it may ask for
        the PIN, and a scan at a table where nobody is logged in is nobody's.
        """
        self.day.world.scans += 1
        yield from self.look()
        version = int(self.envelope["work"]["version"])
        self.gateway.tell("scan", {"scan_id": f"{self.dice.random():.12f}", "code": code}, "scanner")
        yield from self._until_moved(version)

    def _until_moved(self, version: int) -> Doing:
        waited_s = 0.0
        while int(self.envelope["work"]["version"]) == version and waited_s < PATIENCE_S:
            yield WAIT_S
            waited_s += WAIT_S
            yield from self.look()
        if waited_s >= PATIENCE_S:
            self.day.world.broke(f"{self.badge}: a scan at {self.station} never arrived")


class TableReceiver(AtStation, Receiver):
    """A receiver at a desk with a fixed scanner."""


class TablePacker(AtStation, Packer):
    """A packer at a table with scanner, scale and printer."""

    def weigh(self, weight_g: int) -> Doing:
        version = int(self.envelope["work"]["version"])
        if self.day.deck.draw("gateway", ("weight_wrong",)):
            self.gateway.tell("weight", {"weight_g": weight_g + 9_000, "stable": True}, "scale")
            yield from self._until_moved(version)
            self._expect("weight_wrong", self.at[1] == "weigh")
            version = int(self.envelope["work"]["version"])
        self.gateway.tell("weight", {"weight_g": weight_g, "stable": True}, "scale")
        if self.day.deck.draw("gateway", ("weight_repeated",)):
            self.gateway.tell("weight", {"weight_g": weight_g, "stable": True}, "scale")
        yield from self._until_moved(version)


class Courier(Hand):
    """Hands bags over to the couriers, every so often."""

    def work(self) -> Doing:
        yield from self.log_in()
        while not self.day.over:
            yield 900.0
            status, answer = self.day.office.ask("GET", "/api/v1/bags")
            bags = answer["bags"] if status == 200 else []
            for courier in sorted({bag["courier"] for bag in bags}):
                yield from self._hand_over(courier, [bag["code"] for bag in bags if bag["courier"] == courier])

    def _hand_over(self, courier: str, bags: list[str]) -> Doing:
        if self.at[0] != "menu":
            yield from self.act("leave")
        yield from self.act("choose", "handover")
        yield from self.act("choose", courier)
        for bag in bags:
            yield 4.0
            parcels = self.day.parcels_in(bag)
            yield from self.scan(make(Kind.BAG, bag))
            if self.accepted and self.at[0] == "handover":
                self.day.world.handed_over.update(parcels)
        yield from self.act("sign")
        if self.screen["input"] and self.screen["input"]["action"] == "reason":
            yield from self.act("reason", "下一趟")
        yield from self.act("driver", "王师傅")
