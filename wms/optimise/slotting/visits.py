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
    """(SKUs, lanes): the share of a SKU's lines that would take somebody into the lane for this SKU alone.

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
    carts = _Carts(np.bincount(order, minlength=orders), tuning)
    weight = 0.5 ** (age / tuning.order_half_life_weeks)
    visits = np.bincount(sku, weight, minlength=skus)
    weight = weight * carts.first_of_its_kind(order, sku, skus)
    share = carts.entered(inside > 0)
    empty = np.where(inside == 0, carts.no_stranger(share), 0.0)
    by_sku = np.argsort(sku, kind="stable")
    total = _sums(empty[order[by_sku]] * weight[by_sku, None], sku[by_sku], skus)
    # Where it lies now, strangers who come for the same goods are no company: they would come along.
    only_mine = inside[order, at] == 1
    came_for_it = np.bincount(sku, only_mine & carts.small[order], minlength=skus) / max(1, int(carts.small.sum()))
    others = carts.no_stranger_at(np.maximum(0.0, share[at] - came_for_it[sku]), order)
    own = np.where(only_mine, others * weight, 0.0)
    total += np.bincount(sku * lanes + at, own, minlength=skus * lanes).reshape(skus, lanes)
    usual = total.sum(axis=0) / visits.sum()
    result: Floats = (total + tuning.doubt_visits * usual) / (visits + tuning.doubt_visits)[:, None]
    return result


class _Carts:
    """With whom each order goes: a small one with strangers until the cart is full, a large one alone."""

    def __init__(self, size: Ints, tuning: Tuning) -> None:
        self.small: Flags = size <= tuning.tour_lines_max
        self._mean = float(size[self.small].mean()) if self.small.any() else 1.0
        self._lines = np.where(self.small, np.maximum(0.0, FULL_SHARE * tuning.tour_lines_max - size), 0.0)

    def entered(self, inside: Flags) -> Floats:
        """(lanes,): the share of small orders that enter each lane; `inside` is (orders, lanes)."""
        return inside[self.small].mean(axis=0) if self.small.any() else np.zeros(inside.shape[1])

    def no_stranger(self, share: Floats) -> Floats:
        """(orders, lanes): how likely no stranger on the cart enters a lane that such a share of orders enters."""
        return np.asarray(np.exp(np.multiply.outer(self._lines, _log_out(share) / self._mean)))

    def no_stranger_at(self, share: Floats, order: Ints) -> Floats:
        """The same for one lane of each of some orders."""
        return np.asarray(np.exp(self._lines[order] * _log_out(share) / self._mean))

    def first_of_its_kind(self, order: Ints, sku: Ints, skus: int) -> Floats:
        """(lines,): visits a line makes, when all lines of one SKU on a cart are one visit."""
        ordered = np.bincount(sku[self.small[order]], minlength=skus) / max(1, int(self.small.sum()))
        share = np.clip(ordered, 1e-9, 1.0)[sku]
        on_cart = 1.0 + self._lines[order] / self._mean
        return np.asarray((1.0 - (1.0 - share) ** on_cart) / (on_cart * share))


def _log_out(share: Floats) -> Floats:
    return np.log1p(-np.minimum(0.999, share))


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
