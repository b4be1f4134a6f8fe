"""A demonstration from the first line to the last: database, park, processes, the day, the report, and then the open
house.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from sqlalchemy import inspect

from wms.auditing import broken_promises
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.demo import report
from wms.demo.build import Park, build, is_a_demo
from wms.demo.clock import DayClock
from wms.demo.day import WORK, Day, Rest, RestRefused
from wms.demo.evening import leave_work
from wms.demo.hands import Goods
from wms.demo.order_file import plan_from, read_map, read_orders
from wms.demo.packers import LineMinder, LineWatcher, Packer
from wms.demo.people import Picker, Receiver, Worker
from wms.demo.plan import CYCLES, DAY, ORDERS, DayPlan, at_local, plan_day
from wms.demo.processes import Processes
from wms.demo.stations import Floor, set_up_line, set_up_table
from wms.demo.words import LINE_PERSON, PEOPLE
from wms.exchange.gateways import service as gateways
from wms.migrations import commands
from wms.settings import database_url
from wms.trouble import Trouble, opening

TABLES = ("PK-01", "PK-02", "PK-03")
LINE = "LINE-1"
OPENS, EVENING = "07:00", "18:30"
FILE = "sqlite:///"
DAY_S_MIN, DAY_S_MAX, DAY_S_PER_LINE = 20.0, 420.0, 0.09
LOOK_S = 0.3
COURIERS_EVERY_S = 1.0
STATIONS_AT_ONCE = 2

LooksOn = Callable[[Database, Park, Day], None]


@dataclass(frozen=True, slots=True)
class Wish:
    """What the command line asked for."""

    db: str | None
    seed: int
    count: int | None
    orders: Path | None
    days: int | None
    columns: str | None
    as_json: bool
    serve: bool
    port: int
    keep: Path | None


def run(wish: Wish, looks_on: LooksOn | None = None) -> int:
    """Live the day; 0 when every order is shipped or explained and every promise holds. Raises Trouble, BadOrders,
    NotReady.

    `looks_on` is called once, when everybody is at work: for who wants to watch, say with a camera.
    """
    with asked_to_end():
        return _run(wish, looks_on)


@contextmanager
def asked_to_end() -> Iterator[None]:
    """SIGTERM and a closed window end the demonstration as Ctrl+C does: every process is ended on the way out."""

    def leave(number: int, _frame: Any) -> NoReturn:
        raise SystemExit(128 + number)

    names = [name for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {getattr(signal, name): signal.signal(getattr(signal, name), leave) for name in names}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _run(wish: Wish, looks_on: LooksOn | None) -> int:
    took = report.Stopwatch()
    screen = Console(stderr=True)
    plan = _plan(wish)
    url, folder = _database(wish)
    db = Database.open(url)
    with _bars(screen) as bars:
        opening = bars.add_task("入库 opening stock", total=sum(lot.asn.startswith("OPEN") for lot in plan.lots))
        park = build(db, plan, lambda n: bars.advance(opening, n))
        with Processes(folder) as processes:
            day = _open_doors(db, url, folder, plan, park, processes, bars)
            took.done("opening")
            people = _let_work(day, park, processes)
            if looks_on is not None:
                looks_on(db, park, day)
            _live(db, park.warehouse_id, day, people, bars)
            took.done("day")
            told = report.gather(db, park.warehouse_id, day)
    told.audit_ok = not any(breaks for _promise, breaks in broken_promises(db))
    took.done("closing")
    told.seconds = took.parts_s
    report.show(told, screen, as_json=wish.as_json)
    db.dispose()
    if wish.serve:
        _serve(url, folder, park, day, screen, wish.port)
    return 0 if told.holds else 1


def pace(plan: DayPlan) -> float:
    """How fast the business clock runs, so that the last release comes when most of the work before it is done."""
    lines = sum(len(order.lines) for order in plan.orders)
    lasts_s = min(DAY_S_MAX, max(DAY_S_MIN, lines * DAY_S_PER_LINE))
    return (at_local(DAY, CYCLES[-1]) - at_local(DAY, OPENS)).total_seconds() / lasts_s


def _plan(wish: Wish) -> DayPlan:
    if wish.orders is None:
        return plan_day(wish.seed, wish.count or ORDERS)
    return plan_from(read_orders(wish.orders, read_map(wish.columns), wish.days), wish.seed)


def _database(wish: Wish) -> tuple[str, Path]:
    """A fresh database: a new file, or the one named if a demonstration made it or nobody did. Raises Trouble."""
    if wish.db is None and "WMS_DB_URL" not in os.environ:
        folder = wish.keep or Path(tempfile.mkdtemp(prefix="chuwei-demo-"))
        folder.mkdir(parents=True, exist_ok=True)
        url = f"sqlite:///{folder / 'chuwei.db'}"
    else:
        url = _absolute(database_url(wish.db))
        folder = wish.keep or Path(tempfile.mkdtemp(prefix="chuwei-demo-"))
        folder.mkdir(parents=True, exist_ok=True)
    with opening(url):
        _clear(url)
        commands.upgrade(url)
    return url, folder.resolve()


def _absolute(url: str) -> str:
    """The server stands in another folder than we do: a file is named by its whole path."""
    if not url.startswith(FILE):
        return url
    return f"{FILE}{Path(url.removeprefix(FILE)).resolve()}"


def _clear(url: str) -> None:
    """Take away what an earlier demonstration left. Raises Trouble for anybody else's database."""
    if url.startswith(FILE) and not Path(url.removeprefix(FILE)).exists():
        return
    db = Database.open(url)
    try:
        tables = db.read(lambda session: inspect(session.connection()).get_table_names())
        if not tables:
            return
        if "file_mark" not in tables or not is_a_demo(db):
            raise Trouble(
                f"{url} was not made by wms demo: name another with --db, a demonstration overwrites its own only"
            )
    finally:
        db.dispose()
    if url.startswith(FILE):
        for ending in ("", "-wal", "-shm"):
            Path(url.removeprefix(FILE) + ending).unlink(missing_ok=True)
    else:
        commands.downgrade(url, "base")


@contextmanager
def _bars(screen: Console) -> Iterator[Progress]:
    bars = Progress(
        TextColumn("{task.description:<28}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), console=screen
    )
    with bars:
        yield bars


def _open_doors(
    db: Database, url: str, folder: Path, plan: DayPlan, park: Park, processes: Processes, bars: Progress
) -> Day:
    """The server, three tables and the line: fifteen processes on loopback."""
    doors = bars.add_task("开门 processes", total=1 + len(TABLES) * 4 + 2)
    clock = DayClock(at_local(DAY, OPENS), pace(plan), at_local(DAY, EVENING))
    server = processes.start("server", _server_words(url, clock, port=0))
    bars.advance(doors)
    server_url = f"http://127.0.0.1:{server.ready['port']}"

    def invite(station: str, name: str) -> str:
        return str(
            system_call(
                db,
                WallClock(),
                park.warehouse_id,
                lambda call: gateways.invite(call, station_code=station, name=name),
                request_id=new_id(),
            )
        )

    floor = Floor()
    with ThreadPoolExecutor(STATIONS_AT_ONCE) as crew:
        line = crew.submit(set_up_line, processes, folder, server_url, LINE, invite)
        tables = {code: crew.submit(set_up_table, processes, folder, server_url, code, invite) for code in TABLES}
        for code, table in tables.items():
            floor.tables[code] = table.result()
            bars.advance(doors, 4)
        floor.line = line.result()
        bars.advance(doors, 2)
    rest = Rest(server_url, park.credentials.api_key)
    return Day(server_url, plan, Goods.of(plan), floor, rest, clock)


def _server_words(url: str, clock: DayClock, port: int) -> list[str]:
    """How the server is started so that it tells the same time as `clock`, or a moment later."""
    factor, evening = f"{clock.factor:.3f}", clock.evening.isoformat()
    start = clock.now().isoformat()
    words = ["wms.demo.server", "--db", url, "--start", start, "--factor", factor, "--evening", evening]
    return [*words, "--port", str(port)]


def _let_work(day: Day, park: Park, processes: Processes) -> list[Worker]:
    """Six workers and the one who minds the line."""
    pins = park.credentials.pins
    line = day.floor.line
    assert line is not None
    asns = sorted({lot.asn for lot in day.plan.lots if not lot.asn.startswith("OPEN")})
    people: list[Worker] = []
    for number, (badge, _name, role) in enumerate(PEOPLE, 1):
        device = f"PDA-{number:02d}"
        if role == "packer":
            table = day.floor.tables[TABLES[number - 4]]
            people.append(Packer(day, device, badge, pins[badge], table, processes))
        else:
            cart = f"C-{number:02d}"
            people.append(Picker(day, device, badge, pins[badge], cart, loses_network=number == 2))
    receiving = Receiver(day, "PDA-01", PEOPLE[0][0], pins[PEOPLE[0][0]], asns)
    receiving.receive_all()
    people.append(LineMinder(day, f"PDA-{len(PEOPLE) + 1:02d}", LINE_PERSON[0], pins[LINE_PERSON[0]]))
    LineWatcher(day, line).start()
    for person in people:
        person.start()
    return people


def _live(db: Database, warehouse_id: int, day: Day, people: list[Worker], bars: Progress) -> None:
    """Orders come in, are released four times, picked, packed, sorted and handed over."""
    came = bars.add_task("来单 orders in", total=len(day.plan.orders))
    began_s = time.monotonic()
    watch = Watch(db, warehouse_id, day, bars)
    factor = pace(day.plan)
    for cycle, clock in enumerate(CYCLES):
        _take_orders(day, cycle, lambda: bars.advance(came))
        due_s = (at_local(DAY, clock) - at_local(DAY, OPENS)).total_seconds() / factor
        watch.until(began_s + due_s)
        _release(day)
        day.couriers_wait.set()
    watch.until_done()
    day.over.set()
    for person in people:
        person.join(30)
    assert day.floor.line is not None
    day.floor.line.watch.close()
    watch.show()


def _take_orders(day: Day, cycle: int, tick: Callable[[], None]) -> None:
    """The malls' orders of one release, by the API, at the minute they were placed."""
    for order in (one for one in day.plan.orders if one.cycle == cycle):
        body = {
            "no": order.no,
            "merchant": order.merchant,
            "courier": order.courier,
            "placed_at": order.placed_at.isoformat(),
            "lines": [{"sku": sku, "quantity": quantity} for sku, quantity in order.lines],
            "receiver": order.receiver,
        }
        try:
            day.rest.post("/api/v1/orders", body)
            tick()
        except RestRefused as no:
            day.trouble("integrator", f"order {order.no}: {no}")


def _release(day: Day) -> None:
    """The supervisor: promise stock, make waves, release them."""
    made = day.rest.post("/api/v1/waves")
    for wave in made["waves"]:
        try:
            day.rest.post(f"/api/v1/waves/{wave}/release")
            day.count("waves")
        except RestRefused as no:
            day.trouble("supervisor", str(no))
    day.calls.wake([WORK])


class Watch:
    """Looks on while others work, and calls the couriers when parcels wait."""

    def __init__(self, db: Database, warehouse_id: int, day: Day, bars: Progress) -> None:
        self._db, self._warehouse_id, self._day, self._bars = db, warehouse_id, day, bars
        total = len(day.plan.orders)
        self._packed = bars.add_task("打包 parcels packed", total=total)
        self._gone = bars.add_task("交接 handed over", total=total)
        self._called_s = 0.0

    def until(self, moment_s: float) -> None:
        """Look on until a moment (monotonic seconds)."""
        while time.monotonic() < moment_s:
            self.show()
            time.sleep(LOOK_S)

    def until_done(self) -> None:
        """Look on until nothing is left to be done, or nobody does anything any more."""
        while report.open_orders(self._db, self._warehouse_id) and not self._day.stalled():
            self.show()
            time.sleep(LOOK_S)
            if self._all_sorted() and time.monotonic() - self._called_s > COURIERS_EVERY_S:
                self._called_s = time.monotonic()
                self._day.couriers_wait.set()

    def show(self) -> None:
        self._bars.update(self._packed, completed=self._day.counts["packed"])
        self._bars.update(self._gone, completed=self._day.counts["handed_over"])

    def _all_sorted(self) -> bool:
        counts = self._day.counts
        return counts["on_line"] == counts["discharged"] and self._day.rejected.empty() and self._day.to_pack.empty()


def _free(port: int) -> int:
    """The port, if nobody has it; else 0, which takes any."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return 0
    return port


def _serve(url: str, folder: Path, park: Park, day: Day, screen: Console, port: int) -> None:
    """The house stays open, at the evening of that day and at the pace of the wall clock, until Ctrl+C."""
    evening = DayClock(max(day.clock.now(), day.clock.evening), 1.0, day.clock.evening)
    with Processes(folder) as processes:
        server = processes.start("open-house", _server_words(url, evening, _free(port)))
        served = int(server.ready["port"])
        left = leave_work(Rest(f"http://127.0.0.1:{served}", park.credentials.api_key), day.plan, evening.now())
        report.show_addresses(screen, served, park.credentials, left)
        with contextlib.suppress(KeyboardInterrupt):
            while server.alive():
                time.sleep(1)
            screen.print(f"the server ended by itself: see {server.log}")
            return
        screen.print("closed")
