"""Questions and rates of the slots' page: what if, what work and room cost, how high heavy goods are lifted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.outbox import announce
from wms.people.values import Right
from wms.site import queries as site
from wms.slotting import costs, whatif
from wms.slotting.gains import Rates
from wms.slotting.values import Lift
from wms.slotting.whatif import Conditions
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said


def _ask_what_if(call: Call, args: Args) -> Done:
    """Reckoning takes seconds: it begins after the commit. Raises NOT_FOUND where there is no hall yet."""
    site.hall(call.session, call.warehouse_id)
    aisle = None if args.get("aisle") is None else number(args, "aisle")
    question = whatif.ask(call, Conditions(number(args, "moves"), number(args, "season"), aisle))
    announce(call, "what_if.asked", "slots", question=question)
    return said("what_if_asked")


def _set_rates(call: Call, args: Args) -> Done:
    given = {one.name: number(args, one.name) for one in fields(Rates)}
    costs.set_rates(call, Rates(**given))
    note(call, "rates.set", **given)
    return said("rates_set")


def _set_lift(call: Call, args: Args) -> Done:
    given = {one.name: number(args, one.name) for one in fields(Lift)}
    costs.set_lift(call, Lift(**given))
    note(call, "lift.set", **given)
    return said("lift_set")


DEEDS: Mapping[str, Deed] = {
    "ask_what_if": Deed(Right.ASSIGN_WORK, _ask_what_if),
    "set_rates": Deed(Right.APPROVE, _set_rates),
    "set_lift": Deed(Right.APPROVE, _set_lift),
}
