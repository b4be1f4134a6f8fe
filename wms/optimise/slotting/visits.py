"""What it costs to have a SKU in a band: the walks that would be made for it alone.

A line is dear where nobody else of its tour goes. For each SKU and lane the share of its past orders is counted that
would enter the lane for this SKU only: no other line of the order lies there, and no stranger on the same cart is
likely to. Rarely ordered SKUs are pulled towards the average, so that chance meetings do not place goods (smoothed
co-order clusters).
"""

from __future__ import annotations

import numpy as np

from wms.optimise.slotting.values import Flags, Floats, Ground, Ints, Lines, Tuning

FULL_SHARE = 0.83  # of a cart's lines that a usual cart has, for the next order often does not fit


def lonely_shares(lines: Lines, lane: Ints, lanes: int, tuning: Tuning) -> Floats:
    """(SKUs, lanes): the share of visits to each lane that would be made for this SKU alone.

    `lane` is where each SKU lies now. Order sizes and strangers as in `Tuning`.
    """
    skus = len(lane)
    recent = lines.age_weeks < tuning.order_weeks
    sku, age = lines.sku[recent], lines.age_weeks[recent]
    if not len(sku):
        return np.ones((skus, lanes))
    _, order = np.unique(lines.order[recent], return_inverse=True)
    orders = int(order.max()) + 1
    at = lane[sku]
    inside = np.bincount(order * lanes + at, minlength=orders * lanes).reshape(orders, lanes)
    size = np.bincount(order, minlength=orders)
    weight = 0.5 ** (age / tuning.order_half_life_weeks)
    alone = _no_stranger(inside > 0, size, tuning)
    by_sku = np.argsort(sku, kind="stable")
    empty = np.where(inside == 0, alone, 0.0)
    total = _sums(empty[order[by_sku]] * weight[by_sku, None], sku[by_sku], skus)
    only_mine = inside[order, at] == 1
    own = np.where(only_mine, alone[order, at] * weight, 0.0)
    total += np.bincount(sku * lanes + at, own, minlength=skus * lanes).reshape(skus, lanes)
    visits = np.bincount(sku, weight, minlength=skus)
    usual = total.sum(axis=0) / weight.sum()
    share: Floats = (total + tuning.doubt_visits * usual) / (visits + tuning.doubt_visits)[:, None]
    return share


def _no_stranger(entered: Flags, size: Ints, tuning: Tuning) -> Floats:
    """(orders, lanes): how likely nobody else on the cart enters the lane; large orders go without strangers."""
    small = size <= tuning.tour_lines_max
    if not small.any():
        return np.ones(entered.shape)
    share = np.minimum(0.999, entered[small].mean(axis=0))
    per_line = -np.log1p(-share) / size[small].mean()
    strangers = np.where(small, np.maximum(0, FULL_SHARE * tuning.tour_lines_max - size), 0)
    return np.asarray(np.exp(-np.multiply.outer(strangers, per_line)))


def _sums(rows: Floats, group: Ints, groups: int) -> Floats:
    """Sums of the rows of each group; `group` ascending."""
    result = np.zeros((groups, rows.shape[1]))
    first = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
    result[group[first]] = np.add.reduceat(rows, first, axis=0)
    return result


def band_costs(ground: Ground, speed: Floats, lonely: Floats, tuning: Tuning) -> Floats:
    """(SKUs, bands): metres a week that a SKU costs in a band.

    A lonely visit walks to the lane and through it, or in and back where that is shorter; in company it only goes a
    little deeper.
    """
    length = ground.lane_length_m[ground.band_lane]
    turn = np.minimum(length, 2.0 * ground.band_depth_m)
    visit = ground.lane_reach_m[ground.band_lane] + (1.0 - tuning.turning) * length + tuning.turning * turn
    company = tuning.depth_share * ground.band_depth_m
    alone = lonely[:, ground.band_lane]
    return np.asarray(speed[:, None] * (alone * visit + (1.0 - alone) * company))
