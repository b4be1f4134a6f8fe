"""The house: what was set aside, counts, and rows of the exceptions' list."""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.call import Call
from wms.counting import service as counting
from wms.people.values import Right
from wms.terminal.service import house
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said, text

PRIORITY_COUNT = 2


def _send_again(call: Call, args: Args) -> Done:
    house.send_again(call, number(args, "row"))
    return said("sent_again")


def _dismiss(call: Call, args: Args) -> Done:
    house.dismiss(call, number(args, "row"))
    return said("dismissed")


def _count_slot(call: Call, args: Args) -> Done:
    slot = text(args, "slot")
    counting.ask_for_count(call, slot, reason="promise", priority=PRIORITY_COUNT)
    return said("count_asked", slot=slot)


def _approve_count(call: Call, args: Args) -> Done:
    counting.approve(call, number(args, "count"))
    return said("count_approved")


def _acknowledge(call: Call, args: Args) -> Done:
    house.shelve(call, text(args, "key"), str(args.get("why") or "look")[:60])
    return said("shelved")


def _take_back(call: Call, args: Args) -> Done:
    house.shelve(call, text(args, "key"), "over", over=True)
    return said("unshelved")


DEEDS: Mapping[str, Deed] = {
    "send_again": Deed(Right.ASSIGN_WORK, _send_again),
    "dismiss": Deed(Right.ASSIGN_WORK, _dismiss),
    "count_slot": Deed(Right.ASSIGN_WORK, _count_slot),
    "approve_count": Deed(Right.APPROVE, _approve_count),
    "acknowledge": Deed(Right.SEE_TERMINAL, _acknowledge),
    "take_back": Deed(Right.SEE_TERMINAL, _take_back),
}
