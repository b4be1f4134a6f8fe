"""S14: the goods of an order that was cancelled on the way go back into a slot. Tote or parcel, then the slot."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.dialogue import (
    Dialogue,
    Fact,
    FactsCard,
    Key,
    Level,
    Message,
    Move,
    Scan,
    Screen,
    Step,
    TextCard,
    Turn,
    leave,
)
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.picking.service.stopped import restock, slot_for, stopped_in

_CONTAINERS = (Kind.TOTE, Kind.PARCEL, Kind.CONTAINER, Kind.PLAIN)
_ANYWHERE: frozenset[str | None] = frozenset({"scan_container", "scan_slot", None})
ROWS_MAX = 4


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    code = given.get("container")
    return Move("scan_container") if code is None else _opened(call, str(code))


def _opened(call: Call, code: str) -> Move:
    return Move("scan_slot", {"container": stopped_in(call, code).code})


def _ask(turn: Turn) -> Screen:
    return Screen(turn.say("stopped_order.scan_container"), icon="tote", keys=[_leave_key(turn)])


def _container_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in _CONTAINERS:
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("stopped_order.container"))
    return _opened(turn.call, scan.read.body)


def _goods(turn: Turn) -> Screen:
    stopped = stopped_in(turn.call, str(turn.state["container"]))
    rows = [
        Fact(slot_for(turn.call, goods) or turn.say("stopped_order.any_slot"), goods.sku_name, f"x {goods.quantity}")
        for goods in stopped.goods[:ROWS_MAX]
    ]
    return Screen(
        turn.say("stopped_order.scan_slot"),
        icon="slot",
        cards=[
            TextCard(turn.say("stopped_order.order", order=stopped.order_no, container=stopped.code)),
            FactsCard(rows, turn.say("stopped_order.back_to")),
        ],
        keys=[_leave_key(turn)],
    )


def _slot_scanned(turn: Turn, scan: Scan) -> Move:
    """Goods that were to go into this slot go there; into another slot goes everything that is left."""
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("stopped_order.slot"))
    code = str(turn.state["container"])
    for_here = [goods for goods in stopped_in(turn.call, code).goods if slot_for(turn.call, goods) == scan.read.body]
    left = restock(turn.call, code, scan.read.body, for_here[0].sku_id if for_here else None)
    if left.goods:
        message = Message(Level.OK, turn.say("stopped_order.some_back", left=sum(g.quantity for g in left.goods)))
        return Move("scan_slot", {"container": code}, message)
    done = turn.say("stopped_order.all_back", order=left.order_no)
    return Move("scan_container", {}, Message(Level.DONE, done, speech=done))


def _leave_key(turn: Turn) -> Key:
    return Key("F4", turn.say("stopped_order.leave"), "leave")


def _opens_with(call: Call, read: Read) -> Mapping[str, Any] | None:
    """A tote or parcel of a stopped order opens this dialogue from the menu."""
    if read.kind not in (Kind.TOTE, Kind.PARCEL):
        return None
    try:
        return {"container": stopped_in(call, read.body).code}
    except Refused:  # not of a stopped order: somebody else's dialogue
        return None


STOPPED_ORDER = Dialogue(
    name="stopped_order",
    title="stopped_order.title",
    right=Right.INTERCEPT,
    begin=_begin,
    opens_with=_opens_with,
    steps={
        "scan_container": Step(
            _ask, frozenset({"scan_container", "scan_slot", None}), _container_scanned, {"leave": leave}
        ),
        "scan_slot": Step(_goods, frozenset({"scan_slot", "scan_container", None}), _slot_scanned, {"leave": leave}),
    },
)
