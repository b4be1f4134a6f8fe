"""Waves: gathered, checked, planned, released, and one batch on its map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from markupsafe import Markup

from wms.outbound.queries import WaveFacts
from wms.outbound.values import WaveState
from wms.site.map import map_svg
from wms.terminal.queries import wave_plan as wave_plan_queries
from wms.terminal.queries import waves as queries
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.waves import Waiting, Walked, WaveCard
from wms.terminal.sections import wave_plan
from wms.terminal.sections.common import Asked, Part
from wms.terminal.sections.wave_plan import Planned, km
from wms.terminal.values import Figure, Words

VIEWS = ("gantt", "table")


def waves_section(asked: Asked) -> list[Part]:
    look, reader = asked.look, asked.reader
    waiting, cards = queries.waiting(look), queries.cards(look)
    card = _chosen(asked, cards)
    shown = wave_plan.planned(asked, card)
    walked = _walked_plan(asked, card, shown) if card and shown else _walked_batches(asked, card)
    late = {(row.courier, row.at): end.late for row, end in flow_of_today(look).rows if end.late}
    chosen = card.facts.no if card else ""
    listed = {
        "waiting": waiting,
        "cards": cards,
        "chosen": chosen,
        "km": km,
        "saved": _saved,
        "state_of": lambda one: wave_plan.state_of(asked, one),
        "latest": shown.forecast.outlook.latest_start if shown else None,
        "troubled": lambda no: any(one.facts.no == no and _late(one, late) for one in cards),
        "gathering": [one.job.value for one in asked.planner.busy_with(look.warehouse_id) if not one.wave],
    }
    figures = _plan_figures(card, shown) if card and shown else _figures(waiting, cards)
    below = _below(asked, card, shown, walked)
    return [
        Part("figures", "figures", {"figures": figures, "prefix": "terminal.wave_figure"}),
        Part("wave_list", "wave_list", listed, reader.say("terminal.section.waves")),
        Part("wave_map", "wave_map", {**walked, "cards": cards}, reader.say("terminal.batch.none")),
        Part("plan_curve", "plan_curve", wave_plan.curve(asked, card), reader.say("terminal.curve")),
        Part("plan_why", "plan_why", wave_plan.why_late(asked, card, shown), reader.say("terminal.why")),
        Part("wave_batches", "plan_gantt" if shown else "wave_batches", below, reader.say("terminal.batches")),
        Part(
            "wave_release",
            "wave_release",
            wave_plan.release(asked, card, shown, _late(card, late) if card else 0),
            reader.say("terminal.release"),
        ),
    ]


def _below(asked: Asked, card: WaveCard | None, shown: Planned | None, walked: dict[str, Any]) -> dict[str, Any]:
    known = {"chosen": card.facts.no if card else "", "drawn_no": walked.get("no", ""), "views": VIEWS}
    if card is not None and shown is not None:
        return {**known, **wave_plan.gantt(asked, card, shown), "view": asked.option("view", VIEWS)}
    return {**known, "batches": walked.get("batches", [])}


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


def _plan_figures(card: WaveCard, shown: Planned) -> list[Figure]:
    """What the plan in front of one comes to."""
    plan, outlook, facts = shown.plan, shown.forecast.outlook, wave_plan.facts_of(shown)
    trend = [mm / 1_000_000 for _, mm in plan.points]
    gap = 100 * (1 - plan.lower_bound_mm / plan.walk_mm) if plan.walk_mm else 0
    less = {name: wave_plan.change(plan.walk_mm, getattr(plan, f"{name}_mm")) for name in ("s_shape", "first_come")}
    people = {"people": len(shown.forecast.pickers), "end": outlook.end or card.facts.cut_off_at}
    late = outlook.late_orders
    lines = Words("terminal.wave_figure.planned.note", {"lines": f"{card.lines:,}", "stops": f"{plan.stops:,}"})
    each = {"orders": f"{plan.orders / max(1, facts['batches']):.1f}"}
    return [
        Figure("planned", f"{plan.orders:,}", Words("terminal.unit.orders"), lines),
        Figure(
            "batches",
            f"{facts['batches']:,}",
            Words("terminal.unit.batches"),
            Words("terminal.wave_figure.batches.note", each),
        ),
        Figure(
            "plan_walk",
            km(facts["walk_m"]),
            Words("terminal.unit.km"),
            Words("terminal.wave_figure.plan_walk.note", less),
            trend,
        ),
        Figure(
            "hours",
            f"{facts['hours']:.1f}",
            Words("terminal.unit.hours"),
            Words("terminal.wave_figure.hours.note", people),
        ),
        Figure("late", f"{late:,}", Words("terminal.unit.orders"), _late_note(shown), priority=1 if late else 0),
        Figure(
            "gap",
            f"{gap:.1f}",
            Words("terminal.unit.percent"),
            Words("terminal.wave_figure.gap.note", {"km": km(plan.lower_bound_mm // 1_000)}),
        ),
    ]


def _late_note(shown: Planned) -> Words:
    latest = shown.forecast.outlook.latest_start
    return (
        Words("terminal.wave_figure.late.note", {"latest": latest})
        if latest
        else Words("terminal.wave_figure.late.none")
    )


def _walked_plan(asked: Asked, card: WaveCard, shown: Planned) -> dict[str, Any]:
    """One batch of a plan on its map, with the way to the ones beside it."""
    if not shown.parts:
        return {"drawn": None}
    numbers = {wave_plan_queries.part_no(card.facts.no, part.number): part for part in shown.parts}
    part = numbers.get(asked.options.get("batch", ""), shown.parts[0])
    no = wave_plan_queries.part_no(card.facts.no, part.number)
    drawn = wave_plan_queries.drawn_part(asked.look, card.facts.no, shown.plan, part, asked.reader.language)
    nearer_m = (part.promised_mm - part.walk_mm) // 1_000
    facts: dict[str, Any] = {"orders": part.orders, "stops": part.stops, "pieces": part.pieces}
    facts |= {"optimal": part.optimal, "nearer": f"{nearer_m:,}" if nearer_m > 0 else ""}
    names = list(numbers)
    return _walked(card, drawn, no, names, part.walk_mm, part.s_shape_mm, facts)


def _walked_batches(asked: Asked, card: WaveCard | None) -> dict[str, Any]:
    """One batch on the floor on its map."""
    batches = queries.batches_of(asked.look, card.facts.no) if card else []
    if card is None or not batches:
        return {"drawn": None, "batches": []}
    named = next((one for one in batches if one.no == asked.options.get("batch", "")), batches[0])
    drawn = queries.drawn_batch(
        asked.look, named, asked.reader.say("terminal.batch", no=named.no), asked.reader.language
    )
    facts = {"orders": named.orders, "stops": named.stops, "pieces": named.pieces, "optimal": False}
    walked = _walked(card, drawn, named.no, [one.no for one in batches], named.walk_mm, named.s_shape_mm, facts)
    return {**walked, "batches": batches}


def _walked(
    card: WaveCard, drawn: Walked, no: str, names: list[str], walk_mm: int, s_shape_mm: int, facts: dict[str, Any]
) -> dict[str, Any]:
    here = names.index(no)
    return {
        "drawn": drawn,
        "no": no,
        "facts": facts,
        "walk_m": walk_mm // 1_000,
        "s_shape_m": s_shape_mm // 1_000,
        "percent": wave_plan.change(walk_mm, s_shape_mm),
        "svg": Markup(map_svg(drawn.plan)),
        "view": drawn.plan.view,  # the same window, so that the stops lie on their slots
        "marks": _marks(drawn),
        "before": _address(card, names[here - 1]) if here else None,
        "after": _address(card, names[here + 1]) if here + 1 < len(names) else None,
    }


def _address(card: WaveCard, no: str) -> str:
    return f"/terminal/waves?wave={quote(card.facts.no)}&batch={quote(no)}"


def _marks(drawn: Walked) -> list[dict[str, Any]]:
    marks = []
    for one in drawn.stops:
        x, y = drawn.plan.place(one.x_mm, one.y_mm)
        facts = {"number": one.number, "slot": one.slot, "pieces": one.pieces, "done": one.done}
        marks.append({**facts, "x": round(x, 2), "y": round(y, 2)})
    return marks
