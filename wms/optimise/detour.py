"""The shortest walk where the straight one is closed (Dijkstra, Numerische Mathematik 1, 1959)."""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Mapping, Sequence
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)


def shortest_walk(ways: Mapping[Place, Sequence[tuple[Place, int]]], a: Place, b: Place) -> list[Place]:
    """Places of a shortest walk from `a` to `b`, both included; none where no way leads there.

    `ways` holds for each place the next ones with their distances, whole and not negative.
    """
    length: dict[Place, int] = {a: 0}
    before: dict[Place, Place] = {}
    heap: list[tuple[int, int, Place]] = [(0, 0, a)]
    pushed = 0
    while heap:
        so_far, _, here = heapq.heappop(heap)
        if here == b:
            return _back(before, a, b)
        for there, leg in ways.get(here, ()):
            if so_far + leg < length.get(there, so_far + leg + 1):
                length[there], before[there] = so_far + leg, here
                pushed += 1
                heapq.heappush(heap, (so_far + leg, pushed, there))
    return []


def _back(before: Mapping[Place, Place], a: Place, b: Place) -> list[Place]:
    path = [b]
    while path[-1] != a:
        path.append(before[path[-1]])
    return path[::-1]
