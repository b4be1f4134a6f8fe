"""Slots: plan moves and racks divided anew, decide about them, count spare parts."""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.call import Call
from wms.core.outbox import announce
from wms.people.values import Right
from wms.site import queries as site
from wms.site import racks
from wms.site.rules import Parts
from wms.slotting import dividing, moving
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, numbers, said


def _plan_moves(call: Call, args: Args) -> Done:
    """Planning takes seconds: it begins after the commit. Raises NOT_FOUND where there is no hall yet."""
    site.hall(call.session, call.warehouse_id)
    announce(call, "moves.wanted", "slots", by=call.actor)
    return said("moves_wanted")


def _accept_moves(call: Call, args: Args) -> Done:
    return said("moves_accepted", moves=moving.accept(call, numbers(args, "moves")))


def _decline_moves(call: Call, args: Args) -> Done:
    return said("moves_declined", moves=moving.decline(call, numbers(args, "moves")))


def _withdraw_move(call: Call, args: Args) -> Done:
    moving.withdraw(call, number(args, "move"))
    return said("move_withdrawn")


def _plan_divisions(call: Call, args: Args) -> Done:
    """Planning takes seconds: it begins after the commit. Raises NOT_FOUND where there is no hall yet."""
    site.hall(call.session, call.warehouse_id)
    announce(call, "divisions.wanted", "slots", by=call.actor)
    return said("divisions_wanted")


def _accept_divisions(call: Call, args: Args) -> Done:
    wanted = numbers(args, "bays")
    done = dividing.accept(call, wanted)
    if done < len(set(wanted)):
        return said("divisions_some", bays=done, dropped=len(set(wanted)) - done)
    return said("divisions_accepted", bays=done)


def _decline_divisions(call: Call, args: Args) -> Done:
    return said("divisions_declined", bays=dividing.decline(call, numbers(args, "bays")))


def _withdraw_division(call: Call, args: Args) -> Done:
    dividing.withdraw(call, number(args, "bay"))
    return said("division_withdrawn")


def _set_spare_parts(call: Call, args: Args) -> Done:
    racks.set_spare_parts(call, number(args, "depth_mm"), Parts(number(args, "beams"), number(args, "dividers")))
    return said("parts_set")


DEEDS: Mapping[str, Deed] = {
    "plan_moves": Deed(Right.ASSIGN_WORK, _plan_moves),
    "accept_moves": Deed(Right.ASSIGN_WORK, _accept_moves),
    "decline_moves": Deed(Right.ASSIGN_WORK, _decline_moves),
    "withdraw_move": Deed(Right.ASSIGN_WORK, _withdraw_move),
    "plan_divisions": Deed(Right.ASSIGN_WORK, _plan_divisions),
    "accept_divisions": Deed(Right.ASSIGN_WORK, _accept_divisions),
    "decline_divisions": Deed(Right.ASSIGN_WORK, _decline_divisions),
    "withdraw_division": Deed(Right.ASSIGN_WORK, _withdraw_division),
    "set_spare_parts": Deed(Right.ASSIGN_WORK, _set_spare_parts),
}
