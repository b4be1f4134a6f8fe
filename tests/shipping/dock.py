"""A dispatch dock in a line each: couriers with numbers and routes, orders picked, packed, labelled."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from itertools import count

from sqlalchemy import select

from tests.builders import Park, a_park, a_sku, stock_in
from tests.inbound.dock import broken_promises as broken_stock
from wms.catalog.values import SkuFacts
from wms.core.db import Database
from wms.outbound import service as outbound
from wms.outbound.tables import Order
from wms.packing import service as packing
from wms.packing.tables import Parcel
from wms.picking.service.direct import pick_direct
from wms.shipping import couriers, service
from wms.shipping.promises import PROMISES
from wms.shipping.values import Labelled

FIRST = 400_000_000_000_000
RECEIVER = {
    "name": "江小姐",
    "phone": "13812345678",
    "province": "浙江省",
    "city": "杭州市",
    "district": "西湖区",
    "address": "文三路 478 号 5 幢",
    "area_code": "330106",
}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Dock:
    """The small park with two couriers (YD 韵达, ZT 中通), their hubs 杭州, 上海, 广州, and one SKU in plenty."""

    park: Park
    sku: SkuFacts


def a_dock(database: Database, *, numbers: int = 1_000) -> Dock:
    park = a_park(database)
    for courier, name, prefix in (("YD", "韵达", ""), ("ZT", "中通", "ZT")):
        park.act(partial(couriers.add_courier, code=courier, name=name, cut_offs=["16:00"]))
        park.act(partial(couriers.add_pool, courier=courier, first=FIRST, last=FIRST + numbers - 1, prefix=prefix))
        for match, code, hub in (("", "100-01", "上海"), ("33", "330-02", "杭州"), ("44", "440-03", "广州")):
            park.act(partial(couriers.add_route, courier=courier, match=match, route_code=code, hub=hub))
    sku = park.act(lambda call: a_sku(call, "NUT"))
    park.act(lambda call: stock_in(call, sku, "A01-01-1A", 100_000))
    return Dock(park, sku)


def an_order(
    dock: Dock,
    quantity: int = 2,
    *,
    courier: str = "YD",
    area_code: str = "330106",
    skus: tuple[tuple[SkuFacts, int], ...] = (),
) -> int:
    """An order with its stock promised; its id. Lines of the dock's SKU, or of `skus`."""
    park, no = dock.park, f"N{next(_numbers)}"
    lines = [(sku.code, n) for sku, n in skus or ((dock.sku, quantity),)]
    order_id = park.act(
        lambda call: outbound.create_order(
            call,
            merchant_code="M1",
            no=no,
            courier=courier,
            lines=lines,
            receiver={**RECEIVER, "area_code": area_code},
            cut_offs=("16:00",),
        )
    )
    park.act(lambda call: outbound.allocate(call, no))
    return order_id


def picked(dock: Dock, quantity: int = 2, **facts: object) -> int:
    """An order whose goods lie in its tote; its id."""
    order_id = an_order(dock, quantity, **facts)  # type: ignore[arg-type]
    pick_all(dock, order_id, {dock.sku.code: ("A01-01-1A", quantity)})
    return order_id


def pick_all(dock: Dock, order_id: int, goods: dict[str, tuple[str, int]]) -> None:
    """Pick SKU code -> (slot, quantity) for an order."""
    no = order(dock, order_id).no
    for sku, (slot, quantity) in goods.items():
        dock.park.act(partial(pick_direct, order_no=no, sku_code=sku, slot_code=slot, quantity=quantity))


def packed(dock: Dock, quantity: int = 2, weight_g: int | None = None, **facts: object) -> int:
    """A parcel that is closed and weighed; its id."""
    order_id = picked(dock, quantity, **facts)
    parcel = dock.park.act(lambda call: packing.begin_parcel(call, order_id=order_id))
    dock.park.act(lambda call: packing.pack_item(call, parcel.id, dock.sku.id, quantity))
    told = weight_g or 120 + 300 * quantity
    dock.park.act(lambda call: packing.finish_parcel(call, parcel.id, told))
    return parcel.id


def labelled(dock: Dock, quantity: int = 2, **facts: object) -> Labelled:
    """A parcel with its number and route."""
    parcel_id = packed(dock, quantity, **facts)  # type: ignore[arg-type]
    return dock.park.act(lambda call: service.label_parcel(call, parcel_id))


def stop(dock: Dock, order_id: int) -> None:
    """The buyer cancels."""
    no = order(dock, order_id).no
    dock.park.act(lambda call: outbound.cancel_order(call, no))


def parcel(dock: Dock, parcel_id: int) -> Parcel:
    return dock.park.read(lambda session: session.get_one(Parcel, parcel_id))


def order(dock: Dock, order_id: int) -> Order:
    return dock.park.read(lambda session: session.get_one(Order, order_id))


def order_of(dock: Dock, parcel_id: int) -> int:
    return dock.park.read(lambda session: session.scalars(select(Parcel.order_id).where(Parcel.id == parcel_id)).one())


def broken_promises(dock: Dock) -> list[str]:
    """Everything the audit finds wrong with the stock and with what left the house."""
    found = dock.park.read(
        lambda session: [f"{promise.name}: {broken}" for promise in PROMISES for broken in promise.check(session)]
    )
    return broken_stock(dock.park) + found
