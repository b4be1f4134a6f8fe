"""The three gains on the slots' page, week by week; and before against after, as a table for the manager."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from wms.slotting import queries
from wms.slotting.gains import DayFigures, Gains, Rates, before_and_after, gains_of, weekly
from wms.slotting.picture import lift_of
from wms.slotting.values import Lift
from wms.terminal.plotting import Course, course_plot
from wms.terminal.queries.look import Look
from wms.terminal.sections.common import Asked, Part
from wms.terminal.words import Reader

WEEKS_DRAWN = 12
FIGURES_S = 60.0
DAYS_KEPT = 366
WEEK_DAYS = 7
LEAST_CHANGE = 0.05


@dataclass(frozen=True, slots=True)
class Measure:
    """One row of the figures: its name, how it is read off the gains (in what people say), and its decimals."""

    name: str
    of: Callable[[Gains], float | None]
    decimals: int = 2


def _times(factor: float, of: Callable[[Gains], float | None]) -> Callable[[Gains], float | None]:
    def value(gains: Gains) -> float | None:
        found = of(gains)
        return None if found is None else found * factor

    return value


MEASURES = (
    Measure("slots", _times(100, lambda gains: gains.slots_share), 1),
    Measure("volume", _times(100, lambda gains: gains.volume_share), 1),
    Measure("skus", lambda gains: gains.skus, 0),
    Measure("more_skus", lambda gains: gains.more_skus, 0),
    Measure("lines", lambda gains: float(gains.lines), 0),
    Measure("m_per_line", lambda gains: gains.m_per_line, 1),
    Measure("s_per_line", lambda gains: gains.s_per_line, 1),
    Measure("walking", _times(0.01, lambda gains: gains.walking), 3),
    Measure("handling", _times(0.01, lambda gains: gains.handling), 3),
    Measure("moving", _times(0.01, lambda gains: gains.moving), 3),
    Measure("rent", _times(0.01, lambda gains: gains.rent), 3),
    Measure("cost", _times(0.01, lambda gains: gains.cost), 2),
    Measure("moves", lambda gains: float(gains.moves), 0),
)
BY_NAME = {measure.name: measure for measure in MEASURES}
# The panel's name, the measure that is drawn, and what stands beside it.
PANELS = (
    ("capacity", "volume", ("slots", "more_skus")),
    ("turnover", "m_per_line", ("s_per_line", "lines")),
    ("economy", "cost", ("walking", "rent")),
)


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured here: days, and what work and room cost."""

    days: Sequence[DayFigures]
    rates: Rates


def measured(asked: Asked) -> Figures:
    """Days are asked once a minute for all readers, rates each time: they may just have been changed."""
    days = asked.keep("slot_days", FIGURES_S, lambda: measured_by(asked.look).days)
    return Figures(days, queries.rates(asked.look.session, asked.look.warehouse_id))


def measured_by(look: Look) -> Figures:
    """The last year."""
    since = look.here.local(look.now).date() - timedelta(days=DAYS_KEPT)
    days = queries.days(look.session, look.warehouse_id, since)
    return Figures(days, queries.rates(look.session, look.warehouse_id))


def gains_part(asked: Asked) -> Part:
    """Three panels: the last week in figures, twelve weeks as a line, and how it was before."""
    found, reader = measured(asked), asked.reader
    weeks = weekly(found.days, found.rates)[-WEEKS_DRAWN:]
    now = gains_of(found.days[-WEEK_DAYS:], found.rates) if found.days else None
    panels = [
        {
            "name": name,
            "value": _said(reader, drawn, now),
            "before": _said(reader, drawn, weeks[0]) if len(weeks) > 1 else None,
            "ago": len(weeks) - 1,
            "change": _change(BY_NAME[drawn], weeks[0], now) if len(weeks) > 1 and now else None,
            "beside": [(one, _said(reader, one, now)) for one in beside],
            "plot": _plot(reader, name, drawn, weeks),
        }
        for name, drawn, beside in PANELS
    ]
    return Part("slot_gains", "slot_gains", {"panels": panels}, reader.say("terminal.gains"))


def _plot(reader: Reader, name: str, drawn: str, weeks: Sequence[Gains]) -> Markup:
    title = f"{reader.say(f'terminal.gains.{name}')}: {reader.say(f'terminal.measure.{drawn}')}"
    return course_plot(Course(title, [BY_NAME[drawn].of(week) for week in weeks], [day(week.first) for week in weeks]))


def day(when: date) -> str:
    """11/7, read alike in both languages; the year is that of the page's clock."""
    return f"{when.month}/{when.day}"


def _said(reader: Reader, name: str, gains: Gains | None) -> str | None:
    if gains is None:
        return None
    measure = BY_NAME[name]
    value = measure.of(gains)
    return None if value is None else f"{value:,.{measure.decimals}f}"


def _change(measure: Measure, before: Gains, after: Gains) -> str | None:
    """In percent; points where the measure is a percentage itself."""
    was, now = measure.of(before), measure.of(after)
    if was is None or now is None or (measure.name not in ("slots", "volume") and not was):
        return None
    change = now - was if measure.name in ("slots", "volume") else 100 * (now - was) / was
    return f"{change:+.1f}" if abs(change) >= LEAST_CHANGE else "0.0"


def figures_fills(asked: Asked) -> dict[str, Any]:
    """Before against after, the rates behind the money, how high heavy goods are lifted, and where all of it can be
    fetched.
    """
    found, reader = measured(asked), asked.reader
    lift = lift_of(asked.look.session, asked.look.warehouse_id)
    pair = before_and_after(found.days, found.rates)
    rows = []
    if pair is not None:
        rows = [
            (one.name, _said(reader, one.name, pair[0]), _said(reader, one.name, pair[1]), _change(one, *pair))
            for one in MEASURES
        ]
    return {
        "rows": rows,
        "spans": [f"{day(one.first)}-{day(one.last)}" for one in pair] if pair else [],
        "rates": [(one.name, getattr(found.rates, one.name)) for one in fields(Rates)],
        "lift": [(one.name, getattr(lift, one.name)) for one in fields(Lift)],
        "points": ("slots", "volume"),
    }


def export_table(figures: Figures, reader: Reader, house: str) -> list[list[object]]:
    """Header and rows: before, after, and every week; a cell is None where nothing was measured."""
    say = reader.say
    header: list[object] = [say("terminal.figures.house"), say("terminal.figures.period")]
    header += [say("terminal.figures.from"), say("terminal.figures.to"), say("terminal.figures.days")]
    header += [
        f"{say(f'terminal.measure.{one.name}')} ({say(f'terminal.measure.{one.name}.unit')})" for one in MEASURES
    ]
    pair = before_and_after(figures.days, figures.rates)
    named = list(zip((say("terminal.figures.before"), say("terminal.figures.after")), pair or (), strict=False))
    named += [(say("terminal.figures.week"), week) for week in weekly(figures.days, figures.rates)]
    return [header, *(_row(house, name, gains) for name, gains in named)]


def _row(house: str, name: str, gains: Gains) -> list[object]:
    values = [(one.of(gains), one.decimals) for one in MEASURES]
    rounded = [None if value is None else round(value, decimals) for value, decimals in values]
    return [house, name, gains.first, gains.last, gains.days, *rounded]
