"""Take the pictures of the README and the guides from the running program: `python -m scripts.screenshots`.

Lives a small day of `wms demo`, waits until parcels leave, and looks at it with the machine's Chromium. `--db FILE`
looks at a database that a demonstration left instead (at a copy of it, so that it stays as it is). Pictures go to
docs/pictures, or where `--to FOLDER` says. Needs the environment of the checkout with the tools for development.
"""

from __future__ import annotations

import argparse
import json
import secrets
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image
from sqlalchemy import select

from tests import browsers
from tests.handheld.page.handheld import TRIGGER
from wms.catalog.tables import Merchant, Sku, SkuBarcode
from wms.core.call import Call
from wms.core.clock import HandClock
from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.demo.day import Day
from wms.demo.hands import slot_code
from wms.inbound import service as inbound
from wms.ledger.tables import MovementRow
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.site.tables import Warehouse

ROOT = Path(__file__).resolve().parent.parent
ORDERS = 240
DAY_S = 420.0
SEED = 1
UNDER_WAY = 0.35  # of the orders packed: then there is something to see everywhere
UNDER_WAY_S_MAX = 600.0
WAIT_MS = 60_000
COLOURS = 256
TERMINAL = {"width": 1440, "height": 900}
HANDHELD = {"width": 360, "height": 640}
ASN = "IN-1107-9"
PIN = "4417"  # of people in a database that is thrown away
CART, TOTES = "C-12", ("T-0391", "T-0392", "T-0393", "T-0394", "T-0395", "T-0396")
TRIES_MAX = 150
WAIT_SCAN_MS = 700
NAMES = {"zh": "周班长", "en": "Zhou"}

Facts = dict[str, Any]


# --- the house that is looked at ----------------------------------------------------------------------------------


def let_in(db: Database, clock: HandClock) -> Facts:
    """Two people with a PDA each and a login, one for each language, and a delivery they may receive."""
    secret = {
        language: {"pin": PIN, "password": secrets.token_urlsafe(12), "device": f"PDA-9{number}"}
        for number, language in enumerate(NAMES)
    }

    def enter(call: Call) -> None:
        for language, name in NAMES.items():
            mine = secret[language]
            badge, login = f"CAM-{language.upper()}", f"camera-{language}"
            who = {"badge": badge, "name": name, "role": Role.SUPERVISOR, "login": login, "language": language}
            people.add_person(call, **who, pin=mine["pin"], password=mine["password"])
            people.enrol_device(call, code=mine["device"], kind=DeviceKind.HANDHELD, name=mine["device"])
        inbound.create_asn(call, no=ASN, merchant_code=merchant, lines=[(sku, 240)], expected_at=clock.now())

    warehouse_id, merchant, sku, barcodes = db.read(_what_is_there)
    system_call(db, clock, warehouse_id, enter, request_id=new_id())
    return {"people": secret, "barcode": barcodes[_name_of(db, sku)]}


def _what_is_there(session: Any) -> tuple[int, str, str, dict[str, str]]:
    warehouse_id = session.scalars(select(Warehouse.id).order_by(Warehouse.id)).first()
    rows = session.execute(
        select(Merchant.code, Sku.code.label("sku"), Sku.name, SkuBarcode.barcode.label("scanned"))
        .join(Sku, Sku.merchant_id == Merchant.id)
        .join(SkuBarcode, SkuBarcode.sku_id == Sku.id)
        .where(Sku.lot_tracked.is_(False))
        .order_by(Sku.id)
    ).all()
    every = session.execute(select(Sku.name, SkuBarcode.barcode).join(SkuBarcode, SkuBarcode.sku_id == Sku.id)).all()
    return int(warehouse_id), rows[0].code, rows[0].sku, dict(every)


def _name_of(db: Database, sku: str) -> str:
    return str(db.read(lambda session: session.scalars(select(Sku.name).where(Sku.code == sku)).first()))


def live_a_day(folder: Path) -> int:
    """In a process of its own: the demonstration, telling on stdout where it is and when it is worth a look."""
    from wms.demo import run as demo
    from wms.demo.plan import DAY, at_local

    def looks_on(db: Database, park: Any, day: Day) -> None:
        clock = HandClock(at_local(DAY, "08:30"))
        _say({"url": day.url, **let_in(db, clock)})
        threading.Thread(target=_tell_when_under_way, args=(day,), daemon=True).start()

    demo.DAY_S_MIN = demo.DAY_S_MAX = DAY_S  # slow enough for a camera, on a busy machine too
    wish = demo.Wish(
        db=None,
        seed=SEED,
        count=ORDERS,
        orders=None,
        days=None,
        columns=None,
        as_json=True,
        serve=False,
        port=0,
        keep=folder,
    )
    return demo.run(wish, looks_on)


def _tell_when_under_way(day: Day) -> None:
    until_s = time.monotonic() + UNDER_WAY_S_MAX
    while day.counts["packed"] < UNDER_WAY * len(day.plan.orders) and time.monotonic() < until_s:
        time.sleep(0.2)
    _say({"under_way": day.counts["packed"]})


def _say(facts: Facts) -> None:
    print(json.dumps(facts, ensure_ascii=False), flush=True)


@contextmanager
def a_day(folder: Path) -> Iterator[tuple[Facts, Callable[[], None]]]:
    """A day that is being lived; what is known of it, and a wait until it is under way."""
    command = [sys.executable, "-m", "scripts.screenshots", "--live-in", str(folder)]
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    told = child.stdout
    try:
        yield json.loads(told.readline()), lambda: print("under way:", told.readline().strip(), file=sys.stderr)
    finally:
        child.terminate()
        child.wait(60)


@contextmanager
def a_copy(source: Path, folder: Path) -> Iterator[tuple[Facts, Callable[[], None]]]:
    """The house of a demonstration that is over, served from a copy."""
    copy = folder / "copy.db"
    with sqlite3.connect(source) as here, sqlite3.connect(copy) as there:
        here.backup(there)
    db = Database.open(f"sqlite:///{copy}")
    last = db.read(lambda session: session.scalars(select(MovementRow.at).order_by(MovementRow.id.desc())).first())
    assert last is not None, "a demonstration has movements"
    facts = let_in(db, HandClock(last))
    db.dispose()
    command = [sys.executable, "-m", "wms.demo.server", "--db", f"sqlite:///{copy}", "--start", last.isoformat()]
    server = subprocess.Popen([*command, "--factor", "1"], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        port = json.loads(server.stdout.readline())["port"]
        yield {"url": f"http://127.0.0.1:{port}", **facts}, lambda: None
    finally:
        server.terminate()
        server.wait(60)


# --- the camera ---------------------------------------------------------------------------------------------------


class Handheld:
    """A PDA in the hand of one person: scans at a scanner's pace, reads the screen as the server drew it."""

    def __init__(self, browser: Any, facts: Facts, language: str) -> None:
        self.context = browser.new_context(viewport=HANDHELD, device_scale_factor=2, locale=_locale(language))
        self.page, self.facts, self.language = self.context.new_page(), facts, language
        self.page.set_default_timeout(WAIT_MS)

    def log_in(self) -> None:
        me = self.facts["people"][self.language]
        self.page.goto(f"{self.facts['url']}/pda/?device={me['device']}")
        self.page.wait_for_selector("#keys button")
        self.scan(make(Kind.BADGE, f"CAM-{self.language.upper()}"))
        self.page.wait_for_selector(".pad")
        for digit in me["pin"]:
            self.page.click(f'.pad [data-value="{digit}"]')
        self.page.click('[data-action="pad:enter"]')
        self.page.wait_for_selector('[data-card="choose"]')

    def scan(self, code: str) -> None:
        how = {"codes": [code], "prefix": "F9", "end": ["Enter"], "gap_ms": 0, "keyCode": 0, "target": ""}
        self.page.evaluate(TRIGGER, how)
        self.page.wait_for_timeout(WAIT_SCAN_MS)

    def screen(self) -> Mapping[str, Any]:
        """What the server would draw now."""
        state: Mapping[str, Any] = self.page.evaluate("fetch('/pda/state').then((answer) => answer.json())")
        drawn: Mapping[str, Any] = state["screen"]
        return drawn

    def choose(self, value: str) -> None:
        self.page.click(f'.choose [data-value="{value}"]')
        self.page.wait_for_timeout(WAIT_SCAN_MS)

    def picture(self, path: Path) -> None:
        self.page.wait_for_timeout(2_500)  # the bar of a message that is no longer new goes away
        self.page.screenshot(path=str(path))
        lighten(path)


def lighten(path: Path) -> None:
    """Few colours are enough for a screen, and the history keeps every picture for ever."""
    few = Image.open(path).convert("RGB").quantize(COLOURS, method=Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(path, optimize=True)
    print(path)


def _locale(language: str) -> str:
    return "zh-CN" if language == "zh" else "en-GB"


def show_receiving(hand: Handheld, to: Path) -> None:
    """A delivery half counted."""
    hand.choose("receive")
    hand.scan(make(Kind.ASN, ASN))
    for _ in range(3):
        hand.scan(hand.facts["barcode"])
    hand.picture(to / "pda-receive.png")


def show_picking(hand: Handheld, path: Path) -> None:
    """On the walk, before the slot: where to go, what to take, how many, into which tote."""
    totes = list(TOTES)
    for _ in range(TRIES_MAX):
        screen = hand.screen()
        if screen["dialogue"] == "menu":
            hand.choose("get_work")  # until a wave is released, and while others are quicker
        elif screen["dialogue"] == "putaway":
            hand.scan(slot_code(screen))
        elif screen["step"] == "scan_cart":
            hand.scan(make(Kind.CART, CART))
        elif screen["step"] == "scan_new_tote" and totes:
            hand.scan(make(Kind.TOTE, totes.pop(0)))
        elif screen["step"] == "scan_slot":
            break
        else:
            hand.page.keyboard.press("Escape")
            hand.page.wait_for_timeout(WAIT_SCAN_MS)
    hand.picture(path)


def show_terminal(browser: Any, facts: Facts, language: str, path: Path, section: str = "") -> None:
    """The control terminal as a supervisor sees it."""
    context = browser.new_context(viewport=TERMINAL, locale=_locale(language))
    page = context.new_page()
    page.set_default_timeout(WAIT_MS)
    page.goto(f"{facts['url']}/terminal/login?language={language}")
    page.fill('[name="login"]', f"camera-{language}")
    page.fill('[name="password"]', facts["people"][language]["password"])
    page.click('button[type="submit"]')
    page.wait_for_url("**/terminal/")
    if section:
        page.goto(f"{facts['url']}/terminal/{section}")
    page.wait_for_timeout(3_000)  # the live stream has said something
    page.screenshot(path=str(path))
    lighten(path)
    context.close()


def take_all(facts: Facts, under_way: Callable[[], None], to: Path, only: str) -> None:
    """Every picture, in the order in which the day offers them."""
    with browsers.launched() as browser:
        hands = {language: Handheld(browser, facts, language) for language in NAMES}
        if only in ("", "pda"):
            for hand in hands.values():
                hand.log_in()
            show_receiving(hands["en"], to)
            show_picking(hands["zh"], to / "pda.png")
        under_way()
        if only in ("", "terminal"):
            show_terminal(browser, facts, "zh", to / "terminal.png")
            show_terminal(browser, facts, "en", to / "terminal-en.png")
            show_terminal(browser, facts, "zh", to / "terminal-line.png", "line")
            show_terminal(browser, facts, "zh", to / "terminal-waves.png", "waves")


def main() -> int:
    """Take the pictures; 2 without a browser."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--db", type=Path, metavar="FILE", help="a database that wms demo left")
    parser.add_argument("--to", type=Path, metavar="FOLDER", default=ROOT / "docs" / "pictures")
    parser.add_argument("--only", choices=["pda", "terminal"], default="", help="only one of the two")
    parser.add_argument("--live-in", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.live_in:
        return live_a_day(given.live_in)
    if browsers.chromium() is None:
        print("no chromium on this machine (Debian: apt-get install chromium fonts-noto-cjk)", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # the day is ended on the way out
    given.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="chuwei-pictures-") as folder:
        house = a_copy(given.db, Path(folder)) if given.db else a_day(Path(folder))
        with house as (facts, under_way):
            take_all(facts, under_way, given.to, given.only)
    return 0


if __name__ == "__main__":
    sys.exit(main())
