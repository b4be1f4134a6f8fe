"""A small park and the goods in it, in a line each: what tests begin with.

    park = a_park(database)
    acting(database, lambda call: stock_in(call, a_sku(call), "A01-01-1A", 10), park.warehouse_id)

Everything goes through the rooms' own services: goods come in by the ledger from the supplier.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from itertools import count
from threading import Barrier
from typing import TypeVar

from sqlalchemy import event
from sqlalchemy.orm import ORMExecuteState, Session

from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.refusal import Refused
from wms.ledger import service as ledger
from wms.ledger.values import Condition, Movement, MovementKind, Virtual
from wms.optimise.geometry import Point
from wms.people import service as people
from wms.people.values import Role, rights_of
from wms.site import generator
from wms.site import queries as site_queries
from wms.site import service as site
from wms.site.rules import BIN, PALLET, SHELF, HallPlan, StationPlan, ZonePlan
from wms.site.values import ContainerKind, ZoneKind

T = TypeVar("T")

# A Saturday, 08:00 at the park (UTC+8).
MORNING = datetime(2026, 11, 7, 0, 0, tzinfo=UTC)
_numbers = count(1)

SMALL_HALL = HallPlan(
    code="H1",
    name="小库房",
    width_mm=30_000,
    depth_mm=30_000,
    outline=(Point(0, 0), Point(30_000, 0), Point(30_000, 30_000), Point(0, 30_000)),
    first_x_mm=1_200,
    front_y_mm=4_000,
    blocks=2,
    bays_per_block=3,
    depot_after_aisle=0,
    zones=(
        ZonePlan("A", "A 区", ZoneKind.STORAGE, (BIN, SHELF)),
        ZonePlan("B", "B 区", ZoneKind.BULKY, (PALLET,)),
        ZonePlan("D", "D 区", ZoneKind.BONDED, (BIN,)),
    ),
    stations=(
        StationPlan("RC-01", "receiving", "收货台", 2_000, 1_000),
        StationPlan("PK-01", "packing", "打包台 01", 20_000, 1_000),
        StationPlan("PK-02", "packing", "打包台 02", 24_000, 1_000),
        StationPlan("LINE-1", "sorting", "分拣线", 26_000, 15_000),
        StationPlan("DK-01", "dock", "发货月台 1", 28_000, 28_000),
        StationPlan("SG-01", "staging", "待上架区", 5_000, 2_000),
    ),
)
SMALL_CARTS = 3
SMALL_TOTES = 30
SMALL_CHUTES = 6
GATE_TIMEOUT_S = 30


@dataclass(frozen=True, slots=True)
class Park:
    """A small building: 4 aisles (A01 bins, A02 shelves, B03 pallets, D04 bonded bins) x 2 blocks x 3 bays a side.

    Slots are `A01-01-1A` (bins and pallets and shelves have two positions a level), bays 01..12. Carts C-01.., totes
    T-0001.., stations RC-01, PK-01, PK-02, LINE-1 (6 chutes), DK-01, SG-01; no couriers.
    """

    database: Database
    warehouse_id: int
    clock: HandClock = field(default_factory=lambda: HandClock(MORNING))

    person_id: int = 0
    rights: frozenset[str] = frozenset()

    def act(self, work: Callable[[Call], T]) -> T:
        """Run `work(call)` in a transaction of its own, at the park's time, as the house or as `a_person`."""
        return acting(self.database, work, self.warehouse_id, **self._who())

    def look(self, ask: Callable[[Call], T]) -> T:
        """As `act`, by a session that can neither write nor lock: how screens are drawn."""

        def asked(session: Session) -> T:
            event.listen(session, "do_orm_execute", _no_locks)  # SQLite knows none and would not mind
            return ask(a_call(session, self.warehouse_id, **self._who()))  # type: ignore[arg-type]

        return self.database.read(asked)

    def _who(self) -> dict[str, object]:
        who: dict[str, object] = {"now": self.clock.now()}
        if self.person_id:
            who |= {"actor": f"person:{self.person_id}", "person_id": self.person_id, "rights": self.rights}
        return who

    def act_for(self, merchant_id: int, work: Callable[[Call], T]) -> T:
        """As `act`, asked by a merchant's own program."""
        actor = f"key:{merchant_id}"
        return acting(
            self.database, work, self.warehouse_id, now=self.clock.now(), merchant_id=merchant_id, actor=actor
        )

    def read(self, ask: Callable[[Session], T]) -> T:
        return self.database.read(ask)


def _no_locks(asked: ORMExecuteState) -> None:
    assert getattr(asked.statement, "_for_update_arg", None) is None, f"locks rows to read: {asked.statement}"


def a_park(database: Database, *, code: str = "1") -> Park:
    """A small building with slots, stations, carts, totes and chutes, and nothing in it."""
    return Park(database, database.transact(lambda session: _build(session, code)))


def _build(session: Session, code: str) -> int:
    warehouse_id = site.make_warehouse(session, MORNING, code, f"{code} 号仓", "Asia/Shanghai")
    generator.build_hall(session, warehouse_id, SMALL_HALL)
    generator.add_chutes(session, warehouse_id, SMALL_CHUTES)
    carts = [f"C-{number:02d}" for number in range(1, SMALL_CARTS + 1)]
    generator.add_containers(session, warehouse_id, ContainerKind.CART, carts)
    totes = [f"T-{number:04d}" for number in range(1, SMALL_TOTES + 1)]
    generator.add_containers(session, warehouse_id, ContainerKind.TOTE, totes)
    return warehouse_id


def a_call(
    session: Session,
    warehouse_id: int = 1,
    *,
    request_id: str | None = None,
    now: datetime = MORNING,
    actor: str = "system",
    merchant_id: int | None = None,
    person_id: int | None = None,
    device_id: int | None = None,
    station_id: int | None = None,
    rights: frozenset[str] = frozenset(),
    language: str = "zh",
) -> Call:
    """A call within an open session; commit is the caller's business."""
    who = Who(actor, warehouse_id, rights, merchant_id, person_id, device_id, station_id, language)
    return Call.begun(session, who, request_id or f"test-{next(_numbers)}", now)


def acting(database: Database, work: Callable[[Call], T], warehouse_id: int = 1, **who: object) -> T:
    """Run `work(call)` in one transaction under a fresh request id; keyword arguments as for `a_call`."""
    request_id = f"test-{next(_numbers)}"
    known = {"request_id": request_id, **who}
    return database.transact(lambda session: work(a_call(session, warehouse_id, **known)))  # type: ignore[arg-type]


def a_person(park: Park, name: str = "林小满", role: Role = Role.WORKER) -> Park:
    """The park as somebody who works there sees it: `a_person(park).act(...)` acts in his name. No PIN."""
    badge = f"W{next(_numbers):04d}"
    person_id = acting(
        park.database, lambda call: people.add_person(call, badge=badge, name=name, role=role), park.warehouse_id
    )
    return replace(park, person_id=person_id, rights=rights_of(role))


def a_merchant(call: Call, code: str = "M1", name: str = "山核桃铺") -> int:
    """A merchant; its id."""
    return catalog.add_merchant(call, code=code, name=name)


def a_sku(
    call: Call, code: str | None = None, merchant_code: str = "M1", *, barcode: str | None = None, **facts: object
) -> SkuFacts:
    """A listed SKU of a merchant, who is made if he is not there; 300 g, 120 x 80 x 60 mm unless told."""
    known = {each.code for each in catalog_queries.merchants(call.session, call.warehouse_id)}
    if merchant_code not in known:
        a_merchant(call, merchant_code, f"货主 {merchant_code}")
    code = code or f"S{next(_numbers)}"
    sizes = {"length_mm": 120, "width_mm": 80, "height_mm": 60, "weight_g": 300}
    sku_id = catalog.add_sku(
        call,
        merchant_code=merchant_code,
        code=code,
        name=str(facts.pop("name", f"商品 {code}")),
        barcodes=[(barcode or f"69{next(_numbers):010d}0", 1)],
        **{**sizes, **facts},  # type: ignore[arg-type]
    )
    return catalog_queries.sku_by_id(call.session, call.warehouse_id, sku_id)


def stock_in(
    call: Call,
    sku: SkuFacts,
    slot_code: str,
    quantity: int,
    lot: str | None = None,
    *,
    produced_on: date | None = None,
    expires_on: date | None = None,
    condition: Condition = Condition.GOOD,
    book: str = "",
) -> int:
    """Book goods from the supplier straight into a slot; the id of the lot."""
    slot = site_queries.slot_by_code(call.session, call.warehouse_id, slot_code)
    lot_id = catalog.ensure_lot(call, sku, lot, produced_on, expires_on)
    put_goods(call, sku, slot.place_id, quantity, lot_id, condition=condition, book=book)
    return lot_id


def put_goods(
    call: Call,
    sku: SkuFacts,
    place_id: int,
    quantity: int,
    lot_id: int,
    *,
    condition: Condition = Condition.GOOD,
    book: str = "",
) -> None:
    """Book goods of a known lot from the supplier into any real place."""
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    movement = Movement(
        MovementKind.RECEIPT, sku.merchant_id, supplier, place_id, sku.id, lot_id, quantity, condition, book
    )
    ledger.post(call, [movement])


def at_once(works: Sequence[Callable[[], T]]) -> list[T | Refused]:
    """Run all of `works` in threads that start together; each answer or refusal, in order. Other errors are raised."""
    gate = Barrier(len(works))

    def begin(work: Callable[[], T]) -> T | Refused:
        gate.wait(GATE_TIMEOUT_S)
        try:
            return work()
        except Refused as no:
            return no

    with ThreadPoolExecutor(len(works)) as pool:
        return [each.result(GATE_TIMEOUT_S) for each in [pool.submit(begin, work) for work in works]]
