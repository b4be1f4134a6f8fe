"""Scans kept on a device apply in order or show as a conflict, whatever others write before they arrive.

A picker goes on without network along the path his PDA knows, while others do something to his work or to the park.
Then the queue arrives, with answers lost on the way. What was answered "right" is in the books, in the order it was
scanned; the first one that does not fit stops the queue, and nothing behind or after it is applied.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import func, select

from tests.builders import Park
from tests.picking.floor import FAR, MIDDLE, NEAR, Floor, a_floor
from tests.proofs.frame import Ground, Outcome, audit, proof, twin
from tests.proofs.sabotage import replaced
from wms.app import make_house
from wms.core import codes
from wms.core.clock import WallClock
from wms.core.codes import Kind
from wms.core.db import Database
from wms.handheld import shell
from wms.ledger.tables import MovementRow
from wms.outbound import service as outbound
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.settings import Settings
from wms.site import service as site

PIN = "246810"
BAD = ("wrong", "intercepted")
ORDERS = 3
Json = dict[str, Any]


@dataclass
class Pda:
    """One device: the page's calls, without the page."""

    client: FlaskClient
    device: str
    csrf: str = ""

    def log_in(self) -> Json:
        shown = self.post("login", {"device": self.device, "badge": codes.make(Kind.BADGE, "W1"), "pin": PIN})
        cookie = self.client.get_cookie("csrf", path="/pda")
        assert cookie is not None, shown
        self.csrf = cookie.value
        return shown

    def post(self, path: str, body: Json) -> Json:
        answer = self.client.post(f"/pda/{path}", json=body, headers={"X-CSRF": self.csrf})
        said: Json = json.loads(answer.data)
        return said

    def scan(self, code: str, **more: Any) -> Json:
        return self.post("scan", {"id": secrets.token_hex(16), "code": code, **more})

    def get(self, path: str) -> Json:
        found: Json = json.loads(self.client.get(f"/pda/{path}").data)
        return found


@dataclass
class Scene:
    """A park with a cart that is loaded, the picker's PDA at its first slot, and a spare one."""

    floor: Floor
    first: Pda
    spare: Pda
    dice: Random
    orders: list[str]

    @property
    def park(self) -> Park:
        return self.floor.park


def a_scene(database: Database, dice: Random) -> Scene:
    floor = a_floor(database)
    park = floor.park
    park.act(lambda call: people.add_person(call, badge="W1", name="程丽", role=Role.SUPERVISOR, pin=PIN))
    for device in ("PDA-01", "PDA-02"):
        park.act(lambda call, d=device: people.enrol_device(call, code=d, kind=DeviceKind.HANDHELD, name=d))  # type: ignore[misc]
    app = make_house(park.database, WallClock(), Settings()).app
    return Scene(floor, Pda(app.test_client(), "PDA-01"), Pda(app.test_client(), "PDA-02"), dice, [])


def to_the_rack(scene: Scene) -> Json:
    """New orders, a loaded cart, and the first slot on the screen."""
    goods, dice = [scene.floor.tea, scene.floor.nuts, scene.floor.salt], scene.dice
    scene.orders = [f"O-{number}" for number in range(ORDERS)]
    lines = [(no, [(sku, 1) for sku in dice.sample(goods, dice.randint(2, 3))]) for no in scene.orders]
    scene.floor.batch(*lines)
    shown = scene.first.log_in()
    shown = scene.first.post("action", {"id": secrets.token_hex(16), "action": "get_work"})
    totes = iter(range(1, 31))
    scene.first.scan(codes.make(Kind.CART, "C-01"))
    shown = scene.first.get("state")
    while shown["screen"]["step"] == "scan_new_tote":
        shown = scene.first.scan(codes.make(Kind.TOTE, f"T-{next(totes):04d}"))
    assert shown["screen"]["step"] == "scan_slot", shown
    return shown


# --- what others write meanwhile


def _nothing(scene: Scene) -> None:
    """Nobody does anything."""


def _cancelled(scene: Scene) -> None:
    no = scene.dice.choice(scene.orders)
    scene.park.act(lambda call: outbound.cancel_order(call, no))


def _all_cancelled(scene: Scene) -> None:
    for no in scene.orders:
        scene.park.act(lambda call, n=no: outbound.cancel_order(call, n))  # type: ignore[misc]


def _slot_blocked(scene: Scene) -> None:
    slot = scene.dice.choice((NEAR, MIDDLE, FAR))
    scene.park.act(lambda call: site.block_slot(call, slot, why="wet"))


def _walked_on(scene: Scene) -> None:
    """The same person takes the work up at another PDA and does one step."""
    scene.spare.log_in()
    path = scene.spare.get("ahead")["ahead"]
    scene.spare.scan(path[0]["accepts"][0])
    scene.first.log_in()


def _other_work(scene: Scene) -> None:
    """The same person leaves the cart and begins to count a slot at another PDA: its codes fit there as well."""
    scene.spare.log_in()
    scene.spare.post("action", {"id": secrets.token_hex(16), "action": "leave"})
    scene.spare.post("action", {"id": secrets.token_hex(16), "action": "choose", "value": "count"})
    scene.first.log_in()


MEANWHILE: tuple[Callable[[Scene], None], ...] = (
    _nothing,
    _cancelled,
    _all_cancelled,
    _slot_blocked,
    _walked_on,
    _other_work,
)
MOVED_ON = (_walked_on, _other_work)


# --- the experiment


@proof(
    name="offline_scans",
    promises=(8,),
    small={"rounds": 6},
    full={"rounds": 60},
    goal="kept scans apply in their order or the first that does not fit is shown; nothing behind it is applied",
)
def offline_scans(ground: Ground, *, rounds: int) -> Outcome:
    dice = ground.random()
    broken: list[str] = []
    applied = conflicts = 0
    for round_ in range(rounds):
        meanwhile = MEANWHILE[round_ % len(MEANWHILE)]
        database = Database.open(ground.another_url())
        scene = a_scene(database, dice)
        right, refused, said = _one_queue(scene, to_the_rack(scene), meanwhile)
        applied, conflicts = applied + right, conflicts + refused
        broken += [f"round {round_}, {meanwhile.__name__.strip('_')}: {each}" for each in (*said, *audit(database))]
        database.dispose()
    facts = {"applied": applied, "conflicts": conflicts}
    return Outcome(f"{rounds} queues, {len(MEANWHILE)} kinds of writes between", tuple(broken), facts=facts)


def _one_queue(scene: Scene, shown: Json, meanwhile: Callable[[Scene], None]) -> tuple[int, int, list[str]]:
    """Scans applied, conflicts shown, and what was wrong."""
    path = scene.first.get("ahead")["ahead"]
    queue = [str(step["accepts"][0]) for step in path[: scene.dice.randint(min(3, len(path)), len(path))]]
    steps = [shown["screen"]["step"], *(step["screen"]["step"] for step in path)]
    meanwhile(scene)
    wrong: list[str] = []
    work, right, moved = shown["work"], 0, _moved(scene)
    for code, step in zip(queue, steps, strict=False):
        answer = _replay(scene, code, work, wrong)
        message = answer["message"] or {}
        now = _moved(scene)
        if message.get("level") in BAD:
            stopped = message["level"] == "intercepted"  # said of one order, while the scan of another counted
            if now != moved and not stopped:
                wrong.append(f"{code} was refused, and yet {now - moved} pieces moved")
            return right, 1, wrong
        if meanwhile in MOVED_ON:
            wrong.append(f"{code} was taken although the work had moved on: {message.get('title')}")
        if step != "scan_tote" and now != moved:
            wrong.append(f"{code} at {step} moved {now - moved} pieces")
        right, moved, work = right + 1, now, answer["work"]
    if meanwhile is _nothing and right != len(queue):
        wrong.append(f"{len(queue)} scans, {right} were taken, and nobody had done anything")
    return right, 0, wrong


def _replay(scene: Scene, code: str, work: Json, wrong: list[str]) -> Json:
    """One kept scan; now and then its answer is lost and it comes again."""
    scan_id = secrets.token_hex(16)
    body = {"id": scan_id, "code": code, "kept": True, "work": work}
    answer = scene.first.post("scan", body)
    if scene.dice.random() < 0.3:
        moved = _moved(scene)
        again = scene.first.post("scan", body)
        if again["message"] != answer["message"] or _moved(scene) != moved:
            wrong.append(f"{code} came twice: {answer['message']} and {again['message']}")
        return again
    return answer


def _moved(scene: Scene) -> int:
    """Pieces that went from a slot into a tote so far."""
    query = select(func.coalesce(func.sum(MovementRow.quantity), 0)).where(MovementRow.kind == "pick")
    return int(scene.park.read(lambda session: session.execute(query).scalar_one()))


@twin(of="offline_scans", sabotage="a kept scan is judged wherever its person stands now")
def judged_anywhere(ground: Ground, *, rounds: int) -> Outcome:
    def stands(call: Any, _made_on: Any) -> Any:
        return shell.standing(call.session, call.person_id)

    with replaced(shell, _stands=stands):
        return offline_scans(ground, rounds=rounds)
