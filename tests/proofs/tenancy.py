"""Two merchants in one building: whatever one asks for by the other's codes is not there, on every route there is.

The routes come from the application's own map and the fields from its description, so a new one is asked by itself.
Names and codes of the other merchant bear a word that must stand in no answer, and his rows must be as they were. On
PostgreSQL the database holds a second wall: there it holds even when every query of ours forgets its merchant.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import count
from typing import Any

from sqlalchemy import select, text

from tests.builders import a_sku, put_goods, stock_in
from tests.proofs.frame import BOTH, POSTGRESQL, Ground, Outcome, proof, twin
from tests.proofs.fuzz.bodies import lawful, text_places, with_text
from tests.proofs.fuzz.park import KNOWN, Fuzzed, a_fuzzed_park, as_path
from tests.proofs.sabotage import replaced
from wms.catalog.service import ensure_lot
from wms.core.call import Call
from wms.core.db import walls
from wms.inbound.service import create_asn, lpn
from wms.migrations.metadata import every_table
from wms.outbound.service.allocation import allocate
from wms.outbound.service.orders import create_order
from wms.packing.tables import Parcel
from wms.people.service import make_key
from wms.people.values import Role
from wms.site.tables import Container

NOBODY = "NOBODYS-1"
WORD = "FOREIGN"  # stands in every code and name of the other merchant
FOREIGN_SLOT, BOX = "A01-02-1A", f"{WORD}-BOX"
# A field of a body that names what is about to be made is no question about somebody else's.
MADE_BY = {
    ("post", "/api/v1/skus"): {"code"},
    ("post", "/api/v1/orders"): {"no"},
    ("post", "/api/v1/asns"): {"no"},
    ("post", "/api/v1/receipts"): {"container", "code"},
}
NOT_THERE = (403, 404)
BOUND = (Role.MERCHANT, Role.INTEGRATOR, Role.MANAGER, Role.ADMIN)


@dataclass(frozen=True)
class Two:
    """A park of two merchants; `keys` are bound to the first, `codes` name everything of the second."""

    fuzzed: Fuzzed
    keys: dict[str, str]
    codes: tuple[str, ...]
    foreign_id: int


def two_merchants(ground: Ground) -> Two:
    """M1 as in every fuzzed park, and a foreign one with goods, an order under way, an arrival and a box."""
    fuzzed = a_fuzzed_park(ground.database())
    foreign_id = fuzzed.park.act(_foreign_goods)
    for no in ("D1", f"{WORD}-O1"):
        fuzzed.park.act(lambda call, no=no: allocate(call, no))  # type: ignore[misc]
    own_id = fuzzed.park.act(lambda call: _merchant_id(call))
    keys = {
        str(role): fuzzed.park.act(lambda call, role=role: make_key(call, role=role, merchant_id=own_id))  # type: ignore[misc]
        for role in BOUND
    }
    return Two(fuzzed, keys, _codes(fuzzed), foreign_id)


def _merchant_id(call: Call) -> int:
    return int(call.session.execute(text("SELECT id FROM merchant WHERE code = 'M1'")).scalar_one())


def _foreign_goods(call: Call) -> int:
    code = f"{WORD}-M"
    sku = a_sku(call, f"{WORD}-S1", code, barcode=f"{WORD}-B1", name=f"{WORD} 机密")
    stock_in(call, sku, FOREIGN_SLOT, 10, f"{WORD}-L1")
    create_asn(call, merchant_code=code, no=f"{WORD}-A1", lines=[(sku.code, 5)])
    given: dict[str, Any] = {"merchant_code": code, "courier": "YUNDA", "cut_offs": ("16:00",)}
    for number in (1, 2):
        create_order(call, no=f"{WORD}-O{number}", lines=[(sku.code, 1, 100)], **given)
    box = lpn(call, BOX, named=True)
    put_goods(call, sku, box.place_id, 3, ensure_lot(call, sku, f"{WORD}-L2"))
    return sku.merchant_id


def _codes(fuzzed: Fuzzed) -> tuple[str, ...]:
    """Every code and number by which the other's things are known."""

    def ask(session: Any) -> list[str]:
        containers = session.scalars(select(Container.code).where(Container.code.like(f"{WORD}%"))).all()
        return [*containers, *session.scalars(select(Parcel.waybill).where(Parcel.waybill.like(f"{WORD}%"))).all()]

    kinds = ("M", "S1", "B1", "A1", "O1", "O2", "L1")
    return (*(f"{WORD}-{kind}" for kind in kinds), *fuzzed.park.read(ask))


@dataclass(frozen=True)
class Question:
    """One call with one foreign code in it."""

    method: str
    path: str
    body: Any
    where: str
    code: str


def questions(two: Two) -> Iterator[Question]:
    """Every text of every call, one after another, put to every foreign code."""
    spec = two.fuzzed.spec
    for path, method, call in two.fuzzed.operations():
        known = {one["name"]: KNOWN.get(one["name"], "1") for one in _in_path(call)}
        schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        body = lawful(spec, schema) if schema else None
        places = [place for place in text_places(spec, schema) if place[-1] in KNOWN] if schema else []
        for code in two.codes:
            for one in _in_path(call):
                if one["schema"].get("type") != "integer":
                    asked = path.format(**{**known, one["name"]: code})
                    yield Question(method, asked, body, f"{method} {path} {one['name']}", code)
            for place in places:
                if place[-1] not in MADE_BY.get((method, path), ()) or (code == BOX and place[-1] == "container"):
                    changed = with_text(body, place, code)
                    where = f"{method} {path} {'.'.join(place)}"
                    yield Question(method, path.format(**known), changed, where, code)


def _in_path(call: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in call.get("parameters", []) if one["in"] == "path"]


def ask_everything(two: Two, codes_max: int) -> tuple[int, list[str]]:
    """Calls made, and what was told or changed that should not have been."""
    client, turns, broken = two.fuzzed.house.app.test_client(), count(1), []
    before = _rows(two)
    shown = two.codes[:codes_max]
    for role, key in two.keys.items():
        for question in questions(Two(two.fuzzed, two.keys, shown, two.foreign_id)):
            headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": f"tenancy-{next(turns)}"}
            answer = client.open(question.path, method=question.method.upper(), json=question.body, headers=headers)
            said = answer.get_data(as_text=True)
            silent = answer.status_code in NOT_THERE or _as_for_nobody(client, question, answer, headers)
            if not silent or _tells(said, question):
                broken.append(f"{role}: {question.where}: {answer.status_code} {said[:120]}")
    if _rows(two) != before:
        broken.append("rows of the other merchant were changed")
    return next(turns) - 1, broken


def _as_for_nobody(client: Any, question: Question, answer: Any, headers: dict[str, str]) -> bool:
    """The same refusal as for a code that nobody has: nothing was learnt."""
    path, body = (
        json.loads(json.dumps(part).replace(question.code, NOBODY)) for part in (question.path, question.body)
    )
    headers = {**headers, "Idempotency-Key": f"{headers['Idempotency-Key']}-nobody"}
    control = client.open(path, method=question.method.upper(), json=body, headers=headers)
    reasons = [(one.get_json() or {}).get("error", {}).get("reason") for one in (answer, control)]
    return reasons[0] is not None and reasons[0] == reasons[1]


def _tells(said: str, question: Question) -> bool:
    """More of the other than the very code that was asked for."""
    asked = f"{question.path} {question.body}"
    return any(found not in asked for found in re.findall(rf'{WORD}[^",\\]*', said))


def _rows(two: Two) -> str:
    """A digest of every row of the other merchant."""
    digest = hashlib.sha256()

    def read(session: Any) -> None:
        for table in walls.walled(every_table()):
            owner = table.c.id if table.name == walls.MERCHANTS else table.c[walls.OWNER]
            for row in session.execute(select(table).where(owner == two.foreign_id).order_by(table.c.id)):
                digest.update(repr(tuple(row)).encode())

    two.fuzzed.park.read(read)
    return digest.hexdigest()


def other_doors(two: Two) -> list[str]:
    """Every other route with a merchant's key: a page for people, a gateway's link, a file; never another's goods."""
    client, broken = two.fuzzed.house.app.test_client(), _in_shared_places(two)
    described = {path for path, _method, _call in two.fuzzed.operations()}
    for rule in two.fuzzed.house.app.url_map.iter_rules():
        if as_path(rule.rule) in described:
            continue
        path = rule.rule.replace("<path:filename>", "none.js").split("<")[0] + ("waves" if "any(" in rule.rule else "")
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            headers = {"Authorization": f"Bearer {two.keys[str(Role.ADMIN)]}"}
            answer = client.open(path, method=method, headers=headers, json={} if method == "POST" else None)
            if WORD in answer.get_data(as_text=True) or answer.status_code >= 500:
                broken.append(f"{method} {rule.rule}: {answer.status_code}")
    return broken


def _in_shared_places(two: Two) -> list[str]:
    """A slot or a box may be looked at; what another has in it is not told."""
    client, headers = two.fuzzed.house.app.test_client(), {"Authorization": f"Bearer {two.keys[str(Role.MERCHANT)]}"}
    answer = client.get(f"/api/v1/codes/{FOREIGN_SLOT}", headers=headers)
    return [f"{FOREIGN_SLOT}: {answer.status_code}"] if WORD in answer.get_data(as_text=True) else []


def judged(ground: Ground, codes: int, *, wall_only: bool = False) -> Outcome:
    """All questions; with `wall_only` every query of ours forgets its merchant."""
    two = two_merchants(ground)
    with ExitStack() as taken_away:
        if wall_only:
            taken_away.enter_context(replaced(Call, merchant_id=property(lambda _call: None)))
        made, broken = ask_everything(two, codes)
    broken += other_doors(two)
    facts = {"roles": len(two.keys), "foreign codes": min(codes, len(two.codes))}
    return Outcome(f"{made:,} calls", (*broken[:20], *ground.audit()), facts=facts)


@proof(
    name="tenancy_of_routes",
    promises=(9,),
    on=BOTH,
    small={"codes": 3},
    full={"codes": 100},
    goal="every route x a foreign code: not there, nothing told, nothing changed",
)
def tenancy_of_routes(ground: Ground, *, codes: int) -> Outcome:
    return judged(ground, codes)


@twin(of="tenancy_of_routes", sabotage="every query forgets its merchant, and no second wall stands")
def forgetful(ground: Ground, *, codes: int) -> Outcome:
    _without_walls(ground)
    return judged(ground, codes, wall_only=True)


def _without_walls(ground: Ground) -> None:
    database = ground.database()
    if database.is_sqlite:
        return
    with database.write_engine.begin() as connection:
        for table in walls.walled(every_table()):
            connection.exec_driver_sql(f'ALTER TABLE "{table.name}" DISABLE ROW LEVEL SECURITY')


def behind_the_wall(ground: Ground, codes: int) -> Outcome:
    """Bare reads of every table as the first merchant, and the questions by queries that forget."""
    two, broken, seen = two_merchants(ground), [], 0
    own_id = two.fuzzed.park.act(_merchant_id)
    for table in walls.walled(every_table()):
        owner = table.c.id if table.name == walls.MERCHANTS else table.c[walls.OWNER]
        foreign = select(table).where(owner == two.foreign_id)
        there = two.fuzzed.park.read(lambda session, foreign=foreign: len(session.execute(foreign).all()))  # type: ignore[misc]
        leaked = two.fuzzed.park.act_for(own_id, lambda call, foreign=foreign: len(call.session.execute(foreign).all()))  # type: ignore[misc]
        seen += there
        if leaked:
            broken.append(f"{leaked} of {there} rows of {table.name} are seen")
    with replaced(Call, merchant_id=property(lambda _call: None)):
        made, told = ask_reads(two, codes)
    facts = {"tables": len(walls.walled(every_table())), "foreign rows": seen}
    return Outcome(f"{made} forgetful reads", (*broken, *told), facts=facts)


def ask_reads(two: Two, codes: int) -> tuple[int, list[str]]:
    """Only what is read: a forgetful write cannot be asked to answer well, only to change nothing."""
    client, made, broken, before = two.fuzzed.house.app.test_client(), 0, [], _rows(two)
    shown = Two(two.fuzzed, two.keys, two.codes[:codes], two.foreign_id)
    for question in questions(shown):
        headers = {"Authorization": f"Bearer {two.keys[str(Role.MERCHANT)]}", "Idempotency-Key": f"wall-{made}"}
        answer = client.open(question.path, method=question.method.upper(), json=question.body, headers=headers)
        made += 1
        if _tells(answer.get_data(as_text=True), question):
            broken.append(f"{question.where}: {answer.get_data(as_text=True)[:120]}")
    if _rows(two) != before:
        broken.append("rows of the other merchant were changed")
    return made, broken[:20]


@proof(
    name="tenancy_of_the_database",
    promises=(9,),
    on=(POSTGRESQL,),
    small={"codes": 4},
    full={"codes": 100},
    goal="queries that forget their merchant see and change nothing of another's",
)
def tenancy_of_the_database(ground: Ground, *, codes: int) -> Outcome:
    return behind_the_wall(ground, codes)


@twin(of="tenancy_of_the_database", sabotage="row level security is off")
def no_wall(ground: Ground, *, codes: int) -> Outcome:
    _without_walls(ground)
    return behind_the_wall(ground, codes)
