"""Lines, bars and plots as SVG: numbers in, marks out, colours by class. No style attribute: the policy forbids it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from markupsafe import Markup

from wms.terminal.rules.plots import at_x, height_at, points, round_top, ticks
from wms.terminal.values import Day, Figure
from wms.terminal.words import Reader

SPARK_W, SPARK_H, SPARK_EDGE = 80, 26, 3
PLOT_LEFT, PLOT_RIGHT, PLOT_TOP, PLOT_BOTTOM = 48, 132, 8, 20

Place = tuple[float, float]
_SHAPES = {
    1: ("7.5,2 16.5,2 22,7.5 22,16.5 16.5,22 7.5,22 2,16.5 2,7.5", "17"),
    2: ("12,2 23,22 1,22", "20"),
    3: ("12,1 23,12 12,23 1,12", "16.7"),
}


def shape(priority: int, name: str, size: int = 22) -> Markup:
    """Octagon 1, triangle 2, diamond 3: told apart without colour."""
    corners, baseline = _SHAPES[priority]
    return Markup(
        '<svg class="sh p{}" width="{}" height="{}" viewBox="0 0 24 24" role="img" aria-label="{}">'
        '<polygon points="{}"/><text x="12" y="{}" text-anchor="middle">{}</text></svg>'
    ).format(priority, size, size, name, corners, baseline, priority)


def spark(figure: Figure) -> Markup:
    """The way a figure took, with its goal as a dashed line; nothing to draw with fewer than two values."""
    if len(figure.trend) < 2:
        return Markup("")
    width, height = SPARK_W - 2 * SPARK_EDGE, SPARK_H - 2 * SPARK_EDGE
    corners = points(figure.trend, width, height, figure.goal)
    line = _corners([(x + SPARK_EDGE, y + SPARK_EDGE) for x, y in corners])
    last_x, last_y = corners[-1]
    goal = Markup("")
    if figure.goal is not None:
        known = [*figure.trend, figure.goal]
        y = height_at(figure.goal, min(known), (max(known) - min(known)) or 1.0, height) + SPARK_EDGE
        goal = Markup('<line class="goal" x1="0" x2="{}" y1="{}" y2="{}"/>').format(SPARK_W, _n(y), _n(y))
    return Markup(
        '<svg class="spark" width="{}" height="{}" viewBox="0 0 {} {}" aria-hidden="true">{}'
        '<polyline points="{}"/><circle class="p{}" cx="{}" cy="{}" r="2.6"/></svg>'
    ).format(
        SPARK_W,
        SPARK_H,
        SPARK_W,
        SPARK_H,
        goal,
        line,
        figure.priority,
        _n(last_x + SPARK_EDGE),
        _n(last_y + SPARK_EDGE),
    )


def bar(value: float, most: float, width: int = 46, height: int = 12, kind: str = "") -> Markup:
    """One thin bar on a common scale; a value above 0 is never invisible."""
    length = 0.0 if most <= 0 or value <= 0 else max(1.5, value / most * width)
    return Markup(
        '<svg class="bar {}" width="{}" height="{}" viewBox="0 0 {} {}" preserveAspectRatio="none" aria-hidden="true">'
        '<rect width="{}" height="{}"/></svg>'
    ).format(kind, width, height, width, height, _n(min(length, width)), height)


def share(done: int, ready: int, total: int, width: int = 58, height: int = 12) -> Markup:
    """A frame filled by what is done, and lighter by what is ready."""
    inner = width - 2
    first = inner * done / total if total else 0
    second = inner * ready / total if total else 0
    return Markup(
        '<svg class="share" width="{}" height="{}" aria-hidden="true"><rect class="frame" x="0.5" y="0.5" width="{}" '
        'height="{}"/><rect class="done" x="1" y="1" width="{}" height="{}"/>'
        '<rect class="ready" x="{}" y="1" width="{}" height="{}"/></svg>'
    ).format(width, height, width - 1, height - 1, _n(first), height - 2, _n(1 + first), _n(second), height - 2)


def pace(value: int, usual: int, most: int, width: int = 58, height: int = 12) -> Markup:
    """Somebody's pace as a bar; the mark is what is usual at this work."""
    scale = max(most, usual, 1)
    slow = " slow" if usual and value < 0.75 * usual else ""
    mark = Markup("")
    if usual:
        x = _n(min(width - 2, usual / scale * width))
        mark = Markup('<rect class="mark" x="{}" y="0" width="2" height="{}"/>').format(x, height)
    return Markup(
        '<svg class="pace{}" width="{}" height="{}" aria-hidden="true">'
        '<rect class="own" y="2" width="{}" height="{}"/>{}</svg>'
    ).format(slow, width, height, _n(value / scale * width), height - 4, mark)


def fill(parcels: int, parcels_max: int) -> Markup:
    """How full a chute hangs, from below, with the line at which its bag is changed."""
    part = min(1.0, parcels / parcels_max) if parcels_max else 0.0
    return Markup(
        '<svg class="level" viewBox="0 0 100 100" preserveAspectRatio="none" aria-hidden="true">'
        '<rect x="0" y="{}" width="100" height="{}"/><line x1="0" x2="100" y1="15" y2="15"/></svg>'
    ).format(_n(100 - 100 * part), _n(100 * part))


def day_plot(day: Day, reader: Reader, width: int, height: int) -> Markup:
    """Orders in and shipped over the day; dashed after now; cut-offs as upright lines with their couriers."""
    inner_w, inner_h = width - PLOT_LEFT - PLOT_RIGHT, height - PLOT_TOP - PLOT_BOTTOM
    highest = max(*day.came, *day.shipped, day.came_by_end, day.shipped_by_end, 4)
    top, step = round_top(highest, 3)

    def at(moment: datetime, value: float) -> tuple[float, float]:
        return PLOT_LEFT + at_x(day, moment, inner_w), PLOT_TOP + height_at(value, 0, top, inner_h)

    parts = [_grid(top, step, width - PLOT_RIGHT, lambda value: at(day.begin, value)[1])]
    parts.append(_hours(day, reader, lambda moment: at(moment, 0)))
    parts.append(_cut_offs(day, lambda moment: at(moment, 0)[0], height))
    came = [at(moment, value) for moment, value in zip(day.moments, day.came, strict=True)]
    shipped = [at(moment, value) for moment, value in zip(day.moments, day.shipped, strict=True)]
    parts.append(Markup('<polygon class="between" points="{}"/>').format(_corners([*came, *shipped[::-1]])))
    parts.append(Markup('<polyline class="came" points="{}"/>').format(_corners(came)))
    parts.append(Markup('<polyline class="shipped" points="{}"/>').format(_corners(shipped)))
    parts.append(_ahead(day, at))
    parts.append(_labels(day, reader, at))
    label = reader.say(
        "terminal.day_plot.title",
        came=f"{day.came[-1]:,}",
        shipped=f"{day.shipped[-1]:,}",
        end=f"{day.shipped_by_end:,}",
    )
    head = Markup('<svg class="dayplot" viewBox="0 0 {} {}" role="img" aria-label="{}">').format(width, height, label)
    return head + Markup("").join(parts) + Markup("</svg>")


def _grid(top: int, step: int, right: int, y_of: Callable[[float], float]) -> Markup:
    lines = Markup("")
    for value in range(0, top + 1, step):
        y = _n(y_of(value))
        lines += Markup('<line class="grid" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(PLOT_LEFT, right, y, y)
        lines += Markup('<text class="ax" x="{}" y="{}" text-anchor="end">{:,}</text>').format(
            PLOT_LEFT - 6, _n(y_of(value) + 4), value
        )
    return lines


def _hours(day: Day, reader: Reader, at: Callable[[datetime], Place]) -> Markup:
    words = Markup("")
    for moment, hour in ticks(day, int(reader.clock(day.begin)[:2])):
        x, y = at(moment)
        words += Markup('<text class="ax" x="{}" y="{}" text-anchor="middle">{}:00</text>').format(
            _n(x), _n(y + 16), hour
        )
    return words


def _cut_offs(day: Day, x_of: Callable[[datetime], float], height: int) -> Markup:
    """Names that would run into each other stand one above the other."""
    lines, last_x, row = Markup(""), -1000.0, 0
    for moment, names in day.cut_offs:
        x = x_of(moment)
        row = (row + 1) % 3 if x - last_x < 62 else 0
        last_x = x
        lines += Markup('<line class="cut" x1="{}" x2="{}" y1="{}" y2="{}"/>').format(
            _n(x), _n(x), PLOT_TOP, height - PLOT_BOTTOM
        )
        lines += Markup('<text class="ax" x="{}" y="{}" text-anchor="end">{}</text>').format(
            _n(x - 4), PLOT_TOP + 10 + 14 * row, names[:10]
        )
    return lines


def _ahead(day: Day, at: Callable[[datetime, float], Place]) -> Markup:
    """After now: dashed to the day's end; shipping is even from now until the work is out."""
    now_x, _ = at(day.now, 0)
    bottom = at(day.now, 0)[1]
    end = _last_cut_off(day)
    came = [at(day.now, day.came[-1]), at(end, day.came_by_end), at(day.end, day.came_by_end)]
    shipped = [at(day.now, day.shipped[-1]), at(end, day.shipped_by_end), at(day.end, day.shipped_by_end)]
    return Markup(
        '<polyline class="came ahead" points="{}"/><polyline class="shipped ahead" points="{}"/>'
        '<line class="now" x1="{}" x2="{}" y1="{}" y2="{}"/>'
    ).format(_corners(came), _corners(shipped), _n(now_x), _n(now_x), PLOT_TOP, _n(bottom))


def _last_cut_off(day: Day) -> datetime:
    later = [moment for moment, _ in day.cut_offs if moment > day.now]
    return later[-1] if later else day.now


def _labels(day: Day, reader: Reader, at: Callable[[datetime, float], Place]) -> Markup:
    x, came_y = at(day.now, day.came[-1])
    _, shipped_y = at(day.now, day.shipped[-1])
    bottom = at(day.now, 0)[1]
    late_in_day = day.now - day.begin > (day.end - day.begin) * 0.25
    side, anchor = (-6, "end") if late_in_day else (6, "start")
    text = Markup('<text class="al" x="{}" y="{}" text-anchor="{}">{}</text>')
    came = reader.say("terminal.day_plot.came", n=f"{day.came[-1]:,}")
    parts = text.format(_n(x + side), _n(max(came_y - 5, 12)), anchor, came)
    shipped = reader.say("terminal.day_plot.shipped", n=f"{day.shipped[-1]:,}")
    parts += text.format(_n(x + 6), _n(_shipped_label_y(came_y, shipped_y, bottom)), "start", shipped)
    if shipped_y - came_y > 40:
        left = reader.say("terminal.day_plot.left", n=f"{day.came[-1] - day.shipped[-1]:,}")
        middle = _n((came_y + shipped_y) / 2 + 4)
        parts += Markup('<text class="ax" x="{}" y="{}" text-anchor="end">{}</text>').format(_n(x - 6), middle, left)
    end_x, end_y = at(day.end, day.shipped_by_end)
    parts += Markup('<text class="ax" x="{}" y="{}">{}</text>').format(
        _n(end_x + 6), _n(end_y + 4), reader.say("terminal.day_plot.forecast", n=f"{day.shipped_by_end:,}")
    )
    return parts


def _shipped_label_y(came_y: float, shipped_y: float, bottom: float) -> float:
    """Under the line's end where there is room, else over it."""
    under = shipped_y + 16
    return under if under < bottom - 3 else max(shipped_y - 8, came_y + 14)


def _corners(corners: Sequence[tuple[float, float]]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)


def _n(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")
