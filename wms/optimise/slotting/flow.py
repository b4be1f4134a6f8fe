"""SKUs into bands at the least cost: min-cost flow, and what a place in each band is worth.

The flow is OR-tools' cost-scaling push-relabel. Of each SKU only its cheapest bands (at the prices of last time) become
arcs; all its bands do where those do not suffice.
"""

from __future__ import annotations

import numpy as np

from wms.optimise.slotting.values import Flags, Floats, Ints

ARCS_PER_SKU = 20
COST_SCALE = 1000.0  # millimetres a week: the flow wants whole numbers


def assign(cost: Floats, room: Ints, prices_before: Floats | None = None) -> Ints:
    """The band of each SKU so that the sum of `cost` (SKUs, bands) is least and no band takes more than `room`.

    Raises ValueError when there is less room than SKUs. An infinite cost forbids a band.
    """
    skus, bands = cost.shape
    if skus > int(room.sum()):
        raise ValueError(f"{skus} SKUs do not fit into {int(room.sum())} places")
    if skus == 0:
        return np.zeros(0, dtype=np.int64)
    near = min(ARCS_PER_SKU, bands)
    if prices_before is not None and near < bands:
        judged = cost + prices_before
        arcs = np.zeros(cost.shape, dtype=np.bool_)
        np.put_along_axis(arcs, np.argpartition(judged, near - 1, axis=1)[:, :near], True, axis=1)
        found = _flow(cost, room, arcs & np.isfinite(cost))
        if found is not None:
            return found
    found = _flow(cost, room, np.isfinite(cost))
    if found is None:
        raise ValueError("not every SKU has a band it may lie in")
    return found


def _flow(cost: Floats, room: Ints, arcs: Flags) -> Ints | None:
    from ortools.graph.python import min_cost_flow  # the solver loads only when somebody plans

    skus, bands = cost.shape
    sku, band = np.nonzero(arcs)
    flow = min_cost_flow.SimpleMinCostFlow()
    unit = np.round(cost[sku, band] * COST_SCALE).astype(np.int64)
    flow.add_arcs_with_capacity_and_unit_cost(sku, skus + band, np.ones(len(sku), dtype=np.int64), unit)
    ends = skus + np.arange(bands)
    flow.add_arcs_with_capacity_and_unit_cost(ends, np.full(bands, skus + bands), room, np.zeros(bands, dtype=np.int64))
    flow.set_nodes_supplies(np.arange(skus), np.ones(skus, dtype=np.int64))
    flow.set_node_supply(skus + bands, -skus)
    if flow.solve() != flow.OPTIMAL:
        return None
    taken = flow.flows(np.arange(len(sku))) > 0
    result = np.empty(skus, dtype=np.int64)
    result[sku[taken]] = band[taken]
    return result


def prices(cost: Floats, band: Ints, room: Ints) -> Floats:
    """What one more place in each band would save, in the unit of `cost`; 0 where places are left. Shape (bands,).

    The dual of the flow, found as shortest ways of pushing a SKU on from band to band until one has room.
    """
    bands = cost.shape[1]
    push = np.full((bands, bands), np.inf)
    order = np.argsort(band, kind="stable")
    at = band[order]
    if len(at):
        first = np.flatnonzero(np.r_[True, at[1:] != at[:-1]])
        extra = cost[order] - cost[order, at][:, None]
        push[at[first]] = np.minimum.reduceat(extra, first, axis=0)
    full = np.bincount(band, minlength=bands) >= room
    price = np.where(full, np.inf, 0.0)
    for _ in range(bands):
        lower = np.minimum(price, (push + price).min(axis=1))
        if np.array_equal(lower, price):
            break
        price = lower
    worst = price[np.isfinite(price)].max(initial=0.0)
    return np.asarray(np.where(np.isfinite(price), np.maximum(0.0, price), worst))
