"""Shortest walks between the places of a graph.

Places nobody asks about are taken out first, the ones with the fewest neighbours before others, each leaving arcs
that remember it; what is left is small enough for Dijkstra's method (Numerische Mathematik 1, 1959) from each place.
"""

from __future__ import annotations

import heapq
from collections.abc import Hashable, Iterable, Sequence
from typing import Generic, TypeVar

NEIGHBOURS_MAX = 3  # places with more ways in or out stay: taking them out would make more arcs than it saves

Node = TypeVar("Node", bound=Hashable)


class Network(Generic[Node]):
    """A directed graph with whole, non-negative lengths; between two places only the shortest arc counts."""

    def __init__(self, arcs: Iterable[tuple[Node, Node, int]]) -> None:
        self._out: dict[Node, dict[Node, int]] = {}
        self._into: dict[Node, dict[Node, int]] = {}
        self._over: dict[tuple[Node, Node], Node] = {}
        for a, b, length in arcs:
            self.add_node(a)
            self.add_node(b)
            self._offer(a, b, length)

    def add_node(self, node: Node) -> None:
        self._out.setdefault(node, {})
        self._into.setdefault(node, {})

    def __contains__(self, node: Node) -> bool:
        return node in self._out

    def _offer(self, a: Node, b: Node, length: int) -> bool:
        if a == b or self._out[a].get(b, length + 1) <= length:
            return False
        self._out[a][b] = self._into[b][a] = length
        return True

    def reduce_to(self, kept: set[Node]) -> None:
        """Take out every place not in `kept` that has few neighbours. The walks between the others stay."""
        waiting = [node for node in self._out if node not in kept]
        while waiting:
            again: list[Node] = []
            for node in waiting:
                if node in self._out and self._is_simple(node):
                    again.extend(near for near in self._take_out(node) if near not in kept)
            waiting = list(dict.fromkeys(again))

    def _is_simple(self, node: Node) -> bool:
        near = self._out[node].keys() | self._into[node].keys()
        return len(near) <= NEIGHBOURS_MAX

    def _take_out(self, node: Node) -> list[Node]:
        out, into = self._out.pop(node), self._into.pop(node)
        for a in into:
            del self._out[a][node]
        for b in out:
            del self._into[b][node]
        for a, before in into.items():
            for b, after in out.items():
                if self._offer(a, b, before + after):
                    self._over[a, b] = node
        return [*dict.fromkeys((*into, *out))]

    def from_one(self, start: Node, wanted: Sequence[Node]) -> tuple[dict[Node, int], dict[Node, Node]]:
        """Distances from `start` at least to all wanted places it reaches, and the place before each."""
        distance: dict[Node, int] = {start: 0}
        before: dict[Node, Node] = {}
        missing = set(wanted)
        done: set[Node] = set()
        heap: list[tuple[int, int, Node]] = [(0, 0, start)]
        pushed = 0
        while heap and missing:
            length, _, node = heapq.heappop(heap)
            if node in done:
                continue
            done.add(node)
            missing.discard(node)
            for after, leg in self._out[node].items():
                total = length + leg
                if total < distance.get(after, total + 1):
                    distance[after], before[after] = total, node
                    pushed += 1
                    heapq.heappush(heap, (total, pushed, after))
        return distance, before

    def unfold(self, a: Node, b: Node) -> list[Node]:
        """Places passed after `a` up to `b` on the arc between them, with those taken out."""
        places: list[Node] = []
        stack = [(a, b)]
        while stack:
            a, b = stack.pop()
            over = self._over.get((a, b))
            if over is None:
                places.append(b)
            else:
                stack += [(over, b), (a, over)]
        return places
