"""What walks that carry goods show alike: the slot to go to, and the goods with the end of their bar code."""

from __future__ import annotations

from collections.abc import Sequence

from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.dialogue import ItemCard, LocationCard, Turn
from wms.site.values import SlotFacts

LEVELS_LEAST = 5


def place(turn: Turn, slot: SlotFacts, heading: str, state: str, walk_m: int | None = None) -> LocationCard:
    """Where to go, or (`state` "done") where one stands."""
    words = turn.say("slot.words", zone=slot.zone_code, side=turn.say(f"slot.side.{slot.side}"), level=slot.level)
    levels = max(LEVELS_LEAST, slot.level)
    return LocationCard(turn.say(heading), slot.code, words, slot.level, levels, state, walk_m)


def goods(
    turn: Turn, sku: SkuFacts, quantity: int, unit: str, state: str, *, case: int = 1, lines: Sequence[str] = ()
) -> ItemCard:
    """What to take, in pieces or in cases of so many: whose, how much, and the end of the bar code on it."""
    session, house = turn.call.session, turn.call.warehouse_id
    owner = catalog.merchant_by_id(session, house, sku.merchant_id).name
    return ItemCard(owner, sku.name, quantity, unit, catalog.tail_of(session, house, sku, case), lines, state)
