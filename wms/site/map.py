"""The floor plan as a picture: values in, SVG out.

One unit is one metre. Colours come from the page's style sheet by class (`wall`, `h0`..`h6`, `eq`, `rt d1`, `pt`,
`stop`, `warn`, `hold`), so that the same picture is right in light and dark; routes differ by their dashes, trouble by
its shape and number, a blocked aisle by its hatching. The front wall is at the bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from wms.optimise.geometry import Point

HEAT_STEPS = 7
DASHES = ("", "2.4 1.2", "0.8 1", "4 1 0.8 1", "1.6 0.8", "3 0.8 0.8 0.8 0.8 0.8")
MARGIN_M = 4.0
PERSON_R_M = 1.7
LABEL_BELOW_M = 2.1
TOUCH_M = 2.6
_BAY_WIDTH_M = 1.84

Trouble = Literal["stop", "warn", "hold"]
_SHAPES: dict[Trouble, tuple[str, str]] = {
    "stop": ("7.5,2 16.5,2 22,7.5 22,16.5 16.5,22 7.5,22 2,16.5 2,7.5", "1"),
    "warn": ("12,2 23,22 1,22", "2"),
    "hold": ("12,1 23,12 12,23 1,12", "3"),
}


@dataclass(frozen=True, slots=True)
class MapBay:
    """A bay's face on its aisle; `heat` 0-6; `title` is told on hovering ("B12-07: 14")."""

    x_mm: int
    y_mm: int
    depth_mm: int
    heat: int
    title: str = ""


@dataclass(frozen=True, slots=True)
class MapBox:
    """A table, door or chute, with its name beneath and trouble as its shape."""

    x_mm: int
    y_mm: int
    width_mm: int
    depth_mm: int
    label: str = ""
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class MapPerson:
    """Somebody on the floor, by the first sign of the name."""

    x_mm: int
    y_mm: int
    name: str
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class MapRoute:
    """A walk, corner by corner; each has a dash pattern of its own, the first none."""

    corners: tuple[Point, ...]
    title: str = ""


@dataclass(frozen=True, slots=True)
class MapBlock:
    """A closed stretch of an aisle, hatched and named (a zone's aisles: one of them)."""

    x_mm: int
    from_y_mm: int
    to_y_mm: int
    width_mm: int
    label: str


@dataclass(frozen=True, slots=True)
class MapTouch:
    """An aisle that can be chosen by pressing it: the page's option it stands for, its name, whether it is chosen."""

    x_mm: int
    from_y_mm: int
    to_y_mm: int
    option: str
    name: str
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class MapLabel:
    """Words on the floor."""

    x_mm: int
    y_mm: int
    text: str
    large: bool = False


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """Everything on the floor. `name` makes the picture's ids its own; `title` names it for who cannot see it.

    `shown_x_mm` cuts the picture to a part of the width.
    """

    width_mm: int
    depth_mm: int
    outline: tuple[Point, ...]
    name: str = "floor"
    title: str = ""
    bays: Sequence[MapBay] = ()
    boxes: Sequence[MapBox] = ()
    labels: Sequence[MapLabel] = ()
    people: Sequence[MapPerson] = ()
    routes: Sequence[MapRoute] = ()
    blocked: Sequence[MapBlock] = field(default_factory=tuple)
    touches: Sequence[MapTouch] = ()
    shown_x_mm: tuple[int, int] | None = None


def heat_classes(values: Sequence[int]) -> list[int]:
    """Values as steps 0-6 of one hue: 0 stays 0, the greatest is 6, the rest even between."""
    top = max(values, default=0)
    return [0 if top == 0 else -(-value * (HEAT_STEPS - 1) // top) for value in values]


def map_svg(plan: FloorPlan) -> str:
    """The plan as one `<svg>` element, without any inline style."""
    return "".join(_parts(plan))


def _parts(plan: FloorPlan) -> Iterator[str]:
    left_mm, right_mm = plan.shown_x_mm or (0, plan.width_mm)
    width_m, depth_m = (right_mm - left_mm) / 1000 + 2 * MARGIN_M, plan.depth_mm / 1000 + 2 * MARGIN_M
    left_m = left_mm / 1000 - MARGIN_M
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="floor" role="img" aria-label="{escape(plan.title)}" '
        f'viewBox="{_m(left_m)} {_m(-MARGIN_M)} {_m(width_m)} {_m(depth_m)}" preserveAspectRatio="xMidYMid meet">'
    )
    yield _hatching(plan)
    yield f'<path class="wall" d="M{"L".join(_at(plan, corner.x_mm, corner.y_mm) for corner in plan.outline)}Z"/>'
    yield from (_bay(plan, bay) for bay in plan.bays)
    yield from (_block(plan, block) for block in plan.blocked)
    yield from (_box(plan, box) for box in plan.boxes)
    yield from (_label(plan, label) for label in plan.labels)
    yield from (_route(plan, number, route) for number, route in enumerate(plan.routes))
    yield from (_person(plan, person) for person in plan.people)
    yield from (_touch(plan, touch) for touch in plan.touches)
    yield "</svg>"


def _hatching(plan: FloorPlan) -> str:
    return (
        f'<defs><pattern id="{escape(plan.name)}-hatch" width="1.4" height="1.4" patternUnits="userSpaceOnUse" '
        'patternTransform="rotate(45)"><rect class="hatch-gap" width="1.4" height="1.4"/>'
        '<rect class="hatch-line" width="0.7" height="1.4"/></pattern></defs>'
    )


def _bay(plan: FloorPlan, bay: MapBay) -> str:
    assert 0 <= bay.heat < HEAT_STEPS, "heat has seven steps"
    depth_m = bay.depth_mm / 1000
    x_m, y_m = bay.x_mm / 1000 - depth_m / 2, _y(plan, bay.y_mm) - _BAY_WIDTH_M / 2
    shape = f'<rect class="h{bay.heat}" x="{_m(x_m)}" y="{_m(y_m)}" width="{_m(depth_m)}" height="{_m(_BAY_WIDTH_M)}"'
    return f"{shape}><title>{escape(bay.title)}</title></rect>" if bay.title else f"{shape}/>"


def _block(plan: FloorPlan, block: MapBlock) -> str:
    top_m, height_m = _y(plan, block.to_y_mm), (block.to_y_mm - block.from_y_mm) / 1000
    x_m, width_m = block.x_mm / 1000, block.width_mm / 1000
    shape = (
        f'<rect class="hatch" x="{_m(x_m - width_m / 2)}" y="{_m(top_m)}" width="{_m(width_m)}" '
        f'height="{_m(height_m)}" fill="url(#{escape(plan.name)}-hatch)"/>'
    )
    if not block.label:
        return shape
    place = f'x="{_m(x_m)}" y="{_m(top_m - 0.9)}" text-anchor="middle"'
    return f'{shape}<text class="zt2 blocked" {place}>▲ {escape(block.label)}</text>'


def _touch(plan: FloorPlan, touch: MapTouch) -> str:
    """As wide as the aisle with its racks, so that it is hit; a chosen one has its name at the front."""
    x_m, top_m = touch.x_mm / 1000, _y(plan, touch.to_y_mm)
    height_m = (touch.to_y_mm - touch.from_y_mm) / 1000
    on = " on" if touch.chosen else ""
    at = f'x="{_m(x_m)}" y="{_m(top_m + height_m + 3)}" text-anchor="middle"'
    name = f"<text {at}>{escape(touch.name)}</text>" if touch.chosen else ""
    return (
        f'<g class="touch{on}" data-option="{escape(touch.option)}"><title>{escape(touch.name)}</title>'
        f'<rect x="{_m(x_m - TOUCH_M / 2)}" y="{_m(top_m)}" width="{_m(TOUCH_M)}" height="{_m(height_m)}"/>'
        f"{name}</g>"
    )


def _box(plan: FloorPlan, box: MapBox) -> str:
    width_m, depth_m = box.width_mm / 1000, box.depth_mm / 1000
    x_m, y_m = box.x_mm / 1000, _y(plan, box.y_mm)
    mark = f" {box.trouble}" if box.trouble else ""
    parts = [
        f'<rect class="eq{mark}" x="{_m(x_m - width_m / 2)}" y="{_m(y_m - depth_m / 2)}" '
        f'width="{_m(width_m)}" height="{_m(depth_m)}"/>'
    ]
    if box.label:
        below_m = y_m + depth_m / 2 + 2.4
        parts.append(
            f'<text class="zt2" x="{_m(x_m)}" y="{_m(below_m)}" text-anchor="middle">{escape(box.label)}</text>'
        )
    if box.trouble:
        parts.append(_shape(x_m, y_m - depth_m / 2 - 1.6, box.trouble))
    return "".join(parts)


def _label(plan: FloorPlan, label: MapLabel) -> str:
    size = "zt" if label.large else "zt2"
    place = f'x="{_m(label.x_mm / 1000)}" y="{_m(_y(plan, label.y_mm))}"'
    return f'<text class="{size}" {place} text-anchor="middle">{escape(label.text)}</text>'


def _route(plan: FloorPlan, number: int, route: MapRoute) -> str:
    which = number % len(DASHES)
    dashes = f' stroke-dasharray="{DASHES[which]}"' if DASHES[which] else ""
    points = " ".join(_at(plan, corner.x_mm, corner.y_mm) for corner in route.corners)
    title = f"<title>{escape(route.title)}</title>" if route.title else ""
    return f'<polyline class="rt d{which}" points="{points}" fill="none"{dashes}>{title}</polyline>'


def _person(plan: FloorPlan, person: MapPerson) -> str:
    x_m, y_m = person.x_mm / 1000, _y(plan, person.y_mm)
    mark = f" {person.trouble}" if person.trouble else ""
    sign = _shape(x_m + 1.6, y_m - 1.6, person.trouble) if person.trouble else ""
    return (
        f'<g class="pt{mark}"><title>{escape(person.name)}</title>'
        f'<circle cx="{_m(x_m)}" cy="{_m(y_m)}" r="{_m(PERSON_R_M)}"/>'
        f'<text x="{_m(x_m)}" y="{_m(y_m)}" dy="0.36em" text-anchor="middle">{escape(person.name[:1])}</text></g>{sign}'
    )


def _shape(x_m: float, y_m: float, trouble: Trouble) -> str:
    """Octagon 1, triangle 2, diamond 3: readable without colour."""
    points, number = _SHAPES[trouble]
    baseline = 20 if trouble == "warn" else 17
    return (
        f'<g class="sign {trouble}" transform="translate({_m(x_m - 1.44)} {_m(y_m - 1.44)}) scale(0.12)">'
        f'<polygon points="{points}"/><text x="12" y="{baseline}" text-anchor="middle">{number}</text></g>'
    )


def _y(plan: FloorPlan, y_mm: int) -> float:
    """The drawing's y grows downwards, the hall's from the front wall to the back."""
    return (plan.depth_mm - y_mm) / 1000


def _at(plan: FloorPlan, x_mm: int, y_mm: int) -> str:
    return f"{_m(x_mm / 1000)},{_m(_y(plan, y_mm))}"


def _m(metres: float) -> str:
    return f"{metres:.2f}".rstrip("0").rstrip(".")
