"""The tours people walk without a computer: S-shape, largest gap, nearest next. Good for comparison only.

Definitions after Hall (IIE Transactions 25, 1993) and, for several blocks, Roodbergen and de Koster (IJPR 39, 2001).
"""

from __future__ import annotations

from collections.abc import Sequence

from wms.optimise.geometry import Point, RectHall, Stop, distance_mm, path_length_mm, stop_point, walk_through


def s_shape_path(
    hall: RectHall, stops: Sequence[Stop], start: Point | None = None, end: Point | None = None
) -> tuple[Point, ...]:
    """Walk through every aisle with a stop from one end to the other; in the last one turn round if need be.

    With several blocks the furthest block is reached along the leftmost aisle with a stop, then block after block is
    walked on the way back to the front.
    """
    begin, finish = _ends(hall, start, end)
    if not stops:
        return walk_through(hall, [begin, finish])
    path = [begin]
    blocks = _by_block(hall, stops)
    left_x = hall.aisle_x_mm[min(stop.aisle for stop in stops)]
    furthest = max(blocks)
    if hall.blocks > 1:
        path += [Point(left_x, begin.y_mm), Point(left_x, hall.cross_y_mm[furthest])]
    for block in sorted(blocks, reverse=True):
        path += _s_shape_block(hall, block, blocks[block], path[-1])
    return walk_through(hall, [*path, finish])


def _s_shape_block(hall: RectHall, block: int, aisles: dict[int, list[int]], here: Point) -> list[Point]:
    low, high = hall.cross_y_mm[block], hall.cross_y_mm[block + 1]
    order = sorted(aisles)
    if abs(hall.aisle_x_mm[order[-1]] - here.x_mm) < abs(hall.aisle_x_mm[order[0]] - here.x_mm):
        order.reverse()
    y = high if here.y_mm >= high else low
    path: list[Point] = []
    for index, aisle in enumerate(order):
        x = hall.aisle_x_mm[aisle]
        path.append(Point(x, y))
        if index == len(order) - 1 and y == low:
            path += [Point(x, max(aisles[aisle])), Point(x, low)]
        else:
            y = high if y == low else low
            path.append(Point(x, y))
    return path


def largest_gap_path(
    hall: RectHall, stops: Sequence[Stop], start: Point | None = None, end: Point | None = None
) -> tuple[Point, ...]:
    """Walk round each block; leave out of each aisle the largest stretch without a stop.

    The first and the last aisle of a block are walked through, all others entered from the end nearer to the stop.
    """
    begin, finish = _ends(hall, start, end)
    if not stops:
        return walk_through(hall, [begin, finish])
    path = [begin]
    blocks = _by_block(hall, stops)
    for block in sorted(blocks):
        path += _largest_gap_block(hall, block, blocks[block])
    return walk_through(hall, [*path, finish])


def _largest_gap_block(hall: RectHall, block: int, aisles: dict[int, list[int]]) -> list[Point]:
    low, high = hall.cross_y_mm[block], hall.cross_y_mm[block + 1]
    first, *middle = sorted(aisles)
    x = hall.aisle_x_mm[first]
    if not middle:
        return [Point(x, low), Point(x, max(aisles[first])), Point(x, low)]
    *middle, last = middle
    path = [Point(x, low), Point(x, high)]
    returns: list[Point] = []
    for aisle in middle:
        x = hall.aisle_x_mm[aisle]
        below, above = _around_largest_gap([low, *sorted(aisles[aisle]), high])
        path += [Point(x, high), Point(x, above), Point(x, high)]
        returns += [Point(x, low), Point(x, below), Point(x, low)]
    x = hall.aisle_x_mm[last]
    return [*path, Point(x, high), Point(x, low), *reversed(returns)]


def _around_largest_gap(ys: list[int]) -> tuple[int, int]:
    gap = max(range(1, len(ys)), key=lambda k: ys[k] - ys[k - 1])
    return ys[gap - 1], ys[gap]


def nearest_next_path(
    hall: RectHall, stops: Sequence[Stop], start: Point | None = None, end: Point | None = None
) -> tuple[Point, ...]:
    """Always walk to the nearest stop not yet visited."""
    begin, finish = _ends(hall, start, end)
    left = sorted({stop_point(hall, stop) for stop in stops})
    places = [begin]
    while left:
        nearest = min(left, key=lambda place: distance_mm(hall, places[-1], place))
        left.remove(nearest)
        places.append(nearest)
    return walk_through(hall, [*places, finish])


def s_shape_length_mm(hall: RectHall, stops: Sequence[Stop], start: Point | None = None) -> int:
    """Length of the S-shape tour from `start` (default: the hall's depot) and back: the figure to compare with."""
    begin = start or hall.start_point
    return path_length_mm(s_shape_path(hall, stops, begin, begin if start else None))


def largest_gap_length_mm(hall: RectHall, stops: Sequence[Stop], start: Point | None = None) -> int:
    """Length of the largest-gap tour."""
    begin = start or hall.start_point
    return path_length_mm(largest_gap_path(hall, stops, begin, begin if start else None))


def nearest_next_length_mm(hall: RectHall, stops: Sequence[Stop], start: Point | None = None) -> int:
    """Length of the nearest-next tour."""
    begin = start or hall.start_point
    return path_length_mm(nearest_next_path(hall, stops, begin, begin if start else None))


def _ends(hall: RectHall, start: Point | None, end: Point | None) -> tuple[Point, Point]:
    begin = start or hall.start_point
    return begin, end or (begin if start else hall.end_point)


def _by_block(hall: RectHall, stops: Sequence[Stop]) -> dict[int, dict[int, list[int]]]:
    """Stops by block and aisle; a stop on a cross aisle belongs to the block in front of it."""
    blocks: dict[int, dict[int, list[int]]] = {}
    for stop in stops:
        block = next(b for b in range(hall.blocks) if stop.y_mm <= hall.cross_y_mm[b + 1])
        blocks.setdefault(block, {}).setdefault(stop.aisle, []).append(stop.y_mm)
    return blocks
