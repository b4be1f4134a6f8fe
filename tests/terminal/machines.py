"""The machines of the busy day: gateways with their devices, labels that wait, the line and what it threw out."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.printing.tables import PrintJob
from wms.site.tables import Chute, Station
from wms.sorting.tables import DivertRow, Gateway, GatewayDevice, SortRule

CONTENT = b"x"
CONTENT_SHA256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"


def machines(session: Session, warehouse_id: int, now: datetime, luck: random.Random) -> None:
    wall = datetime.now(UTC)
    for station in session.scalars(
        select(Station).where(Station.warehouse_id == warehouse_id, Station.kind.in_(("packing", "sorting")))
    ).all():
        gateway = Gateway(
            warehouse_id=warehouse_id,
            station_id=station.id,
            name=f"gw-{station.code.lower()}",
            key_hex="00" * 32,
            seen_at=wall + timedelta(hours=1),
        )
        session.add(gateway)
        session.flush()
        kinds = (
            (("line", "sorter_wsp"),)
            if station.kind == "sorting"
            else (("printer", "printer_tspl"), ("scale", "scale_cas"))
        )
        for name, driver in kinds:
            down = station.code == "PK-02" and name == "printer"
            counter = {"printer": "jobs", "scale": "weights", "line": "requests"}[name]
            session.add(
                GatewayDevice(
                    warehouse_id=warehouse_id,
                    gateway_id=gateway.id,
                    name=name,
                    driver=driver,
                    state="down" if down else "ready",
                    reason="no answer for 2 s" if down else "",
                    since=wall - timedelta(seconds=125),
                    counters={counter: luck.randint(300, 900)},
                )
            )
        if station.code == "PK-02":
            _jobs(session, station, now)
    session.flush()


def _jobs(session: Session, station: Station, now: datetime) -> None:
    for number in range(5):
        session.add(
            PrintJob(
                warehouse_id=station.warehouse_id,
                job_key=f"waybill/told-{number}",
                station_id=station.id,
                document="express_waybill_100x180",
                subject=f"YD7700000{number:04d}",
                media="100x180",
                language="tspl",
                content=CONTENT,
                sha256=CONTENT_SHA256,
                made_at=now - timedelta(seconds=130 - number),
                changed_at=now,
            )
        )


def line(session: Session, warehouse_id: int, now: datetime, luck: random.Random) -> None:
    hubs = ("杭州", "上海", "南京", "合肥", "苏州", "无锡", "宁波", "温州", "武汉", "长沙", "广州", "深圳")
    chutes = session.scalars(select(Chute).where(Chute.warehouse_id == warehouse_id).order_by(Chute.number)).all()
    for chute in chutes:
        chute.parcels = luck.randint(4, 44)
        hub = hubs[chute.number % len(hubs)]
        courier = ("YD", "ZT", "YT")[chute.number // len(hubs) % 3]
        session.add(SortRule(warehouse_id=warehouse_id, courier=courier, hub=hub, chutes=str(chute.number)))
    chutes[0].parcels = 54
    chutes[2].state, chutes[2].parcels = "FULL", 60
    chutes[3].state, chutes[3].parcels = "JAM", 33
    chutes[5].state = "LOCK"
    gateway_id = session.scalars(select(Gateway.id)).all()[-1]
    for pid in range(240):
        bad = pid % 60 == 7
        at = now - timedelta(minutes=luck.random() * 90)
        session.add(
            DivertRow(
                warehouse_id=warehouse_id,
                gateway_id=gateway_id,
                pid=pid,
                codes={"codes": [] if bad else [f"YD77{pid:09d}"]},
                told_chute=0 if bad else 5,
                told_reason="NOREAD" if bad else "ROUTE",
                told_at=at,
                chute=0 if bad else 5,
                result="NOREAD" if bad else "OK",
                confirmed_at=at,
                latency_us=luck.randint(4_000, 27_000),
            )
        )
    session.flush()
