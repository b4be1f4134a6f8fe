"""A plan as pictures: how it got shorter, and who picks which batch when. Numbers in, SVG out, colours by class.

Widths are in percent of the panel, so that text keeps its size however wide the screen is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from markupsafe import Markup

from wms.picking.queries.plans import PlanFacts
from wms.picking.rules.schedule import Turn
from wms.terminal.rules.plots import round_top
from wms.terminal.words import Reader

ROW, BAR, HEAD = 24, 18, 22
LABEL_PERCENT_MIN = 6.6
APART_PERCENT = 13  # between an hour and the name of a cut-off, so that both can be read
CURVE_H, CURVE_TOP, CURVE_BOTTOM, CURVE_LEFT, CURVE_W = 148, 12, 22, 34, 376
MM_PER_KM = 1_000_000
HOURS_SHOWN_MAX = 12

CutOffs = Sequence[tuple[datetime, str]]
Scale = Callable[[float], float]


def gantt(turns: Sequence[Turn], people: Sequence[str], cut_offs: CutOffs, now: datetime, reader: Reader) -> Markup:
    """People x time: a row each in the order of `people`, cut-offs as thick lines, late batches red with a word."""
    end = _end(turns, cut_offs, now)
    height = HEAD + ROW * len(people)
    rows = {name: number for number, name in enumerate(people)}
    parts = [
        *_hours(now, end, height, [_share(at, now, end) for at, _ in cut_offs if now < at < end], reader),
        *(_turn(turn, HEAD + ROW * rows[turn.picker], now, end, reader) for turn in turns if turn.picker in rows),
        *_cut_offs(cut_offs, now, end, height),
    ]
    head = Markup('<svg class="gantt" width="100%" height="{}" role="img" aria-label="{}">')
    return head.format(height, reader.say("terminal.gantt.title")) + Markup("").join(parts) + Markup("</svg>")


def _end(turns: Sequence[Turn], cut_offs: CutOffs, now: datetime) -> datetime:
    last = max([turn.end for turn in turns] + [at for at, _ in cut_offs[:1]], default=now)
    return min(max(last, now + timedelta(minutes=30)), now + timedelta(hours=HOURS_SHOWN_MAX)) + timedelta(minutes=5)


def _share(moment: datetime, now: datetime, end: datetime) -> float:
    return 100 * max(0.0, min(1.0, (moment - now) / (end - now)))


def _hours(now: datetime, end: datetime, height: int, taken: Sequence[float], reader: Reader) -> Iterator[Markup]:
    step = timedelta(minutes=15 if end - now < timedelta(hours=2) else 60 if end - now < timedelta(hours=7) else 120)
    at = now + timedelta(minutes=60 - now.minute) - timedelta(hours=1)
    while at < end:
        if at > now:
            x = _share(at, now, end)
            yield Markup('<line class="grid" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>').format(
                x, HEAD - 4, height
            )
            if all(not -2 < other - x < APART_PERCENT for other in taken) and 3 < x < 97:
                hour = Markup('<text class="ax" x="{:.2f}%" y="12" text-anchor="middle">{}</text>')
                yield hour.format(x, reader.clock(at))
        at += step


def _cut_offs(cut_offs: CutOffs, now: datetime, end: datetime, height: int) -> Iterator[Markup]:
    for at, name in cut_offs:
        if now < at < end:
            x = _share(at, now, end)
            yield Markup('<line class="due" x1="{0:.2f}%" x2="{0:.2f}%" y1="{1}" y2="{2}"/>').format(
                x, HEAD - 6, height
            )
            yield Markup('<text class="al" x="{:.2f}%" y="12" text-anchor="end" dx="-3">{}</text>').format(x, name)


def _turn(turn: Turn, top: int, now: datetime, end: datetime, reader: Reader) -> Markup:
    begin, until = _share(turn.begin, now, end), _share(turn.end, now, end)
    kind = "late" if turn.late else "own" if turn.piece.planned else "before"
    no = turn.piece.no.partition("-")[2] or turn.piece.no
    words = f"{no} {reader.say('terminal.gantt.late')}" if turn.late else no
    span = f"{reader.clock(turn.begin)}–{reader.clock(turn.end)}"
    title = f"{turn.piece.no} · {turn.picker} · {span} · {turn.piece.orders}"
    box = Markup(
        '<g class="turn {}"><title>{}</title><rect x="{:.2f}%" y="{}" width="{:.2f}%" height="{}" rx="2"/>'
    ).format(kind, title, begin, top + 3, max(0.3, until - begin - 0.25), BAR)
    wide = until - begin >= LABEL_PERCENT_MIN + (4 if turn.late else 0)
    label = Markup('<text x="{:.2f}%" y="{}" text-anchor="middle">{}</text>').format(
        (begin + until) / 2, top + 16, words
    )
    return box + (label if wide else Markup("")) + Markup("</g>")


def curve(plan: PlanFacts, reader: Reader) -> Markup:
    """Kilometres over the seconds of reckoning: as a staircase, with what others would walk and the lower bound."""
    marks = {
        "first_come": plan.first_come_mm / MM_PER_KM,
        "s_shape": plan.s_shape_mm / MM_PER_KM,
        "bound": plan.lower_bound_mm / MM_PER_KM,
    }
    points = [(ms / 1_000, mm / MM_PER_KM) for ms, mm in plan.points]
    if not points:
        return Markup("")
    top: float
    step: float
    top, step = round_top(max([km for _, km in points] + list(marks.values())) * 1.02)
    if top <= 4:
        top, step = _fine(max(km for _, km in points), marks)
    last_s = max(points[-1][0], 1.0)

    def x_of(seconds: float) -> float:
        return CURVE_LEFT + seconds / last_s * (CURVE_W - CURVE_LEFT - 8)

    def y_of(km: float) -> float:
        return CURVE_TOP + (1 - km / top) * (CURVE_H - CURVE_TOP - CURVE_BOTTOM)

    parts = [
        *_levels(top, step, y_of),
        *_seconds(last_s, x_of),
        *_marks(marks, y_of, reader),
        _stairs(points, x_of, y_of),
        _now(points[-1], x_of, y_of, reader),
    ]
    title = reader.say("terminal.curve.title", km=f"{points[-1][1]:.1f}", s=f"{points[-1][0]:.0f}")
    head = Markup('<svg class="dayplot curve" viewBox="0 0 {} {}" role="img" aria-label="{}">')
    return head.format(CURVE_W, CURVE_H, title) + Markup("").join(parts) + Markup("</svg>")


def _fine(highest: float, marks: Mapping[str, float]) -> tuple[float, float]:
    """A scale for a few kilometres or less: steps of 1, 2 or 5 tenths or hundredths."""
    most = max([highest, *marks.values()]) * 1.02
    step = next(size for size in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if most / size <= 4 or size == 1.0)
    return step * (int(most / step) + 1), step


def _levels(top: float, step: float, y_of: Scale) -> Iterator[Markup]:
    level = 0.0
    while level <= top + step / 10:
        y = y_of(level)
        yield Markup('<line class="grid" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(CURVE_LEFT, CURVE_W, y, y)
        yield Markup('<text class="ax" x="{}" y="{:.1f}" text-anchor="end">{:g}</text>').format(
            CURVE_LEFT - 5, y + 4, round(level, 2)
        )
        level += step


def _seconds(last_s: float, x_of: Scale) -> Iterator[Markup]:
    step = next(size for size in (0.5, 1, 2, 5, 10, 20, 60, 120) if last_s / size <= 5)
    at = 0.0
    while at <= last_s:
        yield Markup('<text class="ax" x="{:.1f}" y="{}" text-anchor="middle">{:g} s</text>').format(
            x_of(at), CURVE_H - 6, at
        )
        at += step


def _marks(marks: Mapping[str, float], y_of: Scale, reader: Reader) -> Iterator[Markup]:
    """Words that would run into each other are left to the bars beneath."""
    taken: list[float] = []
    for name, km in marks.items():
        if km <= 0:
            continue
        y = y_of(km)
        yield Markup('<line class="mark {}" x1="{}" x2="{}" y1="{:.1f}" y2="{:.1f}"/>').format(
            name, CURVE_LEFT, CURVE_W, y, y
        )
        if all(abs(y - other) > 13 for other in taken):
            taken.append(y)
            words = reader.say(f"terminal.curve.{name}", km=_km(km))
            yield Markup('<text class="ax" x="{}" y="{:.1f}" text-anchor="end">{}</text>').format(
                CURVE_W - 4, y - 3, words
            )


def _stairs(points: Sequence[tuple[float, float]], x_of: Scale, y_of: Scale) -> Markup:
    corners: list[tuple[float, float]] = []
    for seconds, km in points:
        if corners:
            corners.append((x_of(seconds), corners[-1][1]))
        corners.append((x_of(seconds), y_of(km)))
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in corners)
    return Markup('<polyline class="best" points="{}"/>').format(line)


def _now(last: tuple[float, float], x_of: Scale, y_of: Scale, reader: Reader) -> Markup:
    x, y = x_of(last[0]), y_of(last[1])
    words = reader.say("terminal.curve.now", km=_km(last[1]))
    towards, side = (7, "start") if x < CURVE_W / 2 else (-7, "end")  # never over the figures at the left
    return Markup('<circle class="end" cx="{:.1f}" cy="{:.1f}" r="4"/>').format(x, y) + Markup(
        '<text class="al" x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>'
    ).format(x + towards, y + 15, side, words)


def _km(km: float) -> str:
    return f"{km:.1f}" if km >= 0.95 else f"{km:.2f}"
