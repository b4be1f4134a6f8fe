"""The floor plan as a picture: values in, SVG out.

One unit is one metre, in a small hall less, so that words and signs have room beside what they name. Colours come from
the page's style sheet by class (`wall`, `h0`..`h6`, `eq`, `rt d1`, `pt`, `stop`, `warn`, `hold`), so that the same
picture is right in light and dark; routes differ by their dashes, trouble by its shape and number, a blocked aisle by
its hatching. The front wall is at the bottom.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from wms.optimise.geometry import Point

HEAT_STEPS = 7
DASHES = ("", "2.4 1.2", "0.8 1", "4 1 0.8 1", "1.6 0.8", "3 0.8 0.8 0.8 0.8 0.8")
ACROSS_MIN = 80  # units a picture has at least, along its longer side
MARGIN = 4.0
WORD_HIGH = 2.7
PERSON_R = 1.7
NAME_ROOM = 2.4  # below a box, for its name
TOUCH_MM = 2_600
_BAY_WIDTH_MM = 1_840

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
    """A table, door or chute, with its name beneath (above, at the front wall) and trouble as its shape."""

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

    @property
    def unit_mm(self) -> float:
        """Millimetres of the hall in one unit of the picture."""
        left_mm, right_mm = self.shown_x_mm or (0, self.width_mm)
        return min(1_000.0, max(right_mm - left_mm, self.depth_mm) / ACROSS_MIN)

    @property
    def view(self) -> str:
        """The picture's window, as an SVG `viewBox`."""
        left_mm, right_mm = self.shown_x_mm or (0, self.width_mm)
        wide, high = (right_mm - left_mm) / self.unit_mm + 2 * MARGIN, self.depth_mm / self.unit_mm + 2 * MARGIN
        return f"{_n(left_mm / self.unit_mm - MARGIN)} {_n(-MARGIN)} {_n(wide)} {_n(high)}"

    def place(self, x_mm: float, y_mm: float) -> tuple[float, float]:
        """Where a point of the hall lies in the picture: its y grows downwards, the hall's from front to back."""
        return x_mm / self.unit_mm, (self.depth_mm - y_mm) / self.unit_mm


def heat_classes(values: Sequence[int]) -> list[int]:
    """Values as steps 0-6 of one hue: 0 stays 0, the greatest is 6, the rest even between."""
    top = max(values, default=0)
    return [0 if top == 0 else -(-value * (HEAT_STEPS - 1) // top) for value in values]


def map_svg(plan: FloorPlan) -> str:
    """The plan as one `<svg>` element, without any inline style."""
    return "".join(_parts(plan))


def _parts(plan: FloorPlan) -> Iterator[str]:
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="floor" role="img" aria-label="{escape(plan.title)}" '
        f'viewBox="{plan.view}" preserveAspectRatio="xMidYMid meet">'
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
    shape = f'<rect class="h{bay.heat}" {_around(plan, bay.x_mm, bay.y_mm, bay.depth_mm, _BAY_WIDTH_MM)}'
    return f"{shape}><title>{escape(bay.title)}</title></rect>" if bay.title else f"{shape}/>"


def _block(plan: FloorPlan, block: MapBlock) -> str:
    middle_mm, length_mm = (block.from_y_mm + block.to_y_mm) / 2, block.to_y_mm - block.from_y_mm
    shape = (
        f'<rect class="hatch" {_around(plan, block.x_mm, middle_mm, block.width_mm, length_mm)} '
        f'fill="url(#{escape(plan.name)}-hatch)"/>'
    )
    if not block.label:
        return shape
    x, top = plan.place(block.x_mm, block.to_y_mm)
    return f'{shape}<text class="zt2 blocked" {_middle(x, top - 0.9)}>▲ {escape(block.label)}</text>'


def _touch(plan: FloorPlan, touch: MapTouch) -> str:
    """As wide as the aisle with its racks, so that it is hit; a chosen one has its name at the front."""
    middle_mm, length_mm = (touch.from_y_mm + touch.to_y_mm) / 2, touch.to_y_mm - touch.from_y_mm
    x, front = plan.place(touch.x_mm, touch.from_y_mm)
    on = " on" if touch.chosen else ""
    name = f"<text {_middle(x, front + 3)}>{escape(touch.name)}</text>" if touch.chosen else ""
    return (
        f'<g class="touch{on}" data-option="{escape(touch.option)}"><title>{escape(touch.name)}</title>'
        f"<rect {_around(plan, touch.x_mm, middle_mm, TOUCH_MM, length_mm)}/>{name}</g>"
    )


def _box(plan: FloorPlan, box: MapBox) -> str:
    x, front = plan.place(box.x_mm, box.y_mm - box.depth_mm / 2)
    _, back = plan.place(box.x_mm, box.y_mm + box.depth_mm / 2)
    _, wall = plan.place(0, 0)
    mark = f" {box.trouble}" if box.trouble else ""
    parts = [f'<rect class="eq{mark}" {_around(plan, box.x_mm, box.y_mm, box.width_mm, box.depth_mm)}/>']
    if box.label:
        name_y = front + NAME_ROOM if front + NAME_ROOM + 0.4 < wall else back - 0.8  # never across the front wall
        parts.append(f'<text class="zt2" {_middle(x, name_y)}>{escape(box.label)}</text>')
    if box.trouble:
        parts.append(_shape(x, back - 1.6, box.trouble))
    return "".join(parts)


def _label(plan: FloorPlan, label: MapLabel) -> str:
    """What is said over the back wall of a small hall, where a metre is wide, stays in the picture."""
    size = "zt" if label.large else "zt2"
    x, y = plan.place(label.x_mm, label.y_mm)
    return f'<text class="{size}" {_middle(x, max(y, WORD_HIGH - MARGIN))}>{escape(label.text)}</text>'


def _route(plan: FloorPlan, number: int, route: MapRoute) -> str:
    which = number % len(DASHES)
    dashes = f' stroke-dasharray="{DASHES[which]}"' if DASHES[which] else ""
    points = " ".join(_at(plan, corner.x_mm, corner.y_mm) for corner in route.corners)
    title = f"<title>{escape(route.title)}</title>" if route.title else ""
    return f'<polyline class="rt d{which}" points="{points}" fill="none"{dashes}>{title}</polyline>'


def _person(plan: FloorPlan, person: MapPerson) -> str:
    x, y = plan.place(person.x_mm, person.y_mm)
    mark = f" {person.trouble}" if person.trouble else ""
    sign = _shape(x + 1.6, y - 1.6, person.trouble) if person.trouble else ""
    return (
        f'<g class="pt{mark}"><title>{escape(person.name)}</title>'
        f'<circle cx="{_n(x)}" cy="{_n(y)}" r="{_n(PERSON_R)}"/>'
        f'<text x="{_n(x)}" y="{_n(y)}" dy="0.36em" text-anchor="middle">{escape(person.name[:1])}</text></g>{sign}'
    )


def _shape(x: float, y: float, trouble: Trouble) -> str:
    """Octagon 1, triangle 2, diamond 3: readable without colour."""
    points, number = _SHAPES[trouble]
    baseline = 20 if trouble == "warn" else 17
    return (
        f'<g class="sign {trouble}" transform="translate({_n(x - 1.44)} {_n(y - 1.44)}) scale(0.12)">'
        f'<polygon points="{points}"/><text x="12" y="{baseline}" text-anchor="middle">{number}</text></g>'
    )


def _around(plan: FloorPlan, x_mm: float, y_mm: float, width_mm: float, depth_mm: float) -> str:
    """Place and size of a rectangle around its middle."""
    x, y = plan.place(x_mm - width_mm / 2, y_mm + depth_mm / 2)
    return f'x="{_n(x)}" y="{_n(y)}" width="{_n(width_mm / plan.unit_mm)}" height="{_n(depth_mm / plan.unit_mm)}"'


def _middle(x: float, y: float) -> str:
    return f'x="{_n(x)}" y="{_n(y)}" text-anchor="middle"'


def _at(plan: FloorPlan, x_mm: int, y_mm: int) -> str:
    x, y = plan.place(x_mm, y_mm)
    return f"{_n(x)},{_n(y)}"


def _n(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
