"""Drawings for the page: mean gaps over time, and a tour on a map."""

from __future__ import annotations

import math
from collections.abc import Sequence

from scripts.benches.planning.published import Row
from scripts.benches.planning.scale import HALL, made_orders
from wms.optimise.batching import Cart, plan_batches
from wms.optimise.geometry import Point, Stop, stop_point

WIDTH, HEIGHT, LEFT, BOTTOM, RIGHT, TOP = 760, 340, 56, 40, 190, 14
COLOURS = ("#1b5e9b", "#c2571a", "#2d7d46", "#8b3a8f", "#a08410", "#11808a", "#b3324b", "#4d4d4d")
TICKS_PCT, TICKS_S = (0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20), (0.25, 0.5, 1, 2, 5, 10, 20, 60)
LEAST_PCT, MOST_PCT = 0.03, 30.0
MAP_SCALE, MARGIN = 0.0075, 24


def gaps(rows: Sequence[Row]) -> str:
    """Mean gap over seconds of the processor, both on scales by powers; one line for each set of problems."""
    drawn = [row for row in rows if row["figure"] in ("B2", "B3") and len(row.get("over_time", ())) > 1]
    parts = [
        _line(LEFT, _y(pct), WIDTH - RIGHT, _y(pct), "#ddd") + _words(LEFT - 8, _y(pct) + 4, f"{pct:g} %", "end")
        for pct in TICKS_PCT
    ]
    parts += [_words(_x(second), HEIGHT - BOTTOM + 18, f"{second:g}", "middle") for second in TICKS_S]
    parts.append(_words((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 6, "seconds of one processor", "middle"))
    ends: list[float] = []
    for row, colour in zip(drawn, COLOURS, strict=False):
        corners = " ".join(f"{_x(second):.1f},{_y(pct):.1f}" for second, pct in row["over_time"])
        parts.append(f'<polyline points="{corners}" fill="none" stroke="{colour}" stroke-width="2"/>')
        at = _y(row["over_time"][-1][1]) + 4
        while any(abs(at - other) < 15 for other in ends):
            at -= 3
        ends.append(at)
        parts.append(_words(WIDTH - RIGHT + 8, at, row["what"], "start", colour))
    return _svg(WIDTH, HEIGHT, parts, "Mean gap to the best known plan over time")


def _x(second: float) -> float:
    share = math.log(max(second, TICKS_S[0]) / TICKS_S[0]) / math.log(TICKS_S[-1] / TICKS_S[0])
    return LEFT + (WIDTH - LEFT - RIGHT) * min(1.0, share)


def _y(pct: float) -> float:
    share = math.log(min(MOST_PCT, max(pct, LEAST_PCT)) / LEAST_PCT) / math.log(MOST_PCT / LEAST_PCT)
    return TOP + (HEIGHT - BOTTOM - TOP) * (1 - share)


def tour() -> str:
    """The longest tour of a first plan of 300 made orders, with its stops in walking order, on the map of the hall."""
    orders = made_orders(300, seed=3)
    plan = next(plan_batches(orders, [Cart((12,))], HALL))
    batch = max(plan.batches, key=lambda batch: batch.length_mm)
    stops = {order.order_id: order.stops for order in orders}
    visited = [stop for order_id in batch.order_ids for stop in stops[order_id]]
    parts = [_rack(aisle, block) for aisle in range(len(HALL.aisle_x_mm)) for block in range(HALL.blocks)]
    corners = " ".join(
        "{:.1f},{:.1f}".format(*_at(Point(*corner))) for corner in batch.route.path if not isinstance(corner, str)
    )
    parts.append(
        f'<polyline points="{corners}" fill="none" stroke="#1b5e9b" stroke-width="2.5" stroke-linejoin="round"/>'
    )
    parts += [_stop(number, visited[index]) for number, index in enumerate(batch.route.sequence, 1)]
    x, y = _at(HALL.start_point)
    parts.append(f'<rect x="{x - 6:.1f}" y="{y - 6:.1f}" width="12" height="12" fill="#c2571a"/>')
    width = HALL.aisle_x_mm[-1] * MAP_SCALE + 2 * MARGIN
    height = HALL.cross_y_mm[-1] * MAP_SCALE + 2 * MARGIN
    title = f"One tour: {len(batch.order_ids)} orders, {len(visited)} stops, {batch.length_mm / 1000:.0f} m"
    return _svg(round(width), round(height), parts, title)


def _at(place: Point) -> tuple[float, float]:
    return MARGIN + place.x_mm * MAP_SCALE, MARGIN + (HALL.cross_y_mm[-1] - place.y_mm) * MAP_SCALE


def _rack(aisle: int, block: int) -> str:
    """The racks on both sides of one aisle between two cross aisles."""
    x, top = _at(Point(HALL.aisle_x_mm[aisle], HALL.cross_y_mm[block + 1]))
    _, bottom = _at(Point(0, HALL.cross_y_mm[block]))
    height = bottom - top - 14
    sides = (x - 10, x + 4)
    return "".join(
        f'<rect x="{side:.1f}" y="{top + 7:.1f}" width="6" height="{height:.1f}" fill="#e3e7eb"/>' for side in sides
    )


def _stop(number: int, stop: Stop) -> str:
    x, y = _at(stop_point(HALL, stop))
    style = 'font-family="sans-serif" font-size="6.5" text-anchor="middle"'
    dot = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="#fff" stroke="#1b5e9b"/>'
    return f'{dot}<text x="{x:.1f}" y="{y + 2.3:.1f}" {style}>{number}</text>'


def _line(x1: float, y1: float, x2: float, y2: float, colour: str) -> str:
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}"/>'


def _words(x: float, y: float, words: str, anchor: str, colour: str = "#222") -> str:
    style = f'font-family="sans-serif" font-size="12" fill="{colour}" text-anchor="{anchor}"'
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{words}</text>'


def _svg(width: int, height: int, parts: Sequence[str], title: str) -> str:
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{title}">'
    return "\n".join(
        [
            head,
            f"<title>{title}</title>",
            f'<rect width="{width}" height="{height}" fill="#fff"/>',
            *parts,
            "</svg>",
            "",
        ]
    )
