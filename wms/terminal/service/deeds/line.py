"""The sorting line: chutes, routes, rejects."""

from __future__ import annotations

import re
from collections.abc import Mapping

from wms.core.call import Call
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.sorting import service as sorting
from wms.sorting.values import Finding
from wms.terminal.service import house
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, numbers, said, text

CHUTES_TYPED_MAX = 100
_CHUTE = re.compile(r"[0-9]{1,4}")


def _empty_chute(call: Call, args: Args) -> Done:
    chute = number(args, "chute")
    house.known_chute(call, chute)
    sorting.empty_chute(call, chute)
    return said("chute_emptied", chute=chute)


def _open_chute(call: Call, args: Args) -> Done:
    chute = number(args, "chute")
    house.tell_chute(call, chute, "OPEN")
    return said("chute_opened", chute=chute)


def _lock_chute(call: Call, args: Args) -> Done:
    chute = number(args, "chute")
    house.tell_chute(call, chute, "LOCK")
    return said("chute_locked", chute=chute)


def _plan_line(call: Call, args: Args) -> Done:
    """Working it out takes seconds: it begins after the commit. Chutes that are to close: `without`, a list, or as
    they were typed beside the button (`closed`).
    """
    without = sorted({*(numbers(args, "without") if "without" in args else []), *_typed(args.get("closed", ""))})
    for chute in without:
        house.known_chute(call, chute)
    announce(call, "sortplan.wanted", "sortplan", by=call.actor, closed=without)
    return said("line_plan_wanted")


def _typed(words: object) -> list[int]:
    """Chutes as people write them: "5, 9" or "5 9"."""
    parts = re.split(r"[\s,，、;；/]+", words.strip()) if isinstance(words, str) else ["?"]
    if len(parts) > CHUTES_TYPED_MAX or any(part and not _CHUTE.fullmatch(part) for part in parts):
        raise Refused(Reason.BAD_INPUT, what="chutes, as in 5, 9")
    return [int(part) for part in parts if part]


def _accept_line_plan(call: Call, args: Args) -> Done:
    return said("line_plan_accepted", bags=sorting.accept_plan(call, number(args, "plan")))


def _decline_line_plan(call: Call, args: Args) -> Done:
    sorting.decline_plan(call, number(args, "plan"))
    return said("line_plan_declined")


def _route_again(call: Call, args: Args) -> Done:
    """Parcels that had no route are looked up in the plan anew."""
    kind = text(args, "kind")
    if kind not in set(Finding):
        raise Refused(Reason.BAD_INPUT, what="kind")
    parcels = house.parcels_of_findings(call, Finding(kind))
    for parcel_id in parcels:
        sorting.route_parcel(call, parcel_id)
    return said("routed", parcels=len(parcels))


def _reject_done(call: Call, args: Args) -> Done:
    house.handle_reject(call, number(args, "divert"))
    return said("reject_done")


def _fetch(call: Call, args: Args) -> Done:
    """The line is told once more to reject the order's parcels, and the row says who goes to fetch them."""
    sorting.route_order(call, number(args, "order"))
    house.shelve(call, text(args, "key"), "fetch")
    return said("fetch")


DEEDS: Mapping[str, Deed] = {
    "empty_chute": Deed(Right.CONTROL_LINE, _empty_chute),
    "open_chute": Deed(Right.CONTROL_LINE, _open_chute),
    "lock_chute": Deed(Right.CONTROL_LINE, _lock_chute),
    "plan_line": Deed(Right.CONTROL_LINE, _plan_line),
    "accept_line_plan": Deed(Right.CONTROL_LINE, _accept_line_plan),
    "decline_line_plan": Deed(Right.CONTROL_LINE, _decline_line_plan),
    "route_again": Deed(Right.CONTROL_LINE, _route_again),
    "reject_done": Deed(Right.CONTROL_LINE, _reject_done),
    "fetch": Deed(Right.INTERCEPT, _fetch),
}
