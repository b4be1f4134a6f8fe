"""A packing table's own scanner, scale and printer move the screen of whoever works there."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from tests.exchange.link import Link, a_link
from tests.proofs.cost_gates import counted
from tests.shipping.dock import Dock
from tests.shipping.test_dialogues import barcode, in_tote
from wms.core.clock import WallClock
from wms.core.codes import Kind, make
from wms.handheld import shell
from wms.handheld.shell import Standing
from wms.people import gate
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import PrintRequest
from wms.site.tables import Station
from wms.sorting.tables import Gateway

TABLE = "PK-01"


class AtTable:
    """Somebody logged in at the packing table, with an order of one piece in T-0001, and the table's gateway."""

    def __init__(self, dock: Dock) -> None:
        self.dock, self.park = dock, dock.park
        in_tote(dock, 1)
        self.link: Link = a_link(self.park, TABLE)
        self.person = self.park.act(
            lambda call: people.add_person(call, badge="P7", name="曹燕", role=Role.PACKER, pin="246810")
        )
        self.park.act(lambda call: people.enrol_device(call, code="PDA-7", kind=DeviceKind.HANDHELD, name="手持 7"))
        self.station = self.park.read(
            lambda session: session.scalars(select(Station.id).where(Station.code == TABLE)).one()
        )
        gate.log_in(
            self.park.database,
            WallClock(),
            warehouse_id=self.park.warehouse_id,
            device_code="PDA-7",
            badge="P7",
            pin="246810",
            station_id=self.station,
        )

    def scan(self, code: str) -> None:
        assert self.link.tell(("scan", {"scan_id": "x", "code": code})) == 200

    def pack(self) -> None:
        self.scan(make(Kind.TOTE, "T-0001"))
        self.scan(barcode(self.dock))
        assert self.link.tell(("weight", {"weight_g": 420, "stable": True})) == 200

    @property
    def at(self) -> Standing:
        return self.park.read(lambda session: shell.standing(session, self.person))

    def queue_a_label(self) -> int:
        request = PrintRequest("x/1", self.station, "waybill_100x180", "X1", "100x180", "escpos", b"\x1b@")
        return self.park.act(lambda call: printing.queue(call, request))

    def report(self, job: int, state: str) -> None:
        assert self.link.tell(("print", {"job": str(job), "state": state}), device="printer1") == 200
        kept = self.park.read(lambda session: session.get_one(PrintJob, job).state)
        assert kept == state


@pytest.fixture
def table(dock: Dock) -> AtTable:
    return AtTable(dock)


def test_scans_and_the_weight_are_those_of_who_is_at_the_table(table: AtTable) -> None:
    table.pack()
    assert (table.at.dialogue, table.at.step) == ("pack", "scan_label")
    kept = table.park.read(lambda session: session.get_one(Station, table.station).weight_g)
    assert kept == 420


def test_a_scan_and_the_gateways_mark_are_one_commit(table: AtTable) -> None:
    """Whoever sees the scan sees the mark: a server that dies between them would be told the scan once more."""
    told = [table.link.event("scan", {"scan_id": "x", "code": make(Kind.TOTE, "T-0001")})]
    assert table.link.push([]) == 200  # its boot is known from here on
    with counted(table.park.database) as cost:
        table.link.push(told)
    assert (table.at.step, _mark(table), cost.commits) == ("scan_item", 1, 1)
    version = table.at.version
    table.link.push(told)
    assert (table.at.version, _mark(table)) == (version, 1), "told again, it is not booked again"


def test_a_refused_scan_moves_the_mark_too(table: AtTable) -> None:
    table.scan("NOBODY-KNOWS-THIS")
    assert _mark(table) == 1
    assert (table.at.message or {})["code"] == "barcode_unknown"


def test_the_screen_that_waits_for_a_label_is_drawn_again_when_it_came_out(table: AtTable) -> None:
    table.pack()
    job, before = table.queue_a_label(), table.at
    table.report(job, "sent")
    assert table.at.version == before.version + 1
    assert table.at.message is None, "in silence: the hand did nothing"


def test_a_red_message_stays_when_a_label_comes_out(table: AtTable) -> None:
    table.pack()
    job = table.queue_a_label()
    table.scan("SF0000000000001")
    before = table.at
    assert (before.message or {})["level"] == "wrong"
    table.report(job, "sent")
    assert table.at == before


def test_other_screens_are_left_alone_by_the_printer(table: AtTable) -> None:
    table.scan(make(Kind.TOTE, "T-0001"))
    job, before = table.queue_a_label(), table.at
    table.report(job, "sent")
    assert table.at == before


def _mark(table: AtTable) -> int:
    return table.park.read(lambda session: session.get_one(Gateway, table.link.id).high_water)
