"""People: hand work over, put it back on the board, offer again what was put aside."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from wms.core.call import Call
from wms.people import queries as people
from wms.people.values import Right
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said
from wms.work import service as work


def _hand_over(call: Call, args: Args) -> Done:
    person = people.person_by_id(call.session, call.warehouse_id, number(args, "person"))
    work.hand_over(call, number(args, "task"), person.id)
    call.wakes.add(f"person:{person.id}")
    return said("handed_over", name=person.name)


def _free_task(call: Call, args: Args) -> Done:
    """Back on the board for whoever comes next: the house takes it out of his hands."""
    as_house = replace(call, who=replace(call.who, person_id=None))
    work.give_back(as_house, number(args, "task"))
    return said("freed")


def _offer_again(call: Call, args: Args) -> Done:
    work.offer_again(call, number(args, "task"))
    return said("offered_again")


DEEDS: Mapping[str, Deed] = {
    "hand_over": Deed(Right.ASSIGN_WORK, _hand_over),
    "free_task": Deed(Right.ASSIGN_WORK, _free_task),
    "offer_again": Deed(Right.ASSIGN_WORK, _offer_again),
}
