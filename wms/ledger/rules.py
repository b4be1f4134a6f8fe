"""What movements do to stock rows, decided without the database."""

from __future__ import annotations

from collections.abc import Iterable, Set

from wms.ledger.values import Movement, StockKey


def changes(movements: Iterable[Movement], virtual_ids: Set[int]) -> dict[StockKey, int]:
    """Net change of each real stock row, in key order. Rows that end as they began are left out.

    Key order for rows that are new, so that two posts that make the same ones wait for each other and never deadlock.
    """
    net: dict[StockKey, int] = {}
    for movement in movements:
        for place_id, sign in ((movement.source_id, -1), (movement.target_id, +1)):
            if place_id not in virtual_ids:
                key = key_at(movement, place_id)
                net[key] = net.get(key, 0) + sign * movement.quantity
    return {key: net[key] for key in sorted(net) if net[key]}


def key_at(movement: Movement, place_id: int) -> StockKey:
    """The row of the goods that are moved, at one of the movement's two places."""
    return StockKey(
        movement.merchant_id, place_id, movement.sku_id, movement.lot_id, str(movement.condition), movement.book
    )
