"""Pick faces: look for what they need now, call a refill off, say how much is to lie in reach, change the rule."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.outbound.service.refills import plan_refills
from wms.people.values import Right
from wms.slotting import carrying, levels, reach
from wms.slotting.refill_rules import Levels, Rule
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said, text


def _plan_refills(call: Call, args: Args) -> Done:
    """Levels first, where they wait to be reckoned."""
    if levels.are_due(call):
        levels.reckon(call)
    return said("refills_planned", refills=plan_refills(call))


def _withdraw_refill(call: Call, args: Args) -> Done:
    carrying.withdraw(call, number(args, "refill"))
    return said("refill_withdrawn")


def _set_levels(call: Call, args: Args) -> Done:
    """Of a SKU by its id, or by its code where no other merchant has the same."""
    sku_id = number(args, "sku") if isinstance(args.get("sku"), int) else _sku_of(call, text(args, "code"))
    levels.set_by_hand(call, sku_id, Levels(number(args, "least"), number(args, "most")))
    return said("levels_set")


def _sku_of(call: Call, code: str) -> int:
    found = [
        each[code].id
        for merchant in catalog.merchants(call.session, call.warehouse_id)
        if code in (each := catalog.skus_by_code(call.session, call.warehouse_id, merchant.id, [code]))
    ]
    if len(found) != 1:
        raise Refused(Reason.SKU_UNKNOWN, sku=code[:40])
    return found[0]


def _free_levels(call: Call, args: Args) -> Done:
    levels.set_free(call, number(args, "sku"))
    return said("levels_free")


def _set_refill_rule(call: Call, args: Args) -> Done:
    reach.set_rule(call, Rule(**{one.name: number(args, one.name) for one in fields(Rule)}))
    return said("refill_rule_set")


DEEDS: Mapping[str, Deed] = {
    "plan_refills": Deed(Right.ASSIGN_WORK, _plan_refills),
    "withdraw_refill": Deed(Right.ASSIGN_WORK, _withdraw_refill),
    "set_levels": Deed(Right.ASSIGN_WORK, _set_levels),
    "free_levels": Deed(Right.ASSIGN_WORK, _free_levels),
    "set_refill_rule": Deed(Right.ASSIGN_WORK, _set_refill_rule),
}
