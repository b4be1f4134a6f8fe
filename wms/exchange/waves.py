"""Release of a wave: read, solve outside of any transaction, then write batches and release in one command.

Planning is slow and pure. It never holds the writer, so nobody's scan waits for it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wms.core.call import Call, Who
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.perform import Outcome, perform
from wms.outbound.service.allocation import allocate_waiting
from wms.outbound.service.waves import make_waves, release_wave
from wms.outbound.values import Allocation
from wms.picking.rules.planning import solve
from wms.picking.service.planning import apply_plan, prepare_wave

PASSES_MAX = 25


def plan_and_release(
    db: Database,
    clock: Clock,
    who: Who,
    request_id: str,
    wave_no: str,
    *,
    cancelled: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Plan a draft wave and release it with its batches. Asked twice, released once.

    The outcome's content: wave, orders, batches, walk_m, s_shape_m. Raises WAVE_UNKNOWN, WAVE_STATE_WRONG before
    anything is written.
    """
    problem = db.read(lambda session: prepare_wave(session, who.warehouse_id, wave_no))
    plan = solve(problem, cancelled)

    def release(call: Call) -> dict[str, Any]:
        orders = release_wave(call, wave_no)
        planned = apply_plan(call, wave_no, plan)
        call.wakes.add("live")
        return {
            "wave": wave_no,
            "orders": orders,
            "batches": len(planned.batches),
            "walk_m": planned.walk_mm // 1000,
            "s_shape_m": planned.s_shape_mm // 1000,
        }

    return perform(db, clock, who, request_id, f"release {wave_no}", release)


def allocate_and_make(call: Call) -> dict[str, Any]:
    """Promise stock to the orders that wait for it, most urgent first, and put those ready into draft waves."""
    done = [one for _pass in range(PASSES_MAX) for one in _some(call)]
    return {
        "allocated": sum(one.allocated for one in done),
        "short": sum(one.short for one in done),
        "waves": make_waves(call),
    }


def _some(call: Call) -> list[Allocation]:
    """One pass, as long as a pass still finds goods for somebody."""
    done = allocate_waiting(call)
    return done if any(one.allocated for one in done) else []
