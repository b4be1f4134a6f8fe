"""Racks divided anew on the demo park: how many more SKUs find room, at what work, by really stowing them.

Two parks are built alike from a seed: six thousand slots, bays as full as they happen to be, and far more announced
than fits. In one the announced goods are received and put away through the dock's own service until nothing is left
that fits. In the other the plan's bays are divided first, task by task as people would, and the same goods are put away
in the same order. Both must keep every promise.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from wms.auditing import broken_promises
from wms.catalog import queries as catalog_queries
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.core.refusal import Refused
from wms.inbound import service as inbound
from wms.inbound.queries import asn_by_no, coming
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.migrations import commands
from wms.optimise.slotting.divide import choose
from wms.people import service as people
from wms.people.values import Role, rights_of
from wms.site import generator, racks
from wms.site.rules import Parts
from wms.slotting import dividing, moving
from wms.slotting.division_plan import plan_divisions
from wms.slotting.division_queries import divisions, newest_division_plan
from wms.slotting.emptying import DIVIDE_TASK
from wms.slotting.moving import MOVE_TASK
from wms.work import service as work

MORNING = datetime(2026, 11, 7, 0, 0, tzinfo=UTC)
PIECES = 12
TASKS_MAX = 20_000
BINS_FULL, SHELVES_FULL = 0.97, (0.15, 0.95)  # shares of the slots of a bay


@dataclass(frozen=True, slots=True)
class Example:
    """A park before anything came: who works there, and what is announced, in the order in which it comes."""

    database: Database
    warehouse_id: int
    clock: HandClock
    who: Who
    announced: tuple[SkuFacts, ...]

    def act(self, do: Callable[[Call], Any]) -> Any:
        """One command of the person who works here."""
        return system_call(self.database, self.clock, self.warehouse_id, do, request_id=new_id(), who=self.who)


@dataclass(frozen=True, slots=True)
class Stowed:
    """What found room, and whether every promise holds after it."""

    skus: int
    litres: int
    audit_ok: bool


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser("redivision", help="more SKUs in the same racks: divided anew, and really stowed")
    parser.add_argument("--coming", type=int, default=1_800, help="announced SKUs (1,800)")
    parser.add_argument("--bays", type=int, default=40, help="bays a plan may divide (40)")
    parser.add_argument("--seed", type=int, default=1, help="goods and how full the bays are (1)")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure and print; 1 when no more SKUs find room, or a promise is broken."""
    found = []
    with tempfile.TemporaryDirectory(prefix="chuwei-bench-") as name:
        for row in _measured(Path(name), given.coming, given.bays, given.seed):
            print(json.dumps(row), flush=True)
            found.append(row)
    return 0 if found[-1]["more_skus"] > 0 and found[-1]["audit_ok"] else 1


def _measured(folder: Path, count: int, bays_max: int, seed: int) -> Iterator[dict[str, Any]]:
    with opened(folder / "before.db") as database:
        park = an_example(database, count, seed)
        print("stowing in the racks as they are ...", file=sys.stderr)
        before = stowed(park)
    yield {"measure": "as it is", "announced": count, **_row(before)}
    with opened(folder / "after.db") as database:
        park = an_example(database, count, seed)
        print("planning, and dividing the bays ...", file=sys.stderr)
        plan = planned(park, bays_max)
        yield {"measure": "plan", **plan}
        yield {"measure": "work", **carried_out(park)}
        print("stowing in the racks divided anew ...", file=sys.stderr)
        after = stowed(park)
    yield {
        "measure": "divided anew",
        "announced": count,
        **_row(after),
        "more_skus": after.skus - before.skus,
        "more_litres": after.litres - before.litres,
    }


@contextmanager
def opened(path: Path) -> Iterator[Database]:
    """A fresh database file for a while."""
    commands.upgrade(f"sqlite:///{path}")
    database = Database.open(f"sqlite:///{path}")
    try:
        yield database
    finally:
        database.dispose()


def _row(found: Stowed) -> dict[str, Any]:
    return {"skus": found.skus, "litres": found.litres, "audit_ok": found.audit_ok}


def an_example(database: Database, count: int, seed: int, build: Callable[..., int] = generator.build_park) -> Example:
    """A park filled and announced to by a seed: the same seed, the same park, goods and order of arrival."""
    dice, clock = random.Random(seed), HandClock(MORNING)
    warehouse_id = database.transact(lambda session: build(session, MORNING, seed=seed))

    def settle(call: Call) -> tuple[int, list[int]]:
        catalog.add_merchant(call, code="M1", name="山核桃铺")
        racks.set_spare_parts(call, 600, Parts(160, 900))
        person_id = people.add_person(call, badge="W1", name="林小满", role=Role.WORKER)
        _fill(call, dice)
        announced = [_sku(call, dice, f"N{number:05d}") for number in range(count)]
        lines = [(sku.code, PIECES) for sku in announced]
        inbound.create_asn(call, no="N1", merchant_code="M1", lines=lines)
        return person_id, [sku.id for sku in announced]

    person_id, ids = system_call(database, clock, warehouse_id, settle, request_id="settle")
    who = Who(f"person:{person_id}", warehouse_id, rights_of(Role.WORKER), person_id=person_id)
    skus = database.read(lambda session: catalog_queries.skus_by_id(session, warehouse_id, ids))
    return Example(database, warehouse_id, clock, who, tuple(skus[each] for each in ids))


def _sku(call: Call, dice: random.Random, code: str) -> SkuFacts:
    """Village goods and small imports: from a jar to a carton; all fit a bin, a dozen of a sort at a time."""
    sides = sorted(dice.triangular(40, 300, 110) for _ in range(3))
    length_mm, width_mm, height_mm = (round(side) for side in reversed(sides))
    sku_id = catalog.add_sku(
        call,
        merchant_code="M1",
        code=code,
        name=f"商品 {code}",
        barcodes=[(f"69{code[1:]:0>10}0" if code[0] == "N" else f"68{code[1:]:0>10}0", 1)],
        length_mm=length_mm,
        width_mm=width_mm,
        height_mm=height_mm,
        weight_g=round(length_mm * width_mm * height_mm / 1_000 * dice.uniform(0.15, 0.5)) + 20,
    )
    return catalog_queries.sku_by_id(call.session, call.warehouse_id, sku_id)


def _fill(call: Call, dice: random.Random) -> None:
    """Bays of bins are nearly full, bays of shelves as full as they happen to be: some nearly empty, some packed."""
    supplier = ledger.virtual_id(call.session, call.warehouse_id, Virtual.SUPPLIER)
    movements, number = [], 0
    for rack in racks.racks(call.session, call.warehouse_id):
        if rack.zone_kind != "storage":
            continue
        full = BINS_FULL if rack.profile == "bin" else dice.uniform(*SHELVES_FULL)
        for slot in rack.slots:
            if slot.blocked or dice.random() > full:
                continue
            sku = _sku(call, dice, f"S{number:05d}")
            number += 1
            room = slot.width_mm * slot.depth_mm * slot.height_mm * 0.9
            most = min(int(room // max(1, sku.volume_mm3)), slot.weight_max_g // max(1, sku.weight_g))
            lot = catalog.ensure_lot(call, sku)
            pieces = min(dice.randint(6, 60), most)
            movements.append(
                Movement(MovementKind.RECEIPT, sku.merchant_id, supplier, slot.place_id, sku.id, lot, pieces)
            )
    ledger.post(call, movements)


def stowed(park: Example) -> Stowed:
    """Receive every announced SKU and put it where the system chooses, in the order of arrival; what found room."""
    asn = park.database.read(lambda session: asn_by_no(session, park.warehouse_id, "N1"))
    skus = litres_mm3 = 0
    for sku in park.announced:

        def come(call: Call, sku: SkuFacts = sku) -> bool:
            box = inbound.lpn(call, None)
            inbound.receive(call, sku=sku, quantity=PIECES, container=box, asn_id=asn.id)
            try:
                with call.session.begin_nested():
                    inbound.put_away(call, container=box)
            except Refused:
                return False
            return True

        if park.act(come):
            skus, litres_mm3 = skus + 1, litres_mm3 + sku.volume_mm3 * PIECES
    return Stowed(skus, litres_mm3 // 1_000_000, not any(breaks for _, breaks in broken_promises(park.database)))


def planned(park: Example, bays_max: int) -> dict[str, Any]:
    """Plan and accept all of it; what the plan says."""
    plan_divisions(
        park.database,
        park.clock,
        park.warehouse_id,
        lambda session: coming(session, park.warehouse_id),
        bays_max=bays_max,
        think=choose,
    )
    plan = park.database.read(lambda session: newest_division_plan(session, park.warehouse_id))
    bays = park.database.read(lambda session: divisions(session, park.warehouse_id, ["proposed"]))
    assert plan is not None, "it was made just now"
    accepted = park.act(lambda call: dividing.accept(call, [one.id for one in bays]))
    cost, gain = sum(one.cost_cents for one in bays), sum(one.gain_cents_month for one in bays)
    return {
        "skus_before": plan.skus_before,
        "skus_after": plan.skus_after,
        "litres_before": plan.litres_before,
        "litres_after": plan.litres_after,
        "share_before": round(plan.share_before, 4),
        "share_after": round(plan.share_after, 4),
        "optimal": plan.optimal,
        "bays": len(bays),
        "accepted": accepted,
        "slots_before": sum(one.slots_before for one in bays),
        "slots_after": sum(one.slots_after for one in bays),
        "goods_to_move": sum(one.goods for one in bays),
        "beams": sum(one.beams for one in bays),
        "dividers": sum(one.dividers for one in bays),
        "minutes": sum(one.minutes for one in bays),
        "cost_yuan": round(cost / 100, 2),
        "gain_yuan_month": round(gain / 100, 2),
        "payback_days": round(365 / 12 * cost / max(1, gain), 1),
        "left_alone": {why: each[0] for why, each in sorted(plan.kept.items())},
    }


def carried_out(park: Example) -> dict[str, Any]:
    """Every task of it from the board, step by step, until none is left; what was done."""
    moves = bays = labels = 0
    for _ in range(TASKS_MAX):
        task = park.act(lambda call: work.claim_next(call, [MOVE_TASK, DIVIDE_TASK]))
        if task is None:
            break
        if task.kind == MOVE_TASK:
            moves += _carry(park, int(task.facts["proposal"]))
        else:
            labels += _divide(park, int(task.facts["division"]))
            bays += 1
    return {"bays_divided": bays, "goods_moved": moves, "labels_hung": labels}


def _carry(park: Example, proposal: int) -> int:
    found = park.act(lambda call: moving.set_out(call, proposal))
    if isinstance(found, Refused):
        return 0
    park.act(lambda call: moving.put_down(call, proposal, found.target.code))
    return 1


def _divide(park: Example, division: int) -> int:
    code = park.act(lambda call: dividing.cutting(call, division)).rack.slots[0].code
    park.act(lambda call: dividing.begin(call, division, code))
    now = park.act(lambda call: dividing.parts_changed(call, division))
    for slot in now.waiting:
        park.act(partial(dividing.label_hung, division_id=division, slot_code=slot))
    return len(now.waiting)
