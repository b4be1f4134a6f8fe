"""A large wave planned from the terminal while people scan: what their scans cost at rest, and while it is gathered,
planned and released, side by side in one run.

The server is `wms serve` in a process of its own over a fresh SQLite park. People stand at PDAs and scan slots, one
scan after the other with a pause between; each scan is a committed transaction. A supervisor makes the wave, plans it
and releases it by the terminal's own buttons.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from functools import partial
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import func, or_, select

from scripts.benches.calibration import calibrate
from scripts.benches.park import BenchPark, build
from scripts.benches.rest import percentiles, serving
from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.tables import Merchant
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.demo.pda import Pda, Refused
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.outbound import service as outbound
from wms.outbound.tables import Order, Wave
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.picking.tables import Batch, KeptPlan
from wms.site.tables import Slot, Warehouse

PIN = "4417"  # of people in a database that is thrown away
PEOPLE = 6
PAUSE_S = 0.15
PHASE_S_MAX = 600.0
LOOK_S = 0.25
ORDERS_A_STEP = 50
SKUS = 400
PHASES = ("rest", "allocating", "gathering", "planning", "releasing")


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser("wave", help="PDA scans while a large wave is planned from the terminal")
    parser.add_argument("--orders", type=int, default=5_000, help="open orders (5000)")
    parser.add_argument("--seconds", type=int, default=60, help="how long the plan may be reckoned (60)")
    parser.add_argument("--rest", type=float, default=20.0, help="seconds of scans at rest (20)")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure and print; 1 when a scan was refused or the wave did not reach the floor."""
    with tempfile.TemporaryDirectory(prefix="chuwei-bench-") as name:
        folder = Path(name)
        print(f"building a park with {given.orders} open orders ...", file=sys.stderr)
        park = build(folder / "park.db")
        db = Database.open(park.url)
        try:
            secret = _let_in(db)
            _orders(db, park, given.orders)
            with serving(park, folder / "server.log") as (_pid, port):
                found = _live(db, f"http://127.0.0.1:{port}", secret, given)
        finally:
            db.dispose()
        machine = calibrate(folder)
    for line in report(found, machine, given.orders):
        print(json.dumps(line), flush=True)
    return 1 if found["refused"] or not found["batches"] else 0


def report(found: dict[str, Any], machine: dict[str, Any], orders: int) -> list[dict[str, Any]]:
    """A line for each phase, one for the bare machine, the sum last."""
    times = {phase: sorted(found["scans"].get(phase, [])) for phase in PHASES}
    known = {phase: percentiles(times_s) for phase, times_s in times.items() if times_s}
    lines: list[dict[str, Any]] = [
        {"bench": "wave", "phase": phase, "scans": len(times[phase]), "seconds": found["phases"].get(phase), **each}
        for phase, each in known.items()
    ]
    lines.append({"bench": "wave", "machine": {**machine, "cpus": os.cpu_count(), "load": os.getloadavg()[0]}})
    rest = known.get("rest", {}).get("p99_ms", 0)
    ratios = {
        f"{phase}_p99_over_rest": round(each["p99_ms"] / rest, 2)
        for phase, each in known.items()
        if phase != "rest" and rest
    }
    plan = {name: found[name] for name in ("plan_ms", "memory_mb", "walk_m", "first_come_m", "s_shape_m", "batches")}
    refused = len(found["refused"])
    return [*lines, {"bench": "wave", "orders": orders, "people": PEOPLE, **ratios, **plan, "refused": refused}]


def _let_in(db: Database) -> dict[str, Any]:
    """People with PDAs and a supervisor with a login."""
    secret: dict[str, Any] = {
        "password": new_id(),
        "slots": [],
        "devices": [f"PDA-{number}" for number in range(PEOPLE)],
    }

    def enter(call: Call) -> None:
        for number, device in enumerate(secret["devices"]):
            people.add_person(call, badge=f"B-{number}", name=f"Person {number}", role=Role.WORKER, pin=PIN)
            people.enrol_device(call, code=device, kind=DeviceKind.HANDHELD, name=device)
        boss = {"badge": "S-1", "name": "Supervisor", "login": "boss", "password": str(secret["password"])}
        people.add_person(call, role=Role.SUPERVISOR, **boss)
        rows = call.session.scalars(select(Slot.code).where(Slot.warehouse_id == call.warehouse_id).limit(500))
        secret["slots"] = list(rows)

    _acting(db)(enter)
    return secret


def _acting(db: Database) -> Callable[[Callable[[Call], Any]], Any]:
    warehouse_id = db.read(lambda session: session.scalars(select(Warehouse.id)).first())
    assert warehouse_id is not None
    return lambda work: system_call(db, WallClock(), warehouse_id, work, request_id=new_id())


def _orders(db: Database, park: BenchPark, orders: int) -> None:
    """Open orders of two to four lines for one courier's cut-off: one wave. Their goods lie all over two zones."""
    act, luck = _acting(db), random.Random(5)
    merchant = min(park.merchants)
    skus: list[str] = act(lambda call: _goods(call, merchant, luck, orders))
    receiver = {"name": "Receiver", "phone": "13800000000", "address": "1 Road", "area_code": park.areas[0]}

    def place(call: Call, first: int) -> None:
        for number in range(first, min(first + ORDERS_A_STEP, orders)):
            lines = [(sku, luck.choice((1, 2, 3))) for sku in luck.sample(skus, luck.choice((2, 2, 3, 4)))]
            outbound.create_order(
                call,
                merchant_code=merchant,
                no=f"L{number:05d}",
                courier=park.couriers[0],
                lines=lines,
                receiver=receiver,
                cut_offs=("23:59",),
            )

    for first in range(0, orders, ORDERS_A_STEP):
        act(partial(place, first=first))


def _goods(call: Call, merchant: str, luck: random.Random, orders: int) -> list[str]:
    """SKUs, each with stock enough in a slot of its own."""
    slots = call.session.scalars(
        select(Slot.place_id).where(
            Slot.warehouse_id == call.warehouse_id,
            Slot.blocked.is_(False),
            Slot.bonded.is_(False),
            or_(Slot.code.startswith("A"), Slot.code.startswith("B")),
            Slot.code.endswith("-1A"),
        )
    ).all()
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    owner = select(Merchant.id).where(Merchant.warehouse_id == call.warehouse_id, Merchant.code == merchant)
    merchant_id = call.session.execute(owner).scalar_one()
    movements = []
    chosen = luck.sample(list(slots), min(SKUS, len(slots)))
    codes = [f"W-{number:04d}" for number in range(len(chosen))]
    for code, slot in zip(codes, chosen, strict=True):
        catalog.add_sku(
            call,
            merchant_code=merchant,
            code=code,
            name=code,
            barcodes=[],
            length_mm=120,
            width_mm=80,
            height_mm=60,
            weight_g=200,
        )
        sku = catalog_queries.sku_by_code(call.session, call.warehouse_id, merchant_id, code)
        lot_id = catalog.ensure_lot(call, sku, None, None, None)
        movements.append(Movement(MovementKind.RECEIPT, sku.merchant_id, supplier, slot, sku.id, lot_id, 12 * orders))
    ledger.post(call, movements)
    return codes


class Terminal:
    """The supervisor's browser: logs in and presses buttons."""

    def __init__(self, url: str, password: str) -> None:
        self._host = url.removeprefix("http://")
        self._cookies: dict[str, str] = {}
        self._csrf = ""
        self._post("login", {"login": "boss", "password": password, "warehouse": "1"})
        page = self._ask("GET", "/terminal/", None)
        self._csrf = page.partition('name="csrf" content="')[2].partition('"')[0]

    def do(self, deed: str, **args: Any) -> None:
        self._post("do", {"id": uuid4().hex, "deed": deed, "args": args})

    def _post(self, path: str, content: dict[str, Any]) -> None:
        self._ask("POST", f"/terminal/{path}", json.dumps(content))

    def _ask(self, method: str, path: str, body: str | None) -> str:
        connection = http.client.HTTPConnection(self._host, timeout=60)
        cookie = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        headers = {"Content-Type": "application/json", "X-CSRF": self._csrf, "Cookie": cookie}
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie") or []:
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        text = answer.read().decode()
        connection.close()
        if answer.status >= 400:
            raise SystemExit(f"the terminal said {answer.status} to {path}: {text[:300]}")
        return text


class Hand(threading.Thread):
    """Somebody who scans slots until told to stop; each scan is counted in the phase it was made in."""

    def __init__(self, url: str, number: int, secret: dict[str, Any], phase: list[str], stop: threading.Event) -> None:
        super().__init__(name=f"hand {number}", daemon=True)
        self._pda = Pda(url, secret["devices"][number])
        self._pda.log_in(f"B-{number}", PIN)
        self._slots, self._phase, self._enough = secret["slots"], phase, stop
        self._luck = random.Random(number)
        self.scans: dict[str, list[float]] = {}
        self.refused: list[str] = []

    def run(self) -> None:
        while not self._enough.is_set():
            phase = self._phase[0]
            before = len(self._pda.latencies_s)
            try:
                self._pda.scan(make(Kind.SLOT, self._luck.choice(self._slots)))
            except (OSError, http.client.HTTPException, Refused) as error:
                self.refused.append(f"{type(error).__name__}: {error}")
                return
            self.scans.setdefault(phase, []).extend(self._pda.latencies_s[before:])
            time.sleep(PAUSE_S)


def _live(db: Database, url: str, secret: dict[str, Any], given: argparse.Namespace) -> dict[str, Any]:
    phase, stop = ["warm-up"], threading.Event()
    boss = Terminal(url, secret["password"])
    hands = [Hand(url, number, secret, phase, stop) for number in range(PEOPLE)]
    for hand in hands:
        hand.start()
    time.sleep(3)
    spent: dict[str, float] = {}

    def during(name: str, over: Callable[[], bool], press: Callable[[], None] = lambda: None) -> None:
        print(f"{name} ...", file=sys.stderr)
        phase[0], began_s = name, time.monotonic()
        press()
        while not over() and time.monotonic() < began_s + PHASE_S_MAX:
            time.sleep(LOOK_S)
        spent[name] = round(time.monotonic() - began_s, 1)

    rested_s = time.monotonic() + given.rest
    during("rest", lambda: time.monotonic() > rested_s)
    during("allocating", lambda: _count(db, Order.state == "placed") == 0, lambda: boss.do("allocate_waiting"))
    during("gathering", lambda: bool(_drafts(db)), lambda: boss.do("make_waves"))
    wave = max(_drafts(db), key=lambda one: one[1])[0]
    during("planning", lambda: _plan(db, wave).state != "running", lambda: _press_plan(boss, db, wave, given.seconds))
    plan = _plan(db, wave)
    during("releasing", lambda: _plan(db, wave).state == "released", lambda: boss.do("release_wave", wave=wave))
    stop.set()
    for hand in hands:
        hand.join(60)
    scans: dict[str, list[float]] = {}
    for hand in hands:
        for name, times in hand.scans.items():
            scans.setdefault(name, []).extend(times)
    figures = {"plan_ms": plan.spent_ms, "memory_mb": plan.memory_mb}
    lengths = {f"{name}_m": getattr(plan, f"{name}_mm") // 1_000 for name in ("walk", "first_come", "s_shape")}
    batches = db.read(lambda session: len(session.scalars(select(Batch.id)).all()))
    refused = [what for hand in hands for what in hand.refused]
    return {"scans": scans, "phases": spent, "refused": refused, "batches": batches, **figures, **lengths}


def _press_plan(boss: Terminal, db: Database, wave: str, seconds: int) -> None:
    """Ask for the plan and wait until the planner took it up."""
    boss.do("plan_wave", wave=wave, seconds=seconds)
    until_s = time.monotonic() + PHASE_S_MAX
    while _plan(db, wave).state == "waiting" and time.monotonic() < until_s:
        time.sleep(LOOK_S / 5)


def _plan(db: Database, wave: str) -> Any:
    query = select(KeptPlan).join(Wave, Wave.id == KeptPlan.wave_id).where(Wave.no == wave)
    return db.read(lambda session: session.scalars(query).one())


def _count(db: Database, which: Any) -> int:
    return int(db.read(lambda session: session.execute(select(func.count(Order.id)).where(which)).scalar_one()))


def _drafts(db: Database) -> list[tuple[str, int]]:
    """Waves that are full and wait, with their sizes."""
    query = (
        select(Wave.no, func.count(Order.id))
        .join(Order, Order.wave_id == Wave.id)
        .where(Wave.state == "draft")
        .group_by(Wave.no)
    )
    return [(no, int(orders)) for no, orders in db.read(lambda session: session.execute(query).all())]
