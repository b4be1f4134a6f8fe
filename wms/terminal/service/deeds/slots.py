"""Slots: plan moves, decide about them."""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.call import Call
from wms.core.outbox import announce
from wms.people.values import Right
from wms.site import queries as site
from wms.slotting import moving
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


DEEDS: Mapping[str, Deed] = {
    "plan_moves": Deed(Right.ASSIGN_WORK, _plan_moves),
    "accept_moves": Deed(Right.ASSIGN_WORK, _accept_moves),
    "decline_moves": Deed(Right.ASSIGN_WORK, _decline_moves),
    "withdraw_move": Deed(Right.ASSIGN_WORK, _withdraw_move),
}
