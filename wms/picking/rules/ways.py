"""From place to place in a hall of which something may be closed by now."""

from __future__ import annotations

from dataclasses import replace

from wms.optimise.geometry import HallError, Point, RectHall, distance_mm, walk


def way(hall: RectHall, a: Point, b: Point) -> tuple[Point, ...]:
    """The shortest walk; out of a stretch that was closed around somebody he walks as if it were open."""
    try:
        return walk(hall, a, b)
    except HallError:
        return walk(replace(hall, closed=()), a, b)


def way_mm(hall: RectHall, a: Point, b: Point) -> int:
    """Its length."""
    try:
        return distance_mm(hall, a, b)
    except HallError:
        return distance_mm(replace(hall, closed=()), a, b)
