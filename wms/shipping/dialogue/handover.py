"""S13 handover: the courier, then bag after bag and parcel after parcel, the count, the driver's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.dialogue import (
    BigCard,
    Card,
    Choice,
    ChooseCard,
    Dialogue,
    Fact,
    FactsCard,
    Input,
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
from wms.shipping import manifests, queries
from wms.shipping.labels import number_on_label

COURIER, SCAN, SIGN = "choose_courier", "scan_parcel", "sign"


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    return Move(COURIER, {})


def _courier_screen(turn: Turn) -> Screen:
    waiting = queries.ready_by_courier(turn.call.session, turn.call.warehouse_id)
    rows = [Choice(one.courier, one.name, turn.say("handover.ready", parcels=one.parcels)) for one in waiting]
    return Screen(
        prompt=turn.say("handover.choose"),
        icon="truck",
        cards=[ChooseCard(rows[:6])],
        keys=[leave_key(turn)],
    )


def _chosen(turn: Turn, value: str) -> Move:
    manifest = manifests.open_manifest(turn.call, value)
    return Move(SCAN, {"manifest": manifest.id, "courier": value}, Message(Level.OK, manifest.no))


def _scan_screen(turn: Turn) -> Screen:
    manifest = queries.manifest(turn.call.session, turn.call.warehouse_id, int(turn.state["manifest"]))
    left = len(manifests.missing(turn.call.session, manifest))
    cards: list[Card] = [
        BigCard(turn.say("handover.scanned"), str(manifest.parcels), turn.say("handover.pieces"), manifest.no),
        FactsCard(
            [
                Fact(turn.say("handover.bags"), str(manifest.bags)),
                Fact(turn.say("handover.weight"), f"{manifest.weight_g / 1000:.1f} kg"),
                Fact(turn.say("handover.left"), str(left), good=left == 0),
            ]
        ),
    ]
    return Screen(
        prompt=turn.say("handover.scan"),
        cards=cards,
        status=[(turn.say("handover.courier"), manifest.courier)],
        keys=[Key("F1", turn.say("handover.sign"), "sign"), leave_key(turn)],
    )


def _scanned(turn: Turn, scan: Scan) -> Move:
    code = scan.read.body if scan.read.kind is Kind.BAG else number_on_label(turn.call, scan.read)
    done = manifests.hand_over(turn.call, int(turn.state["manifest"]), code)
    return Move(SCAN, dict(turn.state), Message(Level.OK, code, str(done.total), speech=str(done.total)))


def _to_sign(turn: Turn, _value: str) -> Move:
    return Move(SIGN, dict(turn.state))


def _sign_screen(turn: Turn) -> Screen:
    manifest = queries.manifest(turn.call.session, turn.call.warehouse_id, int(turn.state["manifest"]))
    missing = manifests.missing(turn.call.session, manifest)
    asks_reason = bool(missing) and not turn.state.get("reason")
    label = turn.say("handover.reason") if asks_reason else turn.say("handover.driver")
    return Screen(
        prompt=label,
        icon="pen",
        cards=[
            BigCard(turn.say("handover.scanned"), str(manifest.parcels), turn.say("handover.pieces"), manifest.no),
            FactsCard([Fact(turn.say("handover.left"), str(len(missing)), ", ".join(missing[:3]), not missing)]),
        ],
        input=Input("text", label, "reason" if asks_reason else "driver"),
        keys=[Key("F4", turn.say("dialogue.back"), "back")],
    )


def _reason(turn: Turn, value: str) -> Move:
    if not value.strip():
        raise Refused(Reason.BAD_INPUT, what=turn.say("handover.reason"))
    return Move(SIGN, {**turn.state, "reason": value.strip()[:200]})


def _signed(turn: Turn, value: str) -> Move:
    if not value.strip():
        raise Refused(Reason.BAD_INPUT, what=turn.say("handover.driver"))
    manifest = manifests.close_manifest(
        turn.call,
        int(turn.state["manifest"]),
        signed_by=value.strip()[:60],
        missing_reason=turn.state.get("reason"),
    )
    words = turn.say("handover.closed", parcels=manifest.parcels, bags=manifest.bags)
    return Move(None, {}, Message(Level.DONE, words, manifest.no, speech=words))


def _back(turn: Turn, _value: str) -> Move:
    return Move(SCAN, {"manifest": turn.state["manifest"], "courier": turn.state["courier"]})


HANDOVER = Dialogue(
    name="handover",
    title="handover.title",
    right="hand_over",
    begin=_begin,
    steps={
        COURIER: Step(_courier_screen, frozenset({SCAN, None}), None, {"choose": _chosen, "leave": leave}),
        SCAN: Step(_scan_screen, frozenset({SCAN, SIGN, None}), _scanned, {"sign": _to_sign, "leave": leave}),
        SIGN: Step(
            _sign_screen, frozenset({SIGN, SCAN, None}), None, {"reason": _reason, "driver": _signed, "back": _back}
        ),
    },
)
