"""A wave's plan: how good it is, whom it leaves late and why, who picks what when, and the button that releases it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wms.exchange.waves import THINK_S
from wms.outbound.values import WaveState
from wms.picking.queries.plans import PlanFacts, PlannedPart, parts_of_plan
from wms.picking.service.pace import paces
from wms.picking.values import LOST_AFTER, PlanState, Wish
from wms.terminal import plan_drawing
from wms.terminal.queries import wave_plan as queries
from wms.terminal.queries.flow import flow_of_today
from wms.terminal.queries.wave_plan import Forecast
from wms.terminal.queries.waves import WaveCard
from wms.terminal.sections.common import Asked
from wms.terminal.values import STOP, WARN, Deed, Words

Check = tuple[int, str]
LONGER_S = 60
ROWS_A_PAGE = 60
NO_PLAN = (PlanState.FAILED, PlanState.LOST, PlanState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Planned:
    """What the panels of a planned wave are drawn from."""

    plan: PlanFacts
    parts: Sequence[PlannedPart]
    forecast: Forecast


@dataclass(frozen=True, slots=True)
class Why:
    """Orders that will miss their cut-off, the reason, and what would help: an address or a deed."""

    priority: int
    what: Words
    note: Words
    label: Words | None = None
    option: str = ""
    deed: Deed | None = None


def planned(asked: Asked, card: WaveCard | None) -> Planned | None:
    """The plan of a draft that is ready to be looked at."""
    if card is None or card.plan is None or card.plan.state not in (PlanState.READY, PlanState.RELEASING):
        return None
    parts = parts_of_plan(asked.look.session, card.plan.id)
    people = asked.options.get("people", "")
    pace = paces(asked.look.session, asked.look.warehouse_id)
    wanted = int(people) if people.isascii() and people.isdecimal() else None
    return Planned(card.plan, parts, queries.forecast(asked.look, card, parts, wanted, pace))


def state_of(asked: Asked, card: WaveCard | None) -> str:
    """Where a wave's plan stands: none, lost (nobody reckons it), broken_off (half released), or its own state."""
    if card is None or card.plan is None or card.facts.state in (WaveState.RELEASED, WaveState.DONE):
        return "none"
    silent = card.plan.beat_at < asked.look.wall - LOST_AFTER
    if card.plan.state in (PlanState.WAITING, PlanState.RUNNING):
        return "lost" if silent else card.plan.state.value
    if card.plan.state is PlanState.RELEASING and silent:
        return "broken_off"
    return card.plan.state.value


def curve(asked: Asked, card: WaveCard | None) -> dict[str, Any]:
    """How the plan got shorter, and its progress while it is reckoned."""
    state = state_of(asked, card)
    if card is None or card.plan is None or state == "none":
        return {"state": "none", "plan": None, "plot": "", "card": card}
    plan = card.plan
    gap = 100 * (1 - plan.lower_bound_mm / plan.walk_mm) if plan.walk_mm and plan.lower_bound_mm else None
    return {
        "state": state,
        "plan": plan,
        "card": card,
        "plot": plan_drawing.curve(plan, asked.reader) if plan.points and state not in ("lost", "failed") else "",
        "gap": None if gap is None else f"{gap:.1f}",
        "seconds": f"{plan.spent_ms / 1_000:.0f}",
        "percent": min(100, round(plan.spent_ms / 10 / max(1, plan.think_s))),
        "stopping": plan.wish == Wish.STOP.value,
        "km": km,
        "why": _failure(asked, plan),
    }


def _failure(asked: Asked, plan: PlanFacts) -> str:
    if plan.state is not PlanState.FAILED or not plan.why:
        return ""
    return asked.reader.say(f"reason.{plan.why['reason']}", **plan.why.get("facts", {}))


def why_late(asked: Asked, card: WaveCard | None, shown: Planned | None) -> dict[str, Any]:
    """Whom the plan leaves late and why, each with its cure; else by how much all are in time."""
    if card is None or shown is None:
        return {"rows": [], "late": 0, "shown": None}
    look = shown.forecast.outlook
    rows = [*_late_rows(card, shown), *_short_rows(asked, card)]
    early = max(0, card.facts.orders - look.late_orders)
    return {
        "rows": rows,
        "late": look.late_orders,
        "shown": shown,
        "early": f"{early:,}",
        "margin": look.margin,
        "latest": look.latest_start,
        "end": look.end,
        "people": len(shown.forecast.pickers),
        "assumed": shown.forecast.assumed,
    }


def _late_rows(card: WaveCard, shown: Planned) -> list[Why]:
    found = shown.forecast.outlook
    if not found.late_orders:
        return []
    own = [turn for turn in found.turns if turn.piece.planned]
    worst = max(turn.end - turn.piece.due_at for turn in own if turn.late)
    facts = {"orders": f"{found.late_orders:,}", "courier": card.courier, "at": card.facts.cut_off_at}
    people = len(shown.forecast.pickers)
    note = {"minutes": -(-int(worst.total_seconds()) // 60), "people": people}
    if found.people_more is None:
        return [Why(STOP, Words("terminal.why.too_late", facts), Words("terminal.why.too_late.note", note))]
    before = sum(not turn.piece.planned for turn in found.turns)
    label = Words("terminal.why.add", {"more": found.people_more})
    option = f"people={people + found.people_more}"
    told = Words("terminal.why.people.note", {**note, "more": found.people_more, "before": before})
    return [Why(STOP, Words("terminal.why.people", facts), told, label, option)]


def _short_rows(asked: Asked, card: WaveCard) -> list[Why]:
    short = queries.short_orders(asked.look, card)
    if not short:
        return []
    deed = Deed("allocate_waiting", Words("terminal.why.short.do"))
    return [
        Why(WARN, Words("terminal.why.short", {"orders": f"{short:,}"}), Words("terminal.why.short.note"), deed=deed)
    ]


def gantt(asked: Asked, card: WaveCard, shown: Planned) -> dict[str, Any]:
    """People x time as a picture, and as a table."""
    found = shown.forecast
    names = [picker.name for picker in found.pickers]
    cut_offs = _cut_offs(asked)
    turns = {turn.piece.no: turn for turn in found.outlook.turns}
    page = asked.options.get("page", "1")
    number = int(page) if page.isascii() and page.isdecimal() and page != "0" else 1
    first = min((number - 1) * ROWS_A_PAGE, max(0, (len(shown.parts) - 1) // ROWS_A_PAGE * ROWS_A_PAGE))
    rows = [
        (part, queries.part_no(card.facts.no, part.number), turns.get(queries.part_no(card.facts.no, part.number)))
        for part in shown.parts[first : first + ROWS_A_PAGE]
    ]
    now = asked.look.now.replace(second=0, microsecond=0)
    return {
        "names": names,
        "picture": plan_drawing.gantt(found.outlook.turns, names, cut_offs, now, asked.reader),
        "rows": rows,
        "page": first // ROWS_A_PAGE + 1,
        "pages": -(-len(shown.parts) // ROWS_A_PAGE),
        "people": len(names),
        "minutes": lambda part: round(found.pace.seconds(part.walk_mm, part.stops, part.pieces, part.zone_id) / 60),
        "walks": f"{found.pace.walks:,}" if found.pace.walks else "",
    }


def _cut_offs(asked: Asked) -> list[tuple[Any, str]]:
    rows = [(row.at, row.name) for row, _ in flow_of_today(asked.look).rows if row.at > asked.look.now]
    by_moment: dict[Any, list[str]] = {}
    for at, name in rows:
        by_moment.setdefault(at, []).append(name)
    return [(at, f"{'、'.join(names)[:8]} {asked.reader.clock(at)}") for at, names in sorted(by_moment.items())]


def release(asked: Asked, card: WaveCard | None, shown: Planned | None, late: int) -> dict[str, Any]:
    """The checks, and the button under them."""
    if card is None:
        return {"card": None, "chosen": "", "state": "none"}
    facts, state = card.facts, state_of(asked, card)
    walk_m, s_shape_m, first_m = facts.walk_m, facts.s_shape_m, card.first_come_m or 0
    if shown is not None:
        plan = shown.plan
        walk_m, s_shape_m, first_m = (mm // 1_000 for mm in (plan.walk_mm, plan.s_shape_mm, plan.first_come_mm))
    return {
        "card": card,
        "chosen": facts.no,
        "state": state,
        "km": km,
        "walk_m": walk_m,
        "s_shape_m": s_shape_m,
        "first_m": first_m,
        "longest": max(walk_m, s_shape_m, first_m),
        "change": change,
        "checks": _checks(asked, card, shown, late),
        "batches": len(shown.parts) if shown else 0,
        "seconds": THINK_S,
        "longer": LONGER_S,
        "doing": [one.job.value for one in asked.planner.busy_with(asked.look.warehouse_id) if not one.wave],
    }


def less(walk: int, than: int) -> int:
    """By how many per cent a walk is shorter than another."""
    return round(100 * (1 - walk / than)) if than else 0


def change(walk: int, than: int) -> str:
    """The same as a change, with its sign: "−12", "0", "+3"."""
    percent = less(walk, than)
    return f"−{percent}" if percent > 0 else f"+{-percent}" if percent < 0 else "0"


def _checks(asked: Asked, card: WaveCard, shown: Planned | None, late: int) -> list[Check]:
    """What a supervisor would look at before he presses: told above the button."""
    say, facts = asked.reader.say, card.facts
    checks: list[Check] = []
    if facts.state is WaveState.DRAFT:
        promised = "terminal.check.promised_and_carts" if shown else "terminal.check.promised"
        checks.append((0, say(promised, orders=f"{facts.orders:,}", lines=f"{card.lines:,}")))
        checks += [] if shown else [(0, say("terminal.check.no_scan_waits"))]
    elif card.batches:
        checks.append((0, say("terminal.check.batches", batches=card.batches, done=card.batches_done)))
    if shown is not None:
        checks += [*_nearer(asked, shown), *_crowding(asked, shown)]
        changed = facts.orders - shown.plan.orders
        if changed:
            checks.append((WARN, say("terminal.check.changed", orders=abs(changed))))
        checks.append(_in_time(asked, shown))
        return checks
    if late:
        checks.append((STOP, say("terminal.check.late", orders=f"{late:,}")))
    elif facts.cut_off_at < asked.look.now and facts.state is not WaveState.DONE:
        checks.append((WARN, say("terminal.check.passed")))
    else:
        checks.append((0, say("terminal.check.in_time")))
    return checks


def _nearer(asked: Asked, shown: Planned) -> list[Check]:
    """What it saves that goods come from other slots than were promised."""
    saved_mm = shown.plan.promised_mm - shown.plan.walk_mm
    if saved_mm <= 0:
        return []
    batches = sum(part.promised_mm > part.walk_mm for part in shown.parts)
    facts = {"metres": f"{saved_mm // 1_000:,}", "batches": batches}
    return [(0, asked.reader.say("terminal.check.nearer", **facts))]


def _crowding(asked: Asked, shown: Planned) -> list[Check]:
    """How long people are in each other's way in the aisles, and how long without an order of starting."""
    plan, say = shown.plan, asked.reader.say
    if not plan.crowded_before_s:
        return []
    minutes, before = (_minutes(seconds) for seconds in (plan.crowded_s, plan.crowded_before_s))
    line = "terminal.check.crowding" if plan.crowded_s < plan.crowded_before_s else "terminal.check.crowding.same"
    return [(0, say(line, people=plan.people, minutes=minutes, before=before))]


def _minutes(seconds: int) -> str:
    return f"{seconds / 60:.1f}" if seconds < 600 else f"{seconds / 60:.0f}"


def _in_time(asked: Asked, shown: Planned) -> Check:
    found = shown.forecast.outlook
    if found.late_orders:
        return STOP, asked.reader.say("terminal.check.plan_late", orders=f"{found.late_orders:,}")
    margin = found.margin or timedelta()
    return 0, asked.reader.say("terminal.check.plan_in_time", margin=asked.reader.span(margin))


def km(metres: int) -> str:
    return f"{metres / 1000:.1f}" if metres >= 950 else f"{metres / 1000:.2f}"


def facts_of(shown: Planned) -> Mapping[str, Any]:
    """The plan's figures: batches, metres, hours of work."""
    pace, parts = shown.forecast.pace, shown.parts
    seconds = sum(pace.seconds(part.walk_mm, part.stops, part.pieces, part.zone_id) for part in parts)
    return {"hours": seconds / 3_600, "batches": len(parts), "walk_m": shown.plan.walk_mm // 1_000}
