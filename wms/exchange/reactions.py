"""What happens after a commit: labels are drawn and queued, routes go to the line, stopped orders are told to it.

Each reaction may run again after a crash: queueing is unique by its key, routes are only written when they change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.outbox import Announcement, Brief, Handler
from wms.core.perform import system_call
from wms.counting.service import ask_for_count, drop_counts
from wms.exchange.floor import follow
from wms.exchange.gateways.service import order_chute
from wms.inbound.queries import coming
from wms.outbound.service.refills import plan_refills
from wms.packing.tables import Parcel
from wms.picking.service.stopped import stop_picking
from wms.printing import service as printing
from wms.printing.languages import Language, to_bytes
from wms.printing.queries import design_of
from wms.printing.render import render
from wms.printing.rules import nonce_for
from wms.printing.templates import BAG_TAG_100X100, SLOT_100X40, WAYBILL_100X180
from wms.printing.templates.elements import Template
from wms.printing.values import LabelValues, PrintRequest
from wms.shipping import service as shipping
from wms.shipping.labels import bag_values, waybill_values
from wms.site.closing import CLOSED, OPENED
from wms.site.tables import Station
from wms.slotting import whatif
from wms.slotting.apart import choose_apart, reckon_apart, solve_apart
from wms.slotting.carrying import SHORT
from wms.slotting.division_plan import plan_divisions
from wms.slotting.planning import plan_moves
from wms.slotting.refilling import WANTED
from wms.slotting.slot_labels import plates
from wms.sorting import service as sorting
from wms.sorting.apart import propose_apart
from wms.sorting.tables import Gateway, GatewayDevice

PRINTER_DRIVER = "printer_"


def reactions(db: Database, clock: Clock) -> Mapping[str, Handler]:
    """Topic -> what to do about it."""

    def calling(work: Callable[[Call, Announcement], object]) -> Handler:
        def handle(told: Announcement) -> None:
            system_call(db, clock, told.warehouse_id, lambda call: work(call, told), request_id=f"outbox:{told.id}")

        return handle

    return {
        "parcel.labelled": lambda told: _parcel_labelled(db, clock, told),
        "bag.closed": lambda told: _bag_closed(db, clock, told),
        "order.intercepted": calling(_order_stopped),
        "order.cancelled": calling(lambda call, told: shipping.cancel_parcels(call, _order_id(told))),
        "order.shipped": Brief(db, clock, lambda call, told: sorting.route_order(call, _order_id(told))),
        "reroute.changed": calling(lambda call, told: sorting.route_courier(call, str(told.facts["courier"]))),
        "moves.wanted": lambda told: _moves_wanted(db, clock, told),
        "divisions.wanted": lambda told: _divisions_wanted(db, clock, told),
        "bay.changing": lambda told: _bay_changing(db, clock, told),
        "bay.divided": calling(lambda call, told: drop_counts(call, [int(place) for place in told.facts["retired"]])),
        WANTED: calling(lambda call, told: plan_refills(call)),
        SHORT: calling(lambda call, told: ask_for_count(call, str(told.facts["slot"]), reason="refill")),
        "what_if.asked": lambda told: whatif.answer(
            db, clock, told.warehouse_id, int(told.facts["question"]), reckon_apart
        ),
        CLOSED: lambda told: _floor_changed(db, clock, told),
        OPENED: lambda told: _floor_changed(db, clock, told),
        "chute.closed": calling(lambda call, told: sorting.mend_plan(call)),
        "chute.opened": calling(lambda call, told: sorting.mend_plan(call)),
        "sortplan.wanted": lambda told: _sort_plan_wanted(db, clock, told),
        "chute.emptied": calling(lambda call, told: order_chute(call, int(told.facts["chute"]), "CLEAR")),
    }


def _floor_changed(db: Database, clock: Clock, told: Announcement) -> None:
    follow(db, clock, told.warehouse_id)


def _moves_wanted(db: Database, clock: Clock, told: Announcement) -> None:
    plan_moves(db, clock, told.warehouse_id, actor=str(told.facts["by"]), think=solve_apart)


def _divisions_wanted(db: Database, clock: Clock, told: Announcement) -> None:
    """What is coming is the dock's to say."""
    plan_divisions(
        db,
        clock,
        told.warehouse_id,
        lambda session: coming(session, told.warehouse_id),
        actor=str(told.facts["by"]),
        think=choose_apart,
    )


def _sort_plan_wanted(db: Database, clock: Clock, told: Announcement) -> None:
    closed = [int(chute) for chute in told.facts["closed"]]
    actor = str(told.facts["by"])
    sorting.propose_plan(db, clock, told.warehouse_id, closed=closed, actor=actor, think=propose_apart)


def _order_id(told: Announcement) -> int:
    return int(told.aggregate.removeprefix("order:"))


def _order_stopped(call: Call, told: Announcement) -> None:
    """Nobody walks for it any more, and the line rejects what is packed already."""
    stop_picking(call, _order_id(told))
    sorting.route_order(call, _order_id(told))


def _parcel_labelled(db: Database, clock: Clock, told: Announcement) -> None:
    """The route first (the parcel may be on the line in seconds), then the label, drawn outside of any transaction."""
    parcel_id = int(told.facts["parcel"])
    system_call(
        db, clock, told.warehouse_id, lambda call: sorting.route_parcel(call, parcel_id), request_id=f"outbox:{told.id}"
    )
    station_id, merchant_id = db.read(
        lambda session: session.execute(
            select(Parcel.station_id, Parcel.merchant_id).where(Parcel.id == parcel_id)
        ).one()
    )
    if station_id is None:
        return
    values = db.read(lambda session: waybill_values(session, told.warehouse_id, parcel_id))
    key = f"waybill/{values.number}"
    nonce = nonce_for(f"outbox:{told.id}", key)
    _print(
        db,
        clock,
        told,
        key,
        station_id,
        WAYBILL_100X180,
        values.number,
        replace(values, nonce=nonce),
        nonce,
        merchant_id,
    )


def _bag_closed(db: Database, clock: Clock, told: Announcement) -> None:
    """The bag's tag prints at the sorting line; without a station there it waits for whoever asks for it."""
    station_id = db.read(lambda session: _sorting_station(session, told.warehouse_id))
    if station_id is None:
        return
    values = db.read(lambda session: bag_values(session, told.warehouse_id, int(told.facts["bag"])))
    _print(db, clock, told, f"bag/{values.code}/{told.id}", station_id, BAG_TAG_100X100, values.code, values, "")


def _bay_changing(db: Database, clock: Clock, told: Announcement) -> None:
    """The plates of the new slots print while the parts are changed; without a printer codes are written by hand."""
    station_id = db.read(lambda session: _plate_station(session, told.warehouse_id))
    if station_id is None:
        return
    division_id = int(told.facts["division"])
    for plate in db.read(lambda session: plates(session, told.warehouse_id, division_id)):
        key = f"slot/{plate.code}/division:{division_id}"
        _print(db, clock, told, key, station_id, SLOT_100X40, plate.code, plate, "")


def _plate_station(session: Session, warehouse_id: int) -> int | None:
    """A station with a printer behind its gateway: where goods are received, before any other."""
    return session.scalars(
        select(Station.id)
        .join(Gateway, Gateway.station_id == Station.id)
        .join(GatewayDevice, GatewayDevice.gateway_id == Gateway.id)
        .where(Station.warehouse_id == warehouse_id, GatewayDevice.driver.startswith(PRINTER_DRIVER))
        .order_by(Station.kind != "receiving", Station.id)
        .limit(1)
    ).first()


def _sorting_station(session: Session, warehouse_id: int) -> int | None:
    """A sorting station with a printer behind its gateway."""
    return session.scalars(
        select(Station.id)
        .join(Gateway, Gateway.station_id == Station.id)
        .join(GatewayDevice, GatewayDevice.gateway_id == Gateway.id)
        .where(
            Station.warehouse_id == warehouse_id,
            Station.kind == "sorting",
            GatewayDevice.driver.startswith(PRINTER_DRIVER),
        )
    ).first()


def _print(
    db: Database,
    clock: Clock,
    told: Announcement,
    key: str,
    station_id: int,
    template: Template,
    subject: str,
    values: LabelValues,
    nonce: str,
    merchant_id: int | None = None,
) -> None:
    language = db.read(lambda session: language_at(session, station_id))
    drawn = db.read(lambda session: design_of(session, told.warehouse_id, template, merchant_id))
    request = PrintRequest(
        key=key,
        station_id=station_id,
        document=template.name,
        subject=subject,
        media=template.media,
        language=language.value,
        content=to_bytes(render(drawn, values), drawn, language),
        nonce=nonce,
        merchant_id=merchant_id,
    )
    system_call(
        db, clock, told.warehouse_id, lambda call: printing.queue(call, request), request_id=f"outbox:{told.id}/print"
    )


def language_at(session: Session, station_id: int) -> Language:
    """What the station's printer speaks, as its gateway told; ESC/POS until one has told."""
    driver = session.scalars(
        select(GatewayDevice.driver)
        .join(Gateway, Gateway.id == GatewayDevice.gateway_id)
        .where(Gateway.station_id == station_id, GatewayDevice.driver.startswith(PRINTER_DRIVER))
        .order_by(GatewayDevice.id)
    ).first()
    known = {language.value: language for language in Language}
    return known.get((driver or "").removeprefix(PRINTER_DRIVER), Language.ESCPOS)
