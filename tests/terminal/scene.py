"""What stands and goes on at a desk's park, a line each: goods, people, gateways, labels, parcels thrown out."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select

from tests.builders import a_sku, stock_in
from tests.terminal.desk import Desk
from wms.catalog.values import SkuFacts
from wms.people.tables import LoginSession
from wms.printing.tables import PrintJob
from wms.site import queries as site
from wms.site.tables import Station
from wms.sorting.tables import DivertRow, Gateway, GatewayDevice
from wms.terminal.queries import crew as crew_queries
from wms.terminal.queries import equipment
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.look import look
from wms.terminal.queries.troubles import troubles
from wms.terminal.values import Trouble
from wms.work.tables import DialogueState


def found(desk: Desk) -> dict[str, Trouble]:
    """Troubles by key, as the overview sees them now."""

    def ask(session: Any) -> list[Trouble]:
        here = look(session, desk.park.warehouse_id, desk.park.clock.now(), datetime.now(UTC))
        return troubles(here, flow_of_today(here), crew_queries.crew(here), equipment.tiles(here))

    return {one.key: one for one in desk.park.read(ask)}


def only(desk: Desk) -> Trouble:
    (one,) = found(desk).values()
    return one


def stocked(desk: Desk, code: str = "TEA", quantity: int = 20, slot: str = "A01-01-1A") -> SkuFacts:
    sku = desk.park.act(lambda call: a_sku(call, code, unit="罐", name=f"{code} 50 g"))
    if quantity:
        desk.park.act(lambda call: stock_in(call, sku, slot, quantity))
    return sku


def at_work(desk: Desk, person_id: int, number: int) -> None:
    wall = datetime.now(UTC)
    row = LoginSession(
        warehouse_id=desk.park.warehouse_id,
        person_id=person_id,
        device_id=number + 1,
        token_hash=f"t{number}",
        csrf="x",
        began_at=wall,
        seen_at=wall,
    )
    desk.park.database.transact(lambda session: session.add(row))
    scanned(desk, person_id)


def scanned(desk: Desk, person_id: int) -> None:
    row = DialogueState(
        person_id=person_id,
        warehouse_id=desk.park.warehouse_id,
        dialogue="putaway",
        step="x",
        state={},
        message={},
        changed_at=desk.park.clock.now(),
    )
    desk.park.database.transact(lambda session: session.merge(row))


def a_gateway(desk: Desk, station_code: str, *devices: tuple[str, str, str]) -> int:
    """A gateway at a station that was heard just now, with (name, driver, state) of its devices; its id."""

    def build(session: Any) -> int:
        station_id = session.scalars(select(Station.id).where(Station.code == station_code)).one()
        wall = datetime.now(UTC)
        gateway = Gateway(
            warehouse_id=desk.park.warehouse_id,
            station_id=station_id,
            name=f"gw-{station_code}",
            key_hex="00",
            seen_at=wall,
        )
        session.add(gateway)
        session.flush()
        for name, driver, state in devices:
            session.add(
                GatewayDevice(
                    warehouse_id=desk.park.warehouse_id,
                    gateway_id=gateway.id,
                    name=name,
                    driver=driver,
                    state=state,
                    since=wall,
                    counters={},
                )
            )
        return int(gateway.id)

    return desk.park.database.transact(build)


def a_job(desk: Desk, key: str, station_code: str, state: str = "queued") -> int:
    station = desk.park.read(lambda session: site.station_by_code(session, desk.park.warehouse_id, station_code))
    now = desk.park.clock.now()
    row = PrintJob(
        warehouse_id=desk.park.warehouse_id,
        job_key=key,
        station_id=station.id,
        document="slot_label_60x40",
        subject=key,
        media="60x40",
        language="tspl",
        content=b"x",
        sha256="x",
        state=state,
        made_at=now,
        changed_at=now,
    )

    def add(session: Any) -> int:
        session.add(row)
        session.flush()
        return int(row.id)

    return desk.park.database.transact(add)


def a_reject(desk: Desk, pid: int = 1, **facts: Any) -> None:
    known = {"told_chute": 0, "told_reason": "NOREAD", "chute": 0, "result": "NOREAD", "finding": "", **facts}
    row = DivertRow(
        warehouse_id=desk.park.warehouse_id,
        gateway_id=1,
        pid=pid,
        codes={"codes": []},
        told_at=desk.park.clock.now(),
        confirmed_at=desk.park.clock.now(),
        **known,
    )
    desk.park.database.transact(lambda session: session.add(row))
