"""What may ride together: loads against carts, and orders that must not mix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.problem import Cart, Order


class Loads:
    """Loads as a matrix, padded with zeros; limits padded with "no limit"."""

    def __init__(self, orders: Sequence[Order], carts: Sequence[Cart]) -> None:
        parts = max([1, *(len(order.load) for order in orders), *(len(cart.capacity) for cart in carts)])
        self.load = np.zeros((len(orders), parts), dtype=np.int64)
        for index, order in enumerate(orders):
            self.load[index, : len(order.load)] = order.load
        self.limit = np.full((len(carts), parts), np.iinfo(np.int64).max, dtype=np.int64)
        for index, cart in enumerate(carts):
            self.limit[index, : len(cart.capacity)] = cart.capacity
        kinds = {kind: number for number, kind in enumerate(sorted({order.mix for order in orders}))}
        self.mix = np.array([kinds[order.mix] for order in orders], dtype=np.int64)

    def fits(self, load: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether each load [..., parts] fits some cart."""
        within = np.asarray(load[..., None, :] <= self.limit)
        return np.asarray(np.any(np.all(within, axis=-1), axis=-1))

    def total(self, members: Sequence[int] | frozenset[int]) -> NDArray[np.int64]:
        result: NDArray[np.int64] = self.load[list(members)].sum(axis=0)
        return result

    def may_ride(self, members: Sequence[int] | frozenset[int]) -> bool:
        return bool(self.fits(self.total(members))) and len(set(self.mix[list(members)].tolist())) <= 1
