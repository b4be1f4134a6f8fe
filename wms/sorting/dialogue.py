"""S12 line assist: the line is down or a parcel lies beside it; scan it, the screen says the chute, scan goes on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.dialogue import (
    BigCard,
    Card,
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
    Turn,
    leave,
    leave_key,
)
from wms.core.refusal import Reason, Refused
from wms.shipping.labels import number_on_label
from wms.sorting import service

PARCEL, CHUTE = "scan_parcel", "put_in_chute"


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    return Move(PARCEL, {})


def _parcel_screen(turn: Turn) -> Screen:
    return Screen(prompt=turn.say("assist.scan_parcel"), keys=[leave_key(turn)])


def _parcel_scanned(turn: Turn, scan: Scan) -> Move:
    code = number_on_label(turn.call, scan.read)
    parcel, chutes = service.chute_for(turn.call.session, turn.call.warehouse_id, code)
    state = {"parcel": parcel.id, "waybill": parcel.waybill, "chutes": chutes, "hub": parcel.hub}
    first = chutes.split("/")[0]
    return Move(CHUTE, state, Message(Level.OK, turn.say("assist.chute", chute=first), parcel.hub, speech=first))


def _chute_screen(turn: Turn) -> Screen:
    chutes = str(turn.state["chutes"])
    cards: list[Card] = [
        BigCard(turn.say("assist.put_into"), chutes.split("/")[0], "", str(turn.state["hub"])),
        FactsCard(
            [Fact(turn.say("assist.waybill"), str(turn.state["waybill"])), Fact(turn.say("assist.group"), chutes)]
        ),
    ]
    return Screen(
        prompt=turn.say("assist.put_or_next"),
        cards=cards,
        keys=[Key("F1", turn.say("assist.done"), "done"), leave_key(turn)],
    )


def _done(turn: Turn, _value: str) -> Move:
    """Put by hand: booked as the line would have."""
    service.sort_by_hand(turn.call, int(turn.state["parcel"]), int(str(turn.state["chutes"]).split("/")[0]))
    return Move(PARCEL, {}, Message(Level.DONE, turn.say("assist.booked")))


def _next_scanned(turn: Turn, scan: Scan) -> Move:
    """The next parcel's scan says that the last one lies in its chute. The same parcel again changes nothing."""
    if number_on_label(turn.call, scan.read) == turn.state["waybill"]:
        raise Refused(Reason.PARCEL_TWICE, parcel=str(turn.state["waybill"]))
    _done(turn, "")
    try:
        return _parcel_scanned(turn, scan)
    except Refused as no:  # only read: the parcel before it lies in its chute all the same and stays booked
        stopped = no.reason is Reason.ORDER_INTERCEPTED
        words = turn.say(f"reason.{no.reason.value}", **no.facts)
        level = Level.INTERCEPTED if stopped else Level.WRONG
        return Move(PARCEL, {}, Message(level, words, code=no.reason.value, scanned=scan.raw, speech=words))


LINE_ASSIST = Dialogue(
    name="line_assist",
    title="assist.title",
    right="sort",
    begin=_begin,
    steps={
        PARCEL: Step(_parcel_screen, frozenset({CHUTE, None}), _parcel_scanned, {"leave": leave}),
        CHUTE: Step(_chute_screen, frozenset({PARCEL, CHUTE, None}), _next_scanned, {"done": _done, "leave": leave}),
    },
)
