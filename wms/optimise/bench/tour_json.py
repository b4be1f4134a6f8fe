"""Reads `tour.json` (format tour/1): a rectangular hall or any graph, and the stops of one tour."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from wms.optimise.bench.text import FileError
from wms.optimise.geometry import GraphEdge, GraphHall, HallError, Point, RectHall, Stop, check_stop

STOPS_MAX = 2_000


@dataclass(frozen=True)
class RectTour:
    """Stops in a rectangular hall."""

    hall: RectHall
    stops: tuple[Stop, ...]


@dataclass(frozen=True)
class GraphTour:
    """Stops at nodes of a graph."""

    hall: GraphHall
    stops: tuple[str, ...]


def read_tour(content: bytes) -> RectTour | GraphTour:
    """One tour file. Raises FileError naming the line, or the part of the file, and why."""
    try:
        tour = json.loads(content)
    except json.JSONDecodeError as error:
        raise FileError(error.lineno, error.msg) from error
    except (UnicodeDecodeError, RecursionError) as error:
        raise FileError(1, "this is no JSON text") from error
    if not isinstance(tour, dict) or tour.get("format") != "tour/1":
        raise FileError(1, 'expected an object with "format": "tour/1"')
    layout, stops = tour.get("layout"), tour.get("stops")
    if not isinstance(layout, dict) or layout.get("kind") not in ("rect", "graph"):
        raise FileError(_line(content, "layout"), 'layout.kind is neither "rect" nor "graph"')
    if not isinstance(stops, list) or len(stops) > STOPS_MAX:
        raise FileError(_line(content, "stops"), f"stops is no list of at most {STOPS_MAX}")
    try:
        return _rect(content, layout, stops) if layout["kind"] == "rect" else _graph(content, layout, stops)
    except HallError as error:
        raise FileError(_line(content, "layout"), str(error)) from error


def _line(content: bytes, key: str) -> int:
    """The line in which a key stands first; 1 if it stands nowhere."""
    at = content.find(f'"{key}"'.encode())
    return content.count(b"\n", 0, at) + 1 if at >= 0 else 1


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _pair(content: bytes, key: str, value: Any) -> tuple[int, int]:
    if not isinstance(value, list) or len(value) != 2 or not all(map(_is_whole, value)):
        raise FileError(_line(content, key), f"{key}: {json.dumps(value)[:60]} is no pair of whole numbers")
    return value[0], value[1]


def _wholes(content: bytes, key: str, value: Any) -> tuple[int, ...]:
    if not isinstance(value, list) or not all(map(_is_whole, value)):
        raise FileError(_line(content, key), f"{key} is no list of whole numbers")
    return tuple(value)


def _rect(content: bytes, layout: dict[str, Any], stops: list[Any]) -> RectTour:
    places = {key: Point(*_pair(content, key, layout[key])) for key in ("depot_mm", "end_mm") if key in layout}
    if "depot_mm" not in places:
        raise FileError(_line(content, "layout"), "depot_mm is missing")
    aisles, crosses = (_wholes(content, key, layout.get(key)) for key in ("aisle_x_mm", "cross_y_mm"))
    hall = RectHall(aisles, crosses, places["depot_mm"], places.get("end_mm"))
    found = tuple(Stop(*_pair(content, "stops", stop)) for stop in stops)
    for stop in found:
        try:
            check_stop(hall, stop)
        except HallError as error:
            raise FileError(_line(content, "stops"), str(error)) from error
    return RectTour(hall, found)


def _graph(content: bytes, layout: dict[str, Any], stops: list[Any]) -> GraphTour:
    edges = layout.get("edges")
    if not isinstance(edges, list):
        raise FileError(_line(content, "layout"), "edges is no list")
    names = [*stops, layout.get("depot"), *([layout["end"]] if "end" in layout else [])]
    for name in names:
        if not isinstance(name, str):
            raise FileError(_line(content, "stops"), f"{json.dumps(name)[:60]} is no name of a node")
    hall = GraphHall(tuple(_edge(content, edge) for edge in edges), names[len(stops)], layout.get("end"))
    for name in stops:
        if name not in hall.nodes:
            raise FileError(_line(content, "stops"), f"unknown node {name}")
    return GraphTour(hall, tuple(stops))


def _edge(content: bytes, edge: Any) -> GraphEdge:
    sound = (
        isinstance(edge, list)
        and len(edge) == 4
        and all(isinstance(name, str) for name in edge[:2])
        and _is_whole(edge[2])
        and edge[3] in ("both", "oneway")
    )
    if not sound:
        raise FileError(_line(content, "edges"), f'{json.dumps(edge)[:80]} is no ["a", "b", mm, "both" or "oneway"]')
    return GraphEdge(edge[0], edge[1], edge[2], oneway=edge[3] == "oneway")
