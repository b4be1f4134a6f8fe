"""A draft wave of many orders over half the hall, for the screens and tests of plans."""

from __future__ import annotations

import random
from dataclasses import replace
from functools import partial
from typing import Any

from sqlalchemy import select

from tests.builders import Park, a_sku, stock_in
from wms.core.call import Call
from wms.outbound import service as outbound
from wms.outbound.service import waves as drafts
from wms.outbound.tables import Order
from wms.site.tables import Slot

RECEIVER = {"name": "江小姐", "phone": "13800000000", "province": "浙江", "city": "杭州", "area_code": "330106"}


def a_large_draft(park: Park, orders: int = 120, skus: int = 60, courier: str = "ZT", cut_off: str = "17:30") -> str:
    """Orders of one to four lines, promised and gathered in one wave; the wave's number."""
    luck = random.Random(11)
    found = park.read(
        lambda session: session.scalars(
            select(Slot.code)
            .where(
                Slot.warehouse_id == park.warehouse_id,
                Slot.blocked.is_(False),
                Slot.bonded.is_(False),
                Slot.code.like("%-1A"),
            )
            .order_by(Slot.code)
        ).all()
    )
    slots = luck.sample([code for code in found if code[0] in "AB"], skus)

    def stock(call: Call) -> list[str]:
        codes = [f"DRY-{number:03d}" for number in range(skus)]
        for code, slot in zip(codes, slots, strict=True):
            stock_in(call, a_sku(call, code, name=f"{code} 250 g", unit="袋"), slot, 500)
        return codes

    codes = park.act(stock)

    def place(call: Call, first: int) -> None:
        for number in range(first, min(first + 20, orders)):
            lines = [(code, 1) for code in luck.sample(codes, luck.choice((1, 1, 2, 2, 3, 4)))]
            no = f"D{number:05d}"
            facts: dict[str, Any] = {
                "merchant_code": "M1",
                "courier": courier,
                "receiver": RECEIVER,
                "cut_offs": (cut_off,),
            }
            outbound.create_order(call, no=no, lines=lines, **facts)
            outbound.allocate(call, no)

    for first in range(0, orders, 20):
        park.act(partial(place, first=first))
    ids = park.read(lambda session: session.scalars(select(Order.id).where(Order.no.like("D%"))).all())
    every = park.read(lambda session: drafts.drafts(session, park.warehouse_id, orders_max=orders))
    whole = [one for one in every if set(one.order_ids) & set(ids)]
    merged = replace(whole[0], order_ids=tuple(sorted({id for one in whole for id in one.order_ids})))
    no = park.act(lambda call: drafts.open_wave(call, merged))
    park.act(lambda call: drafts.join_wave(call, no, merged.order_ids))
    park.act(lambda call: drafts.stop_planning(call, no))
    return str(no)
