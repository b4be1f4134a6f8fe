"""One slot asked for some goods: by the masks, the picture drawn anew."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.builders import Park
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.slotting import picture, rules
from wms.slotting.values import Goods, Rule


def why_not(park: Park, goods: Goods, code: str, leased_g: Mapping[int, int] | None = None) -> Rule | None:
    """The first rule that shuts the slot out."""

    def ask(call: Call) -> Rule | None:
        drawn = picture.picture_of(call.session, call.warehouse_id, fresh=True)
        kept = rules.masks(drawn.slots, drawn.occupied((), leased_g or {}), goods)
        return rules.first_broken(kept, drawn.slots.codes.index(code))

    return park.act(ask)


def goods_of(park: Park, sku: SkuFacts, quantity: int = 1, **facts: Any) -> Goods:
    """So many pieces; without a lot told, of the one that is none."""
    if "lot_id" not in facts:
        facts["lot_id"] = park.act(lambda call: catalog.ensure_lot(call, sku))
    return Goods(sku, quantity=quantity, **facts)
