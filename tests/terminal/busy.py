"""A busy Saturday at 14:32, written straight as rows: what the terminal is looked at with.

Stock, promises and batches of a few orders are real (they go through the rooms' services); the mass of orders, scans
and devices around them is only told, because the terminal only reads it.
"""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from tests.builders import Park, a_sku, stock_in
from tests.terminal import machines
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.tables import OutboxRow
from wms.counting.tables import Count, CountLine
from wms.ledger.tables import MovementRow
from wms.outbound import service as outbound
from wms.outbound.tables import Order
from wms.packing.tables import Parcel
from wms.people import service as people
from wms.people.tables import Device, LoginSession
from wms.people.values import Role
from wms.picking import service as picking
from wms.picking.tables import Batch
from wms.shipping.tables import Courier
from wms.site import closing
from wms.site import queries as site
from wms.site.tables import Place, Slot, Station
from wms.work import service as work
from wms.work.tables import DialogueState

NOW = datetime(2026, 11, 7, 6, 32, 6, tzinfo=UTC)  # 14:32:06 at the park
DAY = datetime(2026, 11, 6, 16, 0, tzinfo=UTC)
COURIERS = (
    ("YD", "韵达", "16:00"),
    ("ZT", "中通", "17:30"),
    ("YT", "圆通", "19:00"),
    ("SF", "顺丰", "20:30"),
    ("EM", "邮政", "21:30"),
)
# courier -> orders in placed, short, allocated, picking, picked, packed (no label, on the line, ready), shipped
STATES = {
    "YD": (2, 0, 60, 150, 98, 31, 24, 40, 460),
    "ZT": (2, 0, 68, 54, 24, 8, 13, 22, 390),
    "YT": (4, 0, 124, 38, 17, 4, 6, 8, 248),
    "SF": (0, 13, 18, 3, 2, 1, 1, 2, 42),
    "EM": (0, 0, 41, 7, 2, 1, 2, 0, 128),
}
CREW = (
    ("程丽", "cluster_pick", 128, 6),
    ("胡小梅", "cluster_pick", 121, 11),
    ("章强", "cluster_pick", 97, 4),
    ("许芳", "putaway", 109, 42),
    ("汪建国", "cluster_pick", 88, 662),
    ("方志远", "receive", 31, 40),
    ("曹燕", "pack", 74, 9),
    ("余平", "pack", 69, 15),
    ("舒文", "line_assist", 0, 31),
)


def a_busy_day(park: Park, seed: int = 7) -> None:
    """Everything at once: late and stuck, idle and broken, and most of it well."""
    luck = random.Random(seed)
    park.clock.at = NOW - timedelta(hours=2)
    real_orders(park)
    park.clock.at = NOW
    park.database.transact(lambda session: _told(session, park.warehouse_id, luck))
    crew(park, luck)
    aisles = park.read(lambda session: site.hall(session, park.warehouse_id)).aisles
    if len(aisles) > 15:
        park.act(lambda call: closing.close_aisle(call, aisles[15].name, why="货架检修"))


def real_orders(park: Park, count: int = 96) -> None:
    """Orders with stock of their own: one wave released with its batches, one drafted, some waiting."""
    slots = park.read(
        lambda session: session.scalars(
            select(Slot.code)
            .where(Slot.warehouse_id == park.warehouse_id, Slot.blocked.is_(False), Slot.bonded.is_(False))
            .order_by(Slot.y_mm, Slot.code)
        ).all()
    )
    luck = random.Random(3)
    skus = []
    for number in range(14):
        slot = luck.choice([code for code in slots if code.startswith(("A", "B"))])
        sku = park.act(lambda call, n=number: a_sku(call, f"TEA-{n:02d}", name=f"黄山毛峰 {n + 1} 号 50 g", unit="罐"))  # type: ignore[misc]
        try_stock(park, sku, slot)
        skus.append(sku)
    receiver = {"name": "江小姐", "phone": "13800000000", "province": "浙江", "city": "杭州", "area_code": "330106"}
    for number in range(count):
        lines = [(sku.code, luck.choice((1, 1, 2))) for sku in luck.sample(skus, luck.choice((1, 2, 3)))]
        facts: dict[str, Any] = {"merchant_code": "M1", "no": f"R{number:04d}", "courier": "YD", "lines": lines}
        park.act(lambda call, f=facts: outbound.create_order(call, **f, receiver=receiver, cut_offs=("16:00",)))  # type: ignore[misc]
        park.act(lambda call, f=facts: outbound.allocate(call, f["no"]))  # type: ignore[misc]
        if number == count - 9:
            for wave in park.act(lambda call: outbound.make_waves(call, hot_from=1_000)):
                park.act(lambda call, w=wave: outbound.release_wave(call, w))  # type: ignore[misc]
                park.act(lambda call, w=wave: picking.plan_wave(call, w, rounds=1))  # type: ignore[misc]
        if number == count - 4:
            park.act(lambda call: outbound.make_waves(call, hot_from=1_000))


def try_stock(park: Park, sku: Any, slot: str) -> None:
    park.act(lambda call: stock_in(call, sku, slot, 60))


def _told(session: Session, warehouse_id: int, luck: random.Random) -> None:
    merchant_id = session.scalars(select(Order.merchant_id)).first() or 1
    for code, name, cut_off in COURIERS:
        session.add(Courier(warehouse_id=warehouse_id, code=code, name=name, cut_offs={"local": [cut_off]}))
    session.flush()
    _orders(session, warehouse_id, merchant_id, luck)
    _moves(session, warehouse_id, merchant_id, luck)
    machines.machines(session, warehouse_id, NOW, luck)
    machines.line(session, warehouse_id, NOW, luck)
    _house(session, warehouse_id, merchant_id)


def _orders(session: Session, warehouse_id: int, merchant_id: int, luck: random.Random) -> None:
    names = ("placed", "short", "allocated", "picking", "picked", "packed", "packed", "packed", "shipped")
    parcel_states = {5: "packed", 6: "labelled", 7: "bagged"}
    number = 0
    for courier, _, cut_off in COURIERS:
        hour, minute = map(int, cut_off.split(":"))
        due = DAY + timedelta(hours=hour, minutes=minute)
        for index, count in enumerate(STATES[courier]):
            for _ in range(count):
                number += 1
                placed = DAY + timedelta(hours=7.2 + luck.random() * 7)
                packed = NOW - timedelta(minutes=luck.random() * 300) if index >= 5 else None
                shipped = packed + timedelta(minutes=15) if index == 8 and packed else None
                order = Order(
                    warehouse_id=warehouse_id,
                    merchant_id=merchant_id,
                    no=f"N{number:06d}",
                    state=names[index],
                    courier=courier,
                    placed_at=min(placed, NOW),
                    cut_off_at=due,
                    packed_at=packed,
                    shipped_at=min(shipped, NOW) if shipped else None,
                )
                session.add(order)
                if index in parcel_states:
                    session.flush()
                    _parcel(session, order, parcel_states[index])
    session.flush()


def _parcel(session: Session, order: Order, state: str) -> None:
    place = Place(warehouse_id=order.warehouse_id, kind="container", code=f"P{order.id:07d}-1")
    session.add(place)
    session.flush()
    session.add(
        Parcel(
            warehouse_id=order.warehouse_id,
            merchant_id=order.merchant_id,
            order_id=order.id,
            number=1,
            code=place.code,
            place_id=place.id,
            state=state,
            weight_g=640,
            waybill=None if state == "packed" else f"YD77{order.id:09d}",
            courier=order.courier,
            hub="杭州",
            made_at=NOW,
        )
    )


def _moves(session: Session, warehouse_id: int, merchant_id: int, luck: random.Random) -> None:
    """Picks of the day for the heat: more in front, more in the middle."""
    slots = session.execute(
        select(Slot.place_id, Slot.aisle_index, Slot.y_mm).where(Slot.warehouse_id == warehouse_id)
    ).all()
    deepest = max(slot.y_mm for slot in slots)
    weights = [(1.15 - slot.y_mm / deepest) ** 2 / (1 + abs(slot.aisle_index - 7) / 4) for slot in slots]
    sku_id, lot_id, tote = session.execute(
        select(MovementRow.sku_id, MovementRow.lot_id, MovementRow.target_id).limit(1)
    ).one()
    chosen = luck.choices(slots, weights, k=2_600)
    rows = [
        {
            "warehouse_id": warehouse_id,
            "merchant_id": merchant_id,
            "kind": "pick",
            "source_id": slot.place_id,
            "target_id": tote if slot.place_id != tote else slots[0].place_id,
            "sku_id": sku_id,
            "lot_id": lot_id,
            "condition": "good",
            "book": "",
            "quantity": 1,
            "reference": "",
            "actor": "system",
            "request_key": f"told-{number}",
            "line": 0,
            "at": NOW - timedelta(minutes=luck.random() * 380),
        }
        for number, slot in enumerate(chosen)
        if slot.place_id != tote
    ]
    session.execute(insert(table_of(MovementRow)), rows)


def _house(session: Session, warehouse_id: int, merchant_id: int) -> None:
    session.add(
        OutboxRow(
            warehouse_id=warehouse_id,
            topic="order.shipped",
            aggregate="order:1",
            facts={},
            written_at=NOW - timedelta(minutes=41),
            attempts=8,
            set_aside_at=NOW - timedelta(minutes=12),
            trouble="ConnectError: the shop's server does not answer",
        )
    )
    slot_id = session.scalars(select(Slot.place_id).where(Slot.warehouse_id == warehouse_id)).first()
    assert slot_id is not None
    sku_id, lot_id = session.execute(select(MovementRow.sku_id, MovementRow.lot_id).limit(1)).one()
    for number in range(40):
        count = Count(
            warehouse_id=warehouse_id,
            slot_id=slot_id,
            state="approval" if number == 39 else "closed",
            reason="asked",
            counted_by="person:1",
            made_at=NOW - timedelta(days=number / 4),
            counted_at=NOW - timedelta(hours=6 * (40 - number)) + timedelta(hours=5),
        )
        session.add(count)
        session.flush()
        for line in range(20):
            wrong = number == 39 and line == 0
            session.add(
                CountLine(
                    warehouse_id=warehouse_id,
                    merchant_id=merchant_id,
                    count_id=count.id,
                    sku_id=sku_id,
                    lot_id=lot_id,
                    condition="good",
                    expected=12,
                    counted=6 if wrong else 12,
                )
            )
    _stopped(session, warehouse_id)


def _stopped(session: Session, warehouse_id: int) -> None:
    """Two buyers changed their minds while their parcels were on the line."""
    ids = session.execute(
        select(Order.id)
        .join(Parcel, Parcel.order_id == Order.id)
        .where(Parcel.state == "labelled", Order.courier == "ZT")
        .limit(2)
    ).scalars()
    session.execute(update(Order).where(Order.id.in_(list(ids))).values(intercepted_at=NOW - timedelta(minutes=1)))


def crew(park: Park, luck: random.Random) -> None:
    """Nine people with PDAs; the batches are in three people's hands."""
    batches = park.read(lambda session: list(session.execute(select(Batch.id, Batch.task_id).order_by(Batch.id))))
    for number, member in enumerate(CREW):
        person_id = park.act(partial(_hire, number=number, name=member[0]))
        picks = member[1] == "cluster_pick" and number < len(batches)
        park.database.transact(partial(_at_work, park=park, luck=luck, person_id=person_id, number=number))
        if picks:
            task_id = batches[number].task_id
            park.act(partial(work.hand_over, task_id=task_id, person_id=person_id))
            begun = update(Batch).where(Batch.task_id == task_id).values(state="picking", began_at=NOW)
            park.database.transact(lambda session, begun=begun: session.execute(begun))  # type: ignore[misc]


def _hire(call: Call, number: int, name: str) -> int:
    return people.add_person(call, badge=f"B{number:03d}", name=name, role=Role.WORKER)


def _at_work(session: Session, park: Park, luck: random.Random, person_id: int, number: int) -> None:
    _, dialogue, pieces, ago_s = CREW[number]
    device = Device(
        warehouse_id=park.warehouse_id, code=f"PDA-{number:02d}", kind="handheld", name=f"PDA {number}", enrolled_at=NOW
    )
    session.add(device)
    session.flush()
    codes = {"pack": f"PK-0{number - 5}", "line_assist": "LINE-1", "receive": "RC-01"}
    station_id = session.scalars(
        select(Station.id).where(Station.warehouse_id == park.warehouse_id, Station.code == codes.get(dialogue, ""))
    ).one_or_none()
    wall = datetime.now(UTC)
    session.add(
        LoginSession(
            warehouse_id=park.warehouse_id,
            person_id=person_id,
            device_id=device.id,
            station_id=station_id,
            token_hash=f"told-{number}",
            csrf="x",
            began_at=wall - timedelta(minutes=400 - 20 * number),
            seen_at=wall,
        )
    )
    scanned = NOW - timedelta(seconds=ago_s)
    session.add(
        DialogueState(
            person_id=person_id,
            warehouse_id=park.warehouse_id,
            dialogue=dialogue,
            step="x",
            state={},
            message={},
            changed_at=scanned,
        )
    )
    if pieces:
        _scanned(session, park, luck, person_id, pieces, scanned)


def _scanned(session: Session, park: Park, luck: random.Random, person_id: int, pieces: int, at: datetime) -> None:
    model = (
        session.execute(select(table_of(MovementRow)).where(table_of(MovementRow).c.kind == "pick").limit(1))
        .mappings()
        .one()
    )
    slots = session.scalars(select(Slot.place_id).where(Slot.warehouse_id == park.warehouse_id)).all()
    row = {name: value for name, value in model.items() if name != "id"}
    slot_id = luck.choice([slot for slot in slots if slot != row["target_id"]])
    session.execute(
        insert(table_of(MovementRow)),
        row
        | {
            "actor": f"person:{person_id}",
            "request_key": f"crew-{person_id}",
            "source_id": slot_id,
            "quantity": pieces,
            "at": at,
        },
    )
