"""Announced receipts, planned together: which band each should go to when they come one after the other.

A receipt may take a place that was free before, its own old one, or one that an earlier receipt left. Min-cost flow:
each band is a chain of pools, one for the places free at first and one for each place left in it; a receipt is joined
to the newest pool that is there when it comes, and pools overflow to older ones.
"""

from __future__ import annotations

import numpy as np

from wms.optimise.slotting.flow import COST_SCALE
from wms.optimise.slotting.values import Flags, Floats, Ints

ARCS_PER_RECEIPT = 40


def bands_in_turn(cost: Floats, free: Ints, left: Ints) -> Ints:
    """The band of each receipt, in the order in which they come, so that the sum of `cost` (receipts, bands) is least.

    `free` (bands,): places free before the first; `left` (receipts,): the band of the place each one leaves. There is
    always an answer, for everybody may stay. An infinite cost forbids a band other than one's own.
    """
    receipts, bands = cost.shape
    if not receipts:
        return np.zeros(0, dtype=np.int64)
    newest, pool_before = _pools(left, bands)
    opened = (free > 0)[None, :] | (newest >= bands)
    own = np.zeros(cost.shape, dtype=np.bool_)
    own[np.arange(receipts), left] = True
    judged = np.where(opened, cost, np.inf)
    best = np.argpartition(judged, min(ARCS_PER_RECEIPT, bands) - 1, axis=1)[:, :ARCS_PER_RECEIPT]
    arcs = own.copy()
    np.put_along_axis(arcs, best, True, axis=1)
    arcs &= np.isfinite(judged) | own
    return _flow(np.where(np.isfinite(cost), cost, 0.0), arcs, newest, pool_before, free)


def _pools(left: Ints, bands: int) -> tuple[Ints, Ints]:
    """(receipts, bands): the newest pool of each band when a receipt comes; and the pool older than each left place's.

    Pools 0 .. bands - 1 are the places free at first, pool bands + k the place that receipt k leaves.
    """
    newest = np.empty((len(left), bands), dtype=np.int64)
    older = np.empty(len(left), dtype=np.int64)
    now = np.arange(bands)
    for turn, band in enumerate(left.tolist()):
        older[turn] = now[band]
        now[band] = bands + turn
        newest[turn] = now
    return newest, older


def _flow(cost: Floats, arcs: Flags, newest: Ints, older: Ints, free: Ints) -> Ints:
    from ortools.graph.python import min_cost_flow  # the solver loads only when somebody plans

    receipts, bands = cost.shape
    who, band = np.nonzero(arcs)
    pools = receipts + np.arange(bands + receipts)
    sink = receipts + bands + receipts
    flow = min_cost_flow.SimpleMinCostFlow()
    unit = np.round(cost[who, band] * COST_SCALE).astype(np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(who, receipts + newest[who, band], np.ones_like(who), unit)
    overflow = np.full(receipts, receipts, dtype=np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(pools[bands:], receipts + older, overflow, np.zeros_like(overflow))
    places = np.r_[free, np.ones(receipts, dtype=np.int64)]
    flow.add_arcs_with_capacity_and_unit_cost(pools, np.full(len(pools), sink), places, np.zeros_like(places))
    flow.set_nodes_supplies(np.arange(receipts), np.ones(receipts, dtype=np.int64))
    flow.set_node_supply(sink, -receipts)
    if flow.solve() != flow.OPTIMAL:
        raise AssertionError("everybody may stay, so there is always a plan")
    taken = flow.flows(np.arange(len(who))) > 0
    result = np.empty(receipts, dtype=np.int64)
    result[who[taken]] = band[taken]
    return result
