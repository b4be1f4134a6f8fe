"""The day itself: the park, its thirty PDAs and four gateways, and everybody's work from the first scan to the last."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import select

from tests.proofs.day import world as worlds
from tests.proofs.day.aisles import Picker
from tests.proofs.day.faults import Deck
from tests.proofs.day.gateways import Line, Station
from tests.proofs.day.hand import Hand
from tests.proofs.day.house import Server, Trace
from tests.proofs.day.office import Office
from tests.proofs.day.tables import AtStation, Courier, Packer, Receiver, TablePacker, TableReceiver
from tests.proofs.day.time import Process, VirtualTime
from tests.proofs.day.world import World
from tests.proofs.frame import audit
from wms.core.call import Call
from wms.core.perform import system_call
from wms.demo.build import build
from wms.demo.hands import Goods
from wms.demo.plan import CYCLES, DAY, at_local, plan_day
from wms.exchange.gateways import service as gateways
from wms.packing.tables import Parcel
from wms.people import service as people
from wms.people.tables import Person
from wms.people.values import DeviceKind, Role
from wms.shipping.tables import Bag
from wms.site import generator
from wms.site import service as site
from wms.site.values import ContainerKind

PDAS = 30
PICKERS, RECEIVERS, PACKERS = 18, 3, 4
PIN = "246810"
SPARE = "PDA-99"
STATIONS = ("RC-01", "PK-01", "PK-02", "LINE-1")
DEVICES = [
    {"name": "scanner", "driver": "scanner_hid"},
    {"name": "scale", "driver": "scale_cas"},
    {"name": "printer", "driver": "printer_tspl"},
    {"name": "line1", "driver": "sorter_wsp"},
]
ORDERS_A_MINUTE = 12
PIECES_MAX = 20
LOOK_EVERY_SCANS = 5_000
MARK_EVERY_SCANS = 50
DAY_S_MAX = 400_000.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """What a truck brings: (article, pieces)."""

    no: str
    lines: list[tuple[str, int]]


class Day:
    """One simulated day over one database; `live` lives it."""

    def __init__(self, url: str, folder: Path, seed: int, scans: int, one_in: int) -> None:
        self.seed, self._scans, self.over = seed, scans, False
        self.marks: dict[int, str] = {}  # scans -> the trace's hash when they were made
        self.until = scans
        self.time = VirtualTime(at_local(DAY, CYCLES[0]))
        self.deck = Deck(seed, one_in)
        self.deck.closed = True
        self.world = World()
        self.trace = Trace(folder / f"trace-{seed}.txt", self.time)
        self.plan = plan_day(seed, max(40, scans // 20))
        self.goods = Goods.of(self.plan)
        self.dice = Random(f"{seed} day")
        self.server = Server(url, self.time)
        self.free_totes: deque[str] = deque(f"T-{number:04d}" for number in range(1, 401))
        self.to_pack: deque[str] = deque()
        self.belt: deque[str] = deque()
        self.cancelled: set[str] = set()
        self.barcode_of_nobody = "6900000000017"
        self.slot_nobody_wants = "SL:Z99-99-9:K"
        self.spare_device = SPARE
        self._deliveries = count(1)
        self._looked_at = 0
        self.office: Office

    # --- before the first scan

    def build(self) -> None:
        park = build(self.server.db, self.plan, lambda _done: None)
        self.warehouse_id = park.warehouse_id
        self.office = Office(self, park.credentials.api_key, ORDERS_A_MINUTE)
        self.act(self._let_in)
        self._gateways = [self._pair(code) for code in STATIONS]
        self._hands = self._crew()
        self.world.look_around(self.server.db)

    def act(self, work: Callable[[Call], Any]) -> Any:
        """Something the house or its supervisor does."""
        return system_call(self.server.db, self.time, self.warehouse_id, work, request_id=f"day:{self.dice.random()}")

    def _let_in(self, call: Call) -> None:
        for number in range(1, PDAS + 1):
            people.add_person(call, badge=f"D{number:02d}", name=f"员工{number:02d}", role=Role.SUPERVISOR, pin=PIN)
            people.enrol_device(call, code=f"HAND-{number:02d}", kind=DeviceKind.HANDHELD, name=f"手持 {number:02d}")
        people.enrol_device(call, code=SPARE, kind=DeviceKind.HANDHELD, name="备用")
        carts = [f"C-{number}" for number in range(801, 801 + PICKERS)]
        generator.add_containers(call.session, self.warehouse_id, ContainerKind.CART, carts)

    def _pair(self, code: str) -> Station:
        invited = self.act(lambda call: gateways.invite(call, station_code=code, name=f"gw-{code}"))
        paired = self.server.db.transact(lambda session: gateways.pair(session, invited, DEVICES))
        kind = Line if code.startswith("LINE") else Station
        return kind(self, f"gw-{code}", int(paired["gateway"]), str(paired["key"]))

    def _crew(self) -> list[Hand]:
        kinds: list[tuple[type[Hand], str]] = [(Picker, "")] * PICKERS + [(Receiver, "")] * RECEIVERS
        kinds += [(Packer, "")] * PACKERS + [(TableReceiver, "RC-01"), (TablePacker, "PK-01"), (TablePacker, "PK-02")]
        kinds += [(Courier, "")] * (PDAS - len(kinds))
        crew = []
        for number, (kind, station) in enumerate(kinds, 1):
            hand = kind(self, f"D{number:02d}", PIN, f"HAND-{number:02d}", station)
            if isinstance(hand, Picker):
                hand.cart = f"C-{800 + number}"
            if isinstance(hand, AtStation):
                hand.gateway = self._gateways[STATIONS.index(station)]
            crew.append(hand)
        return crew

    # --- the day

    def live(self) -> None:
        """From the first scan until so many were made; then everybody ends what is in hand."""
        self.deck.closed = False
        self.at_work = len(self._hands)
        for hand in self._hands:
            self.time.begin(self._shift(hand))
        for gateway in self._gateways:
            self.time.begin(gateway.work())
        self.time.begin(self.office.work())
        self.time.begin(self._house_works())
        self.time.run(self._goes_on)
        self.deck.closed = self.over = True
        self.time.run(lambda: self.time.elapsed_s < 2 * DAY_S_MAX)
        self.look()

    def _shift(self, hand: Hand) -> Process:
        yield from hand.work()
        self.at_work -= 1

    def ended(self) -> bool:
        """Whether everybody is to end what is in hand and begin nothing new."""
        return self.over

    def _goes_on(self) -> bool:
        if self.world.scans - self._looked_at >= LOOK_EVERY_SCANS:
            self._looked_at = self.world.scans
            self.world.broken.extend(audit(self.server.db))
        mark = self.world.scans // MARK_EVERY_SCANS * MARK_EVERY_SCANS
        if mark not in self.marks:
            self.marks[mark] = self.trace.so_far()
        return self.world.scans < self.until and self.time.elapsed_s < DAY_S_MAX and not self.world.broken

    def look(self) -> None:
        """Everything asked: the house's own promises, and the world against its books."""
        while self.server.house.deliverer.deliver_some():
            pass
        people_ids = {badge: f"person:{number}" for badge, number in self._people()}
        known = {(people_ids[badge], scan_id): said for (badge, scan_id), said in self.world.acknowledged.items()}
        self.world.acknowledged = known
        self.world.broken.extend(audit(self.server.db))
        self.world.broken.extend(worlds.differences(self.world, self.server.db))

    def _people(self) -> list[tuple[str, int]]:
        query = select(Person.badge, Person.id)
        return [(badge, number) for badge, number in self.server.db.read(lambda session: session.execute(query).all())]

    def _house_works(self) -> Process:
        """The worker that carries announcements out, and what befalls the house."""
        while not self.over:
            fault = self.deck.draw("house")
            if fault == "server_restarts":
                self.server.restart()
            elif fault == "deliverer_dies":
                self.server.deliverer_dies()
            self.server.deliver(fails=fault == "reaction_fails")
            yield 2.0

    # --- what those who work ask of it

    def next_delivery(self) -> Delivery:
        """Two articles of one merchant, announced and at the door."""
        no = f"IN-{next(self._deliveries):05d}"
        merchant = self.dice.choice(self.plan.merchants)[0]
        skus = self.dice.sample([sku for sku in self.plan.skus if sku.merchant == merchant], 2)
        lines = [(sku, self.dice.randint(4, PIECES_MAX)) for sku in skus]
        self.office.announce(no, merchant, [(sku.code, pieces) for sku, pieces in lines])
        return Delivery(no, [(sku.name, pieces) for sku, pieces in lines])

    def cancel(self, order: str) -> None:
        """The buyer cancels; the order may be anywhere."""
        status, answer = self.office.ask("POST", f"/api/v1/orders/{order}/cancel")
        if status == 200:
            self.cancelled.add(order)
        elif status != 409:
            self.world.broke(f"cancel {order}: {status} {answer}")

    def block(self, slot: str, *, blocked: bool = True) -> None:
        self.act(partial(site.block_slot, slot_code=slot, blocked=blocked, why="wet"))

    def parcels_in(self, bag: str) -> list[str]:
        query = select(Parcel.waybill).join(Bag, Bag.id == Parcel.bag_id).where(Bag.code == bag)
        return [waybill for waybill in self.server.db.read(lambda session: session.scalars(query).all()) if waybill]
