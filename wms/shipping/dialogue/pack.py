"""S10 pack check and S11 weighing: the tote, each piece, the weight from the station's scale; the label prints, and
is scanned.

The label is the last act of packing and the first of shipping, so the dialogue stands here: closing a parcel, its
weight check, its number and its route are one command.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.codes import Kind, Read
from wms.core.dialogue import (
    BigCard,
    Card,
    CountsCard,
    Dialogue,
    Fact,
    FactsCard,
    Input,
    ItemCard,
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
    pips,
)
from wms.core.refusal import Reason, Refused
from wms.packing import queries, service
from wms.packing.rules import tolerance_g
from wms.packing.values import ParcelFacts, ParcelState
from wms.picking.queries.lists import order_in_tote
from wms.printing import queries as printing
from wms.printing.values import JobState
from wms.shipping import service as shipping
from wms.shipping.labels import number_on_label, reprint_waybill
from wms.site import queries as site

ORDER, ITEM, WEIGH, LABEL = "scan_tote", "scan_item", "weigh", "scan_label"
_PIPS = {ORDER: "pack.tote", ITEM: "pack.item", WEIGH: "pack.weight", LABEL: "pack.label"}
DOUBTFUL = frozenset({JobState.UNCERTAIN, JobState.FAILED})
WEIGHT_FRESH = timedelta(seconds=10)


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    if given.get("tote"):
        return _open_parcel(call, str(given["tote"]))
    return Move(ORDER, {})


def _opens_with(call: Call, read: Read) -> Mapping[str, Any] | None:
    return {"tote": read.body} if read.kind is Kind.TOTE else None


def _open_parcel(call: Call, tote: str) -> Move:
    order_id = order_in_tote(call.session, call.warehouse_id, tote)
    if order_id is None:
        raise Refused(Reason.CONTAINER_EMPTY, container=tote)
    parcel = service.begin_parcel(call, order_id=order_id, station_id=call.who.station_id)
    return Move(ITEM, {"parcel": parcel.id}, Message(Level.OK, parcel.order_no, parcel.merchant_name))


def _order_screen(turn: Turn) -> Screen:
    due = _labels_due(turn)
    cards: list[Card] = [FactsCard([Fact(turn.say("pack.labels_due"), str(due), good=False)])] if due else []
    return Screen(
        prompt=turn.say("pack.scan_tote"),
        pips=pips(turn, _PIPS, ORDER),
        cards=cards,
        status=_station(turn),
        keys=[leave_key(turn)],
    )


def _labels_due(turn: Turn) -> int:
    call = turn.call
    if call.who.station_id is None:
        return 0
    return len(printing.labels_due(call.session, call.warehouse_id, call.who.station_id))


def _station(turn: Turn) -> list[tuple[str, str]]:
    call = turn.call
    if call.who.station_id is None:
        return []
    return [(turn.say("pack.station"), site.station_by_id(call.session, call.warehouse_id, call.who.station_id).code)]


def _tote_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.TOTE, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("pack.tote"), scanned=scan.raw)
    return _open_parcel(turn.call, scan.read.body)


def _item_screen(turn: Turn) -> Screen:
    parcel = _parcel(turn)
    order = queries.to_pack(turn.call.session, parcel.order_id, turn.state.get("last_sku"))
    cards: list[Card] = []
    if order.following:
        next_one, *others = order.following
        rest = [f"{line.name} × {line.left}" for line in others]
        cards.append(ItemCard(parcel.merchant_name, next_one.name, next_one.left, next_one.unit, next_one.tail, rest))
    labels = [turn.say(f"pack.count.{name}") for name in ("should", "done", "left", "short")]
    cards.append(CountsCard(order.picked, order.packed, order.picked - order.packed, 0, labels))
    return Screen(
        prompt=turn.say("pack.scan_item"),
        pips=pips(turn, _PIPS, ITEM),
        cards=cards,
        input=_more_alike(turn, order.alike),
        status=[(turn.say("pack.order"), parcel.order_no), *_station(turn)],
        keys=[
            Key("F2", turn.say("pack.next_parcel"), "next_parcel"),
            leave_key(turn),
        ],
    )


def _more_alike(turn: Turn, left: int) -> Input | None:
    """A number may be typed for the article scanned last, while more of it is wanted."""
    return Input("quantity", turn.say("pack.more_alike"), "quantity", str(left), 1, left) if left else None


def _item_scanned(turn: Turn, scan: Scan) -> Move:
    call, parcel = turn.call, _parcel(turn)
    if scan.read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("pack.item"), scanned=scan.raw)
    scanned = catalog.the_sku_of_barcode(call.session, call.warehouse_id, scan.read.body, parcel.merchant_id)
    service.pack_item(call, parcel.id, scanned.sku.id, scanned.quantity)
    return _packed(turn, parcel.order_id, scanned.sku.id, scanned.sku.name)


def _packed(turn: Turn, order_id: int, sku_id: int, name: str) -> Move:
    left = queries.pieces_left(turn.call.session, order_id)
    if left:
        return Move(ITEM, {**turn.state, "last_sku": sku_id}, Message(Level.OK, name, speech=str(left)))
    return _weigh_now(turn)


def _typed_pieces(turn: Turn, value: str) -> Move:
    """So many more of the article scanned last: nobody scans three hundred alike one by one."""
    sku_id = turn.state.get("last_sku")
    if sku_id is None or not value.isdecimal() or int(value) < 1:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:10])
    parcel = _parcel(turn)
    service.pack_item(turn.call, parcel.id, int(sku_id), int(value))
    return _packed(
        turn,
        parcel.order_id,
        int(sku_id),
        catalog.sku_by_id(turn.call.session, turn.call.warehouse_id, int(sku_id)).name,
    )


def _weigh_now(turn: Turn) -> Move:
    """All in: with a fresh weight on the station's scale the label prints at once, else the scale is waited for."""
    weight_g = _fresh_weight(turn.call)
    expected = service.theoretical_weight_g(turn.call.session, int(turn.state["parcel"]))
    if weight_g is not None and abs(weight_g - expected) <= tolerance_g(expected):
        return _close(turn, weight_g)
    words = turn.say("pack.put_on_scale")
    return Move(WEIGH, dict(turn.state), Message(Level.OK, words, speech=words))


def _fresh_weight(call: Call) -> int | None:
    if call.who.station_id is None:
        return None
    station = site.station_by_id(call.session, call.warehouse_id, call.who.station_id)
    if station.weighed_at is None or WallClock().now() - station.weighed_at > WEIGHT_FRESH:
        return None
    return station.weight_g


def _next_parcel(turn: Turn, _value: str) -> Move:
    """This box is full: the rest of the order goes into another one."""
    if not _parcel(turn).packed:
        raise Refused(Reason.ITEMS_MISSING, missing=1)
    return Move(WEIGH, {**turn.state, "more": True}, Message(Level.OK, turn.say("pack.put_on_scale")))


def _weigh_screen(turn: Turn) -> Screen:
    parcel = _parcel(turn)
    expected = service.theoretical_weight_g(turn.call.session, parcel.id)
    off = turn.state.get("off_g")
    keys = [Key("F4", turn.say("dialogue.back"), "back")]
    if off is not None and "force_weight" in turn.call.rights:
        keys.insert(0, Key("F1", turn.say("pack.force"), "force"))
    return Screen(
        prompt=turn.say("pack.put_on_scale"),
        icon="scale",
        pips=pips(turn, _PIPS, WEIGH),
        cards=[BigCard(turn.say("pack.expected"), str(expected), "g", turn.say("pack.pieces", pieces=parcel.packed))],
        input=Input("quantity", turn.say("pack.weight"), "weight", "", 1, 100_000),
        status=[(turn.say("pack.order"), parcel.order_no), *_station(turn)],
        keys=keys,
    )


def _weighed(turn: Turn, weight_g: int) -> Move:
    """The station's scale is steady. An empty scale says nothing."""
    if weight_g <= 0:
        return Move(WEIGH, dict(turn.state))
    return _close(turn, weight_g)


def _typed_weight(turn: Turn, value: str) -> Move:
    if not value.isdecimal() or not 1 <= int(value) <= 100_000:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:10])
    return _close(turn, int(value))


def _force(turn: Turn, _value: str) -> Move:
    if "force_weight" not in turn.call.rights or turn.state.get("off_g") is None:
        raise Refused(Reason.NOT_ALLOWED, right="force_weight")
    return _close(turn, int(turn.state["off_g"]), check=False)


def _close(turn: Turn, weight_g: int, *, check: bool = True) -> Move:
    """Close, number and route the parcel in one command. A weight that is off keeps the parcel here and says by how
    much.
    """
    parcel_id, more = int(turn.state["parcel"]), bool(turn.state.get("more"))
    expected = service.theoretical_weight_g(turn.call.session, parcel_id)
    if check and expected > 1 and abs(weight_g - expected) > tolerance_g(expected):
        no = Refused(Reason.WEIGHT_OUTSIDE_TOLERANCE, weight_g=weight_g, expected_g=expected)
        words = turn.say(f"reason.{no.reason.value}", **no.facts)
        return Move(
            WEIGH, {**turn.state, "off_g": weight_g}, Message(Level.WRONG, words, turn.say("pack.hold_lane"), "S11-1")
        )
    service.finish_parcel(turn.call, parcel_id, weight_g, more_parcels=more, check=check)
    labelled = shipping.label_parcel(turn.call, parcel_id)
    words = turn.say("pack.label_prints", waybill=labelled.waybill[-4:], hub=labelled.hub)
    return Move(LABEL, {"parcel": parcel_id, "more": more}, Message(Level.OK, words, speech=labelled.hub))


def _label_screen(turn: Turn) -> Screen:
    parcel = _parcel(turn)
    state = _print_state(turn, parcel)
    printer = Fact(
        turn.say("pack.printer"), turn.say(f"pack.print_state.{state.value}"), good=False if state in DOUBTFUL else None
    )
    return Screen(
        prompt=turn.say("pack.scan_label"),
        pips=pips(turn, _PIPS, LABEL),
        cards=[
            BigCard(turn.say("pack.label"), (parcel.waybill or "")[-4:], "", parcel.courier),
            FactsCard([Fact(turn.say("pack.waybill"), parcel.waybill or ""), printer]),
        ],
        status=[(turn.say("pack.order"), parcel.order_no), *_station(turn)],
        keys=[Key("F1", turn.say("pack.reprint"), "reprint"), leave_key(turn)],
    )


def _print_state(turn: Turn, parcel: ParcelFacts) -> JobState:
    prints = printing.prints_of(turn.call.session, turn.call.warehouse_id, parcel.waybill or "")
    return prints[-1].state if prints else JobState.QUEUED


def _label_scanned(turn: Turn, scan: Scan) -> Move:
    parcel = service.check_label(turn.call, int(turn.state["parcel"]), number_on_label(turn.call, scan.read))
    done = turn.say("pack.done", hub=parcel.hub)
    if turn.state.get("more"):
        following = service.begin_parcel(turn.call, order_id=parcel.order_id, station_id=turn.call.who.station_id)
        return Move(ITEM, {"parcel": following.id}, Message(Level.DONE, done, turn.say("pack.next_box"), speech=done))
    return Move(ORDER, {}, Message(Level.DONE, done, speech=done))


def _reprint(turn: Turn, _value: str) -> Move:
    """The label is lost or spoilt: a new one, marked and counted."""
    reprint_waybill(turn.call, int(turn.state["parcel"]), why=turn.say("pack.reprint"))
    return Move(LABEL, dict(turn.state), Message(Level.ATTENTION, turn.say("pack.reprinted")))


def _back(turn: Turn, _value: str) -> Move:
    return Move(ITEM, {"parcel": turn.state["parcel"]})


def _parcel(turn: Turn) -> ParcelFacts:
    parcel = queries.parcel_facts(turn.call.session, turn.call.warehouse_id, int(turn.state["parcel"]))
    if parcel.state == ParcelState.CANCELLED:
        raise Refused(Reason.ORDER_INTERCEPTED, order=parcel.order_no)
    return parcel


PACK = Dialogue(
    name="pack",
    title="pack.title",
    right="pack",
    begin=_begin,
    opens_with=_opens_with,
    steps={
        ORDER: Step(_order_screen, frozenset({ITEM, None}), _tote_scanned, {"leave": leave}),
        ITEM: Step(
            _item_screen,
            frozenset({ITEM, WEIGH, LABEL, None}),
            _item_scanned,
            {"quantity": _typed_pieces, "next_parcel": _next_parcel, "leave": leave},
        ),
        WEIGH: Step(
            _weigh_screen,
            frozenset({ITEM, WEIGH, LABEL}),
            None,
            {"weight": _typed_weight, "force": _force, "back": _back},
            on_weight=_weighed,
        ),
        LABEL: Step(
            _label_screen,
            frozenset({ORDER, ITEM, LABEL, None}),
            _label_scanned,
            {"reprint": _reprint, "leave": leave},
            shows_labels=True,
        ),
    },
)
