"""The example on the demo park, smaller: bays divided anew really take more SKUs, at the work the plan told."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from scripts.benches.redivision import an_example, carried_out, opened, planned, stowed
from tests.builders import SMALL_HALL
from wms.core.db import Database
from wms.site import generator
from wms.site.service import make_warehouse

COMING, BAYS = 120, 3


def a_small_hall(session: Session, now: datetime, *, seed: int) -> int:
    """Twelve bays of bins and twelve of shelves, beside pallets and bonded bins."""
    warehouse_id = make_warehouse(session, now, "1", f"{seed} 号仓", "Asia/Shanghai")
    generator.build_hall(session, warehouse_id, SMALL_HALL)
    return warehouse_id


def test_more_skus_are_really_stowed_after_it_at_the_work_the_plan_told(
    sqlite_database: Database, tmp_path: Path
) -> None:
    before = stowed(an_example(sqlite_database, COMING, seed=1, build=a_small_hall))
    with opened(tmp_path / "after.db") as database:
        park = an_example(database, COMING, seed=1, build=a_small_hall)
        plan = planned(park, BAYS)
        done = carried_out(park)
        after = stowed(park)
    assert before.audit_ok
    assert after.audit_ok
    assert before.skus < COMING
    assert plan["accepted"] == plan["bays"] == done["bays_divided"]
    assert done["goods_moved"] == plan["goods_to_move"]
    assert done["labels_hung"] == plan["slots_after"]
    assert after.skus > before.skus
    assert after.litres > before.litres
    told = plan["skus_after"] - plan["skus_before"]
    assert abs(after.skus - before.skus - told) <= 0.2 * told
