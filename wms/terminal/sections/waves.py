"""Waves: gathered, checked, planned, released, and one batch on its map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from wms.outbound.queries import WaveFacts
from wms.outbound.values import WaveState
from wms.picking.queries import OpenBatch
from wms.site.map import MARGIN_M, FloorPlan, map_svg
from wms.terminal.queries import waves as queries
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.waves import DrawnBatch, Waiting, WaveCard
from wms.terminal.sections.common import Asked, Part
from wms.terminal.values import STOP, WARN, Figure, Words

Check = tuple[int, str]


def waves_section(asked: Asked) -> list[Part]:
    look, reader = asked.look, asked.reader
    waiting, cards = queries.waiting(look), queries.cards(look)
    card = _chosen(asked, cards)
    batches = queries.batches_of(look, card.facts.no) if card else []
    batch = _batch(asked, batches)
    drawn = (
        queries.drawn_batch(look, batch, reader.say("terminal.batch", no=batch.no), reader.language) if batch else None
    )
    late = {(row.courier, row.at): end.late for row, end in flow_of_today(look).rows if end.late}
    chosen = card.facts.no if card else ""
    listed = {
        "waiting": waiting,
        "cards": cards,
        "chosen": chosen,
        "km": km,
        "saved": _saved,
        "troubled": lambda no: any(one.facts.no == no and _late(one, late) for one in cards),
    }
    return [
        Part("figures", "figures", {"figures": _figures(waiting, cards), "prefix": "terminal.wave_figure"}),
        Part("wave_list", "wave_list", listed, reader.say("terminal.section.waves")),
        Part("wave_map", "wave_map", _map(card, batches, drawn, cards), reader.say("terminal.batch.none")),
        Part(
            "wave_batches",
            "wave_batches",
            {"batches": batches, "chosen": chosen, "drawn_no": batch.no if batch else ""},
            reader.say("terminal.batches"),
        ),
        Part("wave_release", "wave_release", _release(asked, card, late), reader.say("terminal.release")),
    ]


def km(metres: int) -> str:
    return f"{metres / 1000:.1f}" if metres >= 950 else f"{metres / 1000:.2f}"


def _saved(wave: WaveFacts) -> int:
    """Percent less than the S-shape through the same batches."""
    return round(100 * (1 - wave.walk_m / wave.s_shape_m))


def _late(card: WaveCard, late: dict[Any, int]) -> int:
    open_states = (WaveState.DRAFT, WaveState.PLANNING, WaveState.RELEASED)
    return late.get((card.facts.courier, card.facts.cut_off_at), 0) if card.facts.state in open_states else 0


def _chosen(asked: Asked, cards: Sequence[WaveCard]) -> WaveCard | None:
    """The wave of the address, else the first that still waits to be released, else the first."""
    named = next((one for one in cards if one.facts.no == asked.options.get("wave", "")), None)
    draft = next((one for one in cards if one.facts.state is WaveState.DRAFT), None)
    return named or draft or (cards[0] if cards else None)


def _batch(asked: Asked, batches: Sequence[OpenBatch]) -> OpenBatch | None:
    named = next((one for one in batches if one.no == asked.options.get("batch", "")), None)
    return named or (batches[0] if batches else None)


def _figures(waiting: Sequence[Waiting], cards: Sequence[WaveCard]) -> list[Figure]:
    drafts = [one for one in cards if one.facts.state in (WaveState.DRAFT, WaveState.PLANNING)]
    planned = [one for one in cards if one.facts.walk_m]
    walk_m, s_shape_m = (sum(getattr(one.facts, name) for one in planned) for name in ("walk_m", "s_shape_m"))
    compared = [one for one in planned if one.first_come_m]
    first_come_m = sum(one.first_come_m or 0 for one in compared)
    compared_m = sum(one.facts.walk_m for one in compared)
    orders, percent = Words("terminal.unit.orders"), Words("terminal.unit.percent")
    waiting_orders = sum(one.orders for one in waiting)
    note = Words("terminal.wave_figure.waiting.note", {"lines": f"{sum(one.lines for one in waiting):,}"})
    drafted = sum(one.facts.orders for one in drafts)
    released = [one for one in cards if one.facts.state is WaveState.RELEASED]
    batches = sum(one.batches for one in cards)
    return [
        Figure("waiting", f"{waiting_orders:,}", orders, note),
        Figure("drafted", f"{drafted:,}", orders, Words("terminal.wave_figure.drafted.note", {"waves": len(drafts)})),
        Figure(
            "released",
            f"{sum(one.facts.orders for one in released):,}",
            orders,
            Words("terminal.wave_figure.released.note", {"waves": len(released), "batches": batches}),
        ),
        Figure("walk", km(walk_m) if planned else None, Words("terminal.unit.km"), _walk_note(walk_m, s_shape_m)),
        Figure("first_come", _percent(compared_m, first_come_m), percent, _first_note(first_come_m)),
    ]


def _walk_note(walk_m: int, s_shape_m: int) -> Words:
    if not s_shape_m:
        return Words("terminal.wave_figure.walk.none")
    facts = {"s_shape": km(s_shape_m), "percent": round(100 * (1 - walk_m / s_shape_m))}
    return Words("terminal.wave_figure.walk.note", facts)


def _percent(walk_m: int, first_come_m: int) -> str | None:
    return f"{100 * (1 - walk_m / first_come_m):.0f}" if first_come_m else None


def _first_note(first_come_m: int) -> Words:
    if not first_come_m:
        return Words("terminal.wave_figure.walk.none")
    return Words("terminal.wave_figure.first_come.note", {"first_come": km(first_come_m)})


def _map(
    card: WaveCard | None, batches: Sequence[OpenBatch], drawn: DrawnBatch | None, cards: Sequence[WaveCard]
) -> dict[str, Any]:
    if drawn is None or card is None:
        return {"drawn": None, "cards": cards}
    here = next(number for number, one in enumerate(batches) if one.id == drawn.batch.id)
    s_shape_mm = drawn.batch.s_shape_mm
    return {
        "drawn": drawn,
        "svg": Markup(map_svg(drawn.plan)),
        "view": _view(drawn.plan),
        "marks": _marks(drawn),
        "percent": round(100 * (1 - drawn.batch.walk_mm / s_shape_mm)) if s_shape_mm else 0,
        "before": _address(card, batches[here - 1]) if here else None,
        "after": _address(card, batches[here + 1]) if here + 1 < len(batches) else None,
        "cards": cards,
    }


def _address(card: WaveCard, batch: OpenBatch) -> str:
    return f"/terminal/waves?wave={quote(card.facts.no)}&batch={quote(batch.no)}"


def _view(plan: FloorPlan) -> str:
    """The same window as the plan's, so that the stops lie on their slots."""
    width, depth = plan.width_mm / 1000 + 2 * MARGIN_M, plan.depth_mm / 1000 + 2 * MARGIN_M
    return f"{-MARGIN_M:g} {-MARGIN_M:g} {width:g} {depth:g}"


def _marks(drawn: DrawnBatch) -> list[dict[str, Any]]:
    depth_mm = drawn.plan.depth_mm
    return [
        {
            "number": one.number,
            "slot": one.slot,
            "pieces": one.pieces,
            "done": one.done,
            "x": one.x_mm / 1000,
            "y": (depth_mm - one.y_mm) / 1000,
        }
        for one in drawn.stops
    ]


def _release(asked: Asked, card: WaveCard | None, late: dict[Any, int]) -> dict[str, Any]:
    if card is None:
        return {"card": None, "chosen": ""}
    facts = card.facts
    longest = max(facts.walk_m, facts.s_shape_m, card.first_come_m or 0)
    checks = _checks(asked, card, _late(card, late))
    progress = _progress(asked, facts.no)
    return {"card": card, "chosen": facts.no, "km": km, "longest": longest, "checks": checks, "progress": progress}


def _checks(asked: Asked, card: WaveCard, late: int) -> list[Check]:
    """What a supervisor would look at before he presses: told above the button."""
    say, facts = asked.reader.say, card.facts
    checks: list[Check] = []
    if facts.state is WaveState.DRAFT:
        checks.append((0, say("terminal.check.promised", orders=f"{facts.orders:,}", lines=f"{card.lines:,}")))
        checks.append((0, say("terminal.check.carts")))
        checks.append((0, say("terminal.check.no_scan_waits")))
    elif card.batches:
        checks.append((0, say("terminal.check.batches", batches=card.batches, done=card.batches_done)))
    if late:
        checks.append((STOP, say("terminal.check.late", orders=f"{late:,}")))
    elif facts.cut_off_at < asked.look.now and facts.state is not WaveState.DONE:
        checks.append((WARN, say("terminal.check.passed")))
    else:
        checks.append((0, say("terminal.check.in_time")))
    return checks


def _progress(asked: Asked, wave_no: str) -> str:
    """How far the planner is with it, or why it gave up."""
    progress = asked.planner.progress(asked.look.warehouse_id, wave_no)
    if progress is None or progress.step == "released":
        return ""
    if progress.no is not None:
        why = asked.reader.say(f"reason.{progress.no.reason.value}", **progress.no.facts)
        return asked.reader.say("terminal.progress.failed", why=why)
    return asked.reader.say(f"terminal.progress.{progress.step}", s=asked.planner.seconds_left(progress))
