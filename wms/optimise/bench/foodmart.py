"""Reads the Foodmart problems of joint batching and routing (`//Header` lines, then values).

The depot is joined to the front of every aisle by a straight line of its own. What is read off the coordinates is
compared with the file's own arcs, so that another layout is refused rather than measured wrongly.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from wms.optimise.batching.problem import Cart, Order
from wms.optimise.bench.text import FileError, thousandths
from wms.optimise.geometry import HallError, Point, RectHall, Stop

Rows = list[tuple[int, list[str]]]


@dataclass(frozen=True)
class FoodmartProblem:
    hall: RectHall
    orders: tuple[Order, ...]
    carts: tuple[Cart, ...]


def read_foodmart(content: bytes) -> FoodmartProblem:
    """One Foodmart file. Raises FileError."""
    parts = _parts(content)
    points = _points(_need(parts, "vertices coordinates"))
    depot, arrival = (_single(parts, name) for name in ("departingdepot", "arrivaldepot"))
    places = {vertex: point for vertex, point in points.items() if vertex not in (depot, arrival)}
    crossings = _crossings(parts, places)
    hall, hub = _hall(points, depot, crossings), {depot, arrival}
    spokes: dict[int, int] = {}
    for number, (a, b, length) in _arcs(_need(parts, "start end distance")):
        if a in hub or b in hub:
            _take_spoke(number, hall, spokes, points, crossings, b if a in hub else a, length)
        elif a in places and b in places and _apart(places[a], places[b]) != length:
            raise FileError(number, f"the arc {a}-{b} is not as long as its ends are apart")
    try:
        hall = RectHall(hall.aisle_x_mm, hall.cross_y_mm, points[depot], spokes_mm=_in_order(hall, spokes))
    except (HallError, KeyError) as error:
        raise FileError(0, f"the depot is not joined to the front of every aisle: {error}") from error
    return FoodmartProblem(hall, _orders(parts, places, hall), (Cart((int(_single(parts, "k: nbboxestrolley")),)),))


def _parts(content: bytes) -> dict[str, Rows]:
    parts: dict[str, Rows] = {}
    rows: Rows = []
    for number, line in enumerate(content.decode("latin-1").splitlines(), 1):
        if line.startswith("//"):
            rows = parts.setdefault(line[2:].strip().lower(), [])
        elif line.strip():
            rows.append((number, line.split()))
    return parts


def _need(parts: dict[str, Rows], name: str) -> Rows:
    for header, rows in parts.items():
        if header.startswith(name) and rows:
            return rows
    raise FileError(0, f"the part //{name} is missing or empty")


def _single(parts: dict[str, Rows], name: str) -> int:
    number, words = _need(parts, name)[0]
    return _wholes(number, words)[0]


def _wholes(number: int, words: list[str]) -> list[int]:
    try:
        return [int(word) for word in words]
    except ValueError as error:
        raise FileError(number, f"expected whole numbers, found {' '.join(words)[:60]!r}") from error


def _points(rows: Rows) -> dict[int, Point]:
    points: dict[int, Point] = {}
    for number, words in rows:
        if len(words) < 3:
            raise FileError(number, "expected a vertex, x and y")
        x, y = (_signed(number, word) for word in words[1:3])
        points[_wholes(number, words[:1])[0]] = Point(x, y)
    return points


def _signed(number: int, word: str) -> int:
    return -thousandths(number, "coordinate", word[1:]) if word.startswith("-") else thousandths(number, "x or y", word)


def _crossings(parts: dict[str, Rows], places: dict[int, Point]) -> set[int]:
    """The last places of the file, before the depot of arrival."""
    return set(sorted(places)[-_single(parts, "nbverticesintersections") :])


def _hall(points: dict[int, Point], depot: int, crossings: set[int]) -> RectHall:
    aisles = tuple(sorted({points[vertex].x_mm for vertex in crossings}))
    crosses = tuple(sorted({points[vertex].y_mm for vertex in crossings}))
    if depot not in points:
        raise FileError(0, "the depot has no coordinates")
    try:
        return RectHall(aisles, crosses)
    except HallError as error:
        raise FileError(0, str(error)) from error


def _apart(a: Point, b: Point) -> int:
    return abs(a.x_mm - b.x_mm) + abs(a.y_mm - b.y_mm)


def _arcs(rows: Rows) -> list[tuple[int, tuple[int, int, int]]]:
    arcs = []
    for number, words in rows:
        if len(words) != 3:
            raise FileError(number, "expected start, end and distance")
        a, b = _wholes(number, words[:2])
        arcs.append((number, (a, b, thousandths(number, "distance", words[2]))))
    return arcs


def _take_spoke(
    number: int,
    hall: RectHall,
    spokes: dict[int, int],
    points: dict[int, Point],
    crossings: set[int],
    front: int,
    length: int,
) -> None:
    if front not in crossings:
        if length == 0:
            return  # from the depot of departure to that of arrival
        raise FileError(number, f"the depot is joined to {front}, which is no crossing")
    place = points[front]
    if place.y_mm != hall.cross_y_mm[0] or spokes.setdefault(place.x_mm, length) != length:
        raise FileError(number, f"the way from the depot to {front} is not the straight way to a front")


def _in_order(hall: RectHall, spokes: dict[int, int]) -> tuple[int, ...]:
    return tuple(spokes[x] for x in hall.aisle_x_mm)


def _orders(parts: dict[str, Rows], places: dict[int, Point], hall: RectHall) -> tuple[Order, ...]:
    location = {row[0]: row[1] for row in (_wholes(n, words[:2]) for n, words in _need(parts, "idx location volume"))}
    aisle = {x: index for index, x in enumerate(hall.aisle_x_mm)}
    orders: list[Order] = []
    for number, words in _need(parts, "idx m nbprodinorder"):
        index, baskets, count, *pairs = _wholes(number, words)
        if len(pairs) != 2 * count:
            raise FileError(number, f"order {index} says {count} products and holds {len(pairs) // 2}")
        missing = [product for product in pairs[::2] if location.get(product) not in places]
        if missing:
            raise FileError(number, f"product {missing[0]} has no place")
        spots = [places[location[product]] for product in pairs[::2]]
        stops = tuple(Stop(aisle[spot.x_mm], spot.y_mm) for spot in spots)
        orders.append(Order(str(index), stops, (baskets,)))
    return tuple(orders)


def unit_length(length_mm: int) -> int | float:
    """A length in the file's unit: whole where it is whole."""
    length = Decimal(length_mm) / 1_000
    return int(length) if length == length.to_integral_value() else float(length)
