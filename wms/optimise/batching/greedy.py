"""First plans: first come first served, and savings."""

from __future__ import annotations

import heapq
from collections.abc import Callable

import numpy as np

from wms.optimise.batching.loads import Loads
from wms.optimise.batching.pricing import TourPricer

Sets = list[frozenset[int]]


def first_come_first_served(loads: Loads) -> Sets:
    """Fill one cart after the other in the order of arrival; each kind that must not mix has its own open cart."""
    full: Sets = []
    open_cart: dict[int, list[int]] = {}
    for order in range(len(loads.load)):
        kind = int(loads.mix[order])
        if kind in open_cart and loads.may_ride([*open_cart[kind], order]):
            open_cart[kind].append(order)
            continue
        if kind in open_cart:
            full.append(frozenset(open_cart[kind]))
        open_cart[kind] = [order]
    return [*full, *map(frozenset, open_cart.values())]


def savings(loads: Loads, tours: TourPricer, begin: Sets, cancel: Callable[[], bool]) -> Sets:
    """Join the two batches whose joint tour saves most, price all pairs with the joint batch anew, and so on.

    Clarke and Wright's savings recomputed after each step: C&W(ii) of de Koster, van der Poort and Wolters (IJPR 37,
    1999), with exact tours instead of a rule of thumb. Once cancelled, what is joined so far.
    """
    groups = dict(enumerate(begin))
    heap: list[tuple[int, int, int]] = []
    for a in list(groups):
        if cancel():
            return begin
        _offer(heap, groups, loads, tours, a, [b for b in groups if b > a])
    while heap and not cancel():
        _, a, b = heapq.heappop(heap)
        if a not in groups or b not in groups:
            continue
        joint = max(groups) + 1 if groups else 0
        joint = max(joint, b + 1)
        groups[joint] = groups.pop(a) | groups.pop(b)
        _offer(heap, groups, loads, tours, joint, [c for c in groups if c != joint])
    return list(groups.values())


def _offer(
    heap: list[tuple[int, int, int]],
    groups: dict[int, frozenset[int]],
    loads: Loads,
    tours: TourPricer,
    a: int,
    others: list[int],
) -> None:
    if not others:
        return
    total = np.array([loads.total(groups[b]) for b in others])
    kind = np.array([loads.mix[next(iter(groups[b]))] for b in others])
    possible = loads.fits(total + loads.total(groups[a])) & (kind == loads.mix[next(iter(groups[a]))])
    partners = [b for b, fits in zip(others, possible.tolist(), strict=True) if fits]
    joint = tours.lengths([groups[a] | groups[b] for b in partners])
    apart = tours.lengths([groups[b] for b in partners])
    alone = tours.length(groups[a])
    for b, together, other in zip(partners, joint, apart, strict=True):
        heapq.heappush(heap, (together - alone - other, min(a, b), max(a, b)))
