"""`wms bench route`: solves tours from files and says how long, how good and how fast."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TextIO

from wms.optimise.bench.foodmart import unit_length
from wms.optimise.bench.text import BYTES_MAX, FileError, TextProblem, read_text
from wms.optimise.bench.tour_json import GraphTour, RectTour, read_tour
from wms.optimise.geometry import HallError
from wms.optimise.routing import Limits, Route, plan_graph_route, plan_route
from wms.optimise.routing.graph import default_limits
from wms.optimise.routing.rect import frame
from wms.optimise.routing.scattered import ScatteredRoute, Supply, plan_scattered_route
from wms.optimise.routing.states import state_tables

SEARCH_CPU_S_PER_STOP = 0.0045  # a search may use this much of a processor for each stop

Answer = dict[str, Any]


def bench_route(files: Sequence[str], out: TextIO, err: TextIO) -> int:
    """One JSON line per good file on `out`, one plain line per bad file on `err`; 0, or 2 when a file was bad."""
    return for_each_file(files, out, err, _answer)


def for_each_file(files: Sequence[str], out: TextIO, err: TextIO, solve: Callable[[bytes], Answer]) -> int:
    """Answer the good files, name the bad ones."""
    bad = 0
    for name in files:
        try:
            answer = {"file": name, **solve(read_bytes(name))}
        except (FileError, HallError, OSError) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else error
            print(f"{name}: {reason}", file=err)
            bad += 1
            continue
        print(json.dumps(answer), file=out, flush=True)
    return 2 if bad else 0


def read_bytes(name: str) -> bytes:
    path = Path(name)
    if path.is_file() and path.stat().st_size > BYTES_MAX:
        raise FileError(0, f"larger than {BYTES_MAX} bytes")
    return path.read_bytes()


def _answer(content: bytes) -> Answer:
    if content.lstrip().startswith((b"{", b"[")):
        return _tour_answer(read_tour(content))
    problem = read_text(content)
    if len(problem.orders) != 1:
        raise FileError(0, f"holds {len(problem.orders)} orders: one tour is wanted (see bench batch)")
    _warm(len(problem.hall.cross_y_mm), problem.hall.end is not None)
    return _scattered_answer(problem) if _is_scattered(problem) else _text_answer(problem)


def _warm(rows: int, open_tour: bool) -> None:
    state_tables(rows, open_tour)
    frame.cache_clear()


def _tour_answer(tour: RectTour | GraphTour) -> Answer:
    limits = search_limits(len(tour.stops))
    if isinstance(tour, RectTour):
        hall = tour.hall
        if hall.blocks <= 4:
            _warm(len(hall.cross_y_mm), hall.start_point != hall.end_point)
        route, cpu_ms = timed(lambda: plan_route(hall, tour.stops, limits=limits))
    else:
        graph, names = tour.hall, tour.stops
        route, cpu_ms = timed(lambda: plan_graph_route(graph, names, limits=limits))
    return {
        **_common(route, list(route.sequence)),
        "length": route.length_mm,
        "lower_bound": route.lower_bound_mm,
        "cpu_ms": cpu_ms,
    }


def search_limits(stops: int) -> Limits:
    """What a search over so many stops may use: rounds, and seconds of the processor from now on."""
    deadline_s = time.process_time() + SEARCH_CPU_S_PER_STOP * stops
    return Limits(rounds=default_limits(stops).rounds, stop=lambda: time.process_time() > deadline_s)


def timed(solve: Callable[[], Any]) -> tuple[Any, float]:
    """The answer, and the processor time it took in ms."""
    begin = time.process_time()
    answer = solve()
    return answer, round((time.process_time() - begin) * 1_000, 3)


def _common(route: Route, sequence: list[int]) -> Answer:
    return {"length": 0, "sequence": sequence, "optimal": route.optimal, "lower_bound": 0, "method": route.method}


def _text_answer(problem: TextProblem) -> Answer:
    cells = problem.cells_of()
    for line in problem.orders[0]:
        lying = cells[line.article][0].quantity
        if lying < line.quantity:
            raise FileError(line.at, f"article {line.article}: {line.quantity} ordered, {lying} in its cell")
    stops = [cells[line.article][0].stop for line in problem.orders[0]]
    route, cpu_ms = timed(lambda: plan_route(problem.hall, stops))
    return {
        **_common(route, list(route.sequence)),
        "length": _with_stub(problem, route.length_mm),
        "lower_bound": _with_stub(problem, route.lower_bound_mm),
        "cpu_ms": cpu_ms,
    }


def _with_stub(problem: TextProblem, length_mm: int) -> int | float:
    return unit_length(length_mm + 2 * problem.stub_mm)


def _is_scattered(problem: TextProblem) -> bool:
    cells = problem.cells_of()
    return any(len(cells[line.article]) > 1 for line in problem.orders[0])


def _scattered_answer(problem: TextProblem) -> Answer:
    needs: dict[str, int] = {}
    row: dict[str, int] = {}
    for index, line in enumerate(problem.orders[0]):
        needs[line.article] = needs.get(line.article, 0) + line.quantity
        row.setdefault(line.article, index)
    supplies = [Supply(cell.article, cell.stop, cell.quantity) for cell in problem.cells]
    found, cpu_ms = timed(lambda: plan_scattered_route(problem.hall, supplies, needs))
    assert isinstance(found, ScatteredRoute)
    picked = [(problem.cells[pick.supply], pick.quantity) for pick in found.picks]
    return {
        **_common(found.route, list(dict.fromkeys(row[cell.article] for cell, _ in picked))),
        "length": _with_stub(problem, found.route.length_mm),
        "cells": [[cell.aisle, cell.cell, _number(cell.article), quantity] for cell, quantity in picked],
        "lower_bound": _with_stub(problem, found.route.lower_bound_mm),
        "cpu_ms": cpu_ms,
    }


def _number(article: str) -> int | str:
    return int(article) if article.isdecimal() else article
