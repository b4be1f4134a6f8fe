"""Plots of weeks as SVG: a line of what was measured, bars of how often something was fetched. Colours by class."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from wms.terminal.rules.scales import decimals, scale

WIDTH, HEIGHT = 236, 112
LEFT, RIGHT, TOP, BOTTOM = 42, 10, 10, 20
BARS_W, BARS_H = 184, 74


@dataclass(frozen=True, slots=True)
class Course:
    """A figure week by week: its words, the values (None where nothing was measured), and the weeks' names."""

    title: str
    values: Sequence[float | None]
    ticks: Sequence[str]


def course_plot(course: Course) -> Markup:
    """A line over the weeks; nothing with fewer than two values."""
    known = [(number, value) for number, value in enumerate(course.values) if value is not None]
    if len(known) < 2:
        return Markup("")
    marks = scale([value for _, value in known])
    inner_w, inner_h = WIDTH - LEFT - RIGHT, HEIGHT - TOP - BOTTOM
    span = marks[-1] - marks[0]
    last = max(1, len(course.values) - 1)

    def x(number: int) -> float:
        return LEFT + inner_w * number / last

    def y(value: float) -> float:
        return TOP + inner_h * (1 - (value - marks[0]) / span)

    corners = " ".join(f"{x(number):.1f},{y(value):.1f}" for number, value in known)
    end_x, end_y = x(known[-1][0]), y(known[-1][1])
    head = Markup('<svg class="course" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(
        WIDTH, HEIGHT, WIDTH, HEIGHT, course.title
    )
    line = Markup('<polyline points="{}"/><circle cx="{:.1f}" cy="{:.1f}" r="3.5"/></svg>').format(
        corners, end_x, end_y
    )
    return head + _marks(marks, y) + _ticks(course.ticks, x) + line


def _marks(marks: Sequence[float], y: Callable[[float], float]) -> Markup:
    places, lines = decimals(marks), Markup("")
    for value in marks:
        at = f"{y(value):.1f}"
        lines += Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(LEFT, WIDTH - RIGHT, at, at)
        lines += Markup('<text class="ax" x="{}" y="{:.1f}" text-anchor="end">{:,.{}f}</text>').format(
            LEFT - 6, y(value) + 4, value, places
        )
    return lines


def _ticks(ticks: Sequence[str], x: Callable[[int], float]) -> Markup:
    shown = sorted({0, (len(ticks) - 1) // 2, len(ticks) - 1}) if len(ticks) > 3 else range(len(ticks))
    words = Markup("")
    for number in shown:
        anchor = "start" if number == 0 else "end" if number == len(ticks) - 1 else "middle"
        words += Markup('<text class="ax" x="{:.1f}" y="{}" text-anchor="{}">{}</text>').format(
            x(number), HEIGHT - 5, anchor, ticks[number]
        )
    return words


def week_bars(weeks: Sequence[int], title: str) -> Markup:
    """Lines of each week as bars, the newest (the last) darker; the greatest and the newest are written above."""
    top = max([*weeks, 1])
    step = BARS_W / max(1, len(weeks))
    bars = Markup("")
    for number, value in enumerate(weeks):
        height = max(1.0, (BARS_H - 18) * value / top)
        newest = ' class="now"' if number == len(weeks) - 1 else ""
        bars += Markup('<rect{} x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>').format(
            Markup(newest), number * step + 2, BARS_H - height, step - 4, height
        )
        if value and number in (list(weeks).index(max(weeks)), len(weeks) - 1):
            bars += Markup('<text class="ax" x="{:.1f}" y="{:.1f}" text-anchor="middle">{:,}</text>').format(
                (number + 0.5) * step, BARS_H - height - 4, value
            )
    head = Markup('<svg class="weekbars" width="{}" height="{}" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return head.format(BARS_W, BARS_H, BARS_W, BARS_H, title) + bars + Markup("</svg>")
