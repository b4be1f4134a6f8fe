"""S2 receive: the ASN, then each SKU scanned to count, lot and dates where the goods need them, then its container."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from wms.catalog import queries as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.codes import Gs1, Kind, Read
from wms.core.dialogue import (
    Card,
    Choice,
    ChooseCard,
    CountBigCard,
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
    Pip,
    Scan,
    Screen,
    Step,
    Turn,
    leave,
    leave_key,
    pips,
)
from wms.core.refusal import Reason, Refused
from wms.inbound import queries, service
from wms.inbound.dialogue.parts import ASN, CONTAINER, EXPIRY, ITEM, LOT
from wms.inbound.values import AsnFacts, LotGiven
from wms.ledger.values import Condition

COUNTED_MAX = 99_999


def _begin_receive(call: Call, given: Mapping[str, Any]) -> Move:
    if given.get("asn_id"):
        return _to_items(Turn(call, {}), queries.asn_by_id(call.session, call.warehouse_id, int(given["asn_id"])))
    return Move(ASN, {})


def _opens_receive(call: Call, read: Read) -> Mapping[str, Any] | None:
    if read.kind is not Kind.ASN:
        return None
    return {"asn_id": queries.asn_by_no(call.session, call.warehouse_id, read.body, call.merchant_id).id}


def _asn_screen(turn: Turn) -> Screen:
    rows = [
        Choice(f"{asn_id}", no, merchant)
        for asn_id, no, merchant in queries.open_asns(turn.call.session, turn.call.warehouse_id)
    ]
    return Screen(
        prompt=turn.say("receive.scan_asn"),
        pips=_receive_pips(turn, ASN),
        cards=[ChooseCard(rows[:5])],
        keys=[leave_key(turn)],
    )


def _asn_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.ASN, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected="ASN", scanned=scan.raw)
    found = queries.asn_by_no(turn.call.session, turn.call.warehouse_id, scan.read.body, turn.call.merchant_id)
    return _to_items(turn, found)


def _asn_chosen(turn: Turn, value: str) -> Move:
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise Refused(Reason.STEP_WRONG)
    return _to_items(turn, queries.asn_by_id(turn.call.session, turn.call.warehouse_id, int(value)))


def _to_items(turn: Turn, asn: AsnFacts) -> Move:
    if asn.state in ("closed", "cancelled"):
        raise Refused(Reason.ASN_CLOSED, asn=asn.no)
    return Move(ITEM, {"asn_id": asn.id}, Message(Level.OK, asn.no, asn.merchant_name))


def _item_screen(turn: Turn) -> Screen:
    asn = _asn(turn)
    sku_id = turn.state.get("sku_id")
    cards: list[Card] = []
    if sku_id:
        line = next((one for one in asn.lines if one.sku_id == sku_id), None)
        sku = catalog.sku_by_id(turn.call.session, turn.call.warehouse_id, int(sku_id))
        counted = int(turn.state["counted"])
        expected, received = (line.expected, line.received) if line else (0, 0)
        ends = catalog.tail_of(turn.call.session, turn.call.warehouse_id, sku)
        tail = turn.say("receive.of", expected=max(0, expected - received), unit=sku.unit)
        cards = [
            ItemCard(asn.merchant_name, sku.name, counted, sku.unit, tail=ends, lines=[sku.code]),
            CountBigCard(turn.say("receive.counted"), counted, tail, "minus_one", "plus_one"),
            CountsCard(
                expected, received + counted, max(0, expected - received - counted), 0, _count_labels(turn), "left"
            ),
        ]
    else:
        cards = [FactsCard([Fact(one.name, f"{one.received} / {one.expected} {one.unit}") for one in asn.lines[:6]])]
    return Screen(
        prompt=turn.say("receive.scan_item"),
        pips=_receive_pips(turn, ITEM),
        cards=cards,
        status=[(turn.say("receive.asn"), asn.no)],
        input=_quantity(turn) if sku_id else None,
        keys=_counting_keys(turn) if sku_id else _between_keys(turn),
    )


def _counting_keys(turn: Turn) -> list[Key]:
    return [
        Key("F1", turn.say("receive.damaged"), "damaged"),
        Key("F2", turn.say("receive.lot"), "lot"),
        Key("F3", turn.say("dialogue.undo"), "undo", server=False),
        Key("F4", turn.say("receive.put"), "put"),
    ]


def _between_keys(turn: Turn) -> list[Key]:
    """F4 leaves, as everywhere: the key that closes the ASN lies apart from it."""
    return [Key("F1", turn.say("receive.close"), "close"), leave_key(turn)]


def _quantity(turn: Turn) -> Input:
    return Input("quantity", turn.say("receive.counted"), "quantity", str(turn.state.get("counted", 1)), 1, COUNTED_MAX)


def _count_labels(turn: Turn) -> list[str]:
    return [turn.say(f"receive.count.{name}") for name in ("due", "done", "left", "bad")]


def _item_scanned(turn: Turn, scan: Scan) -> Move:
    """A SKU's bar code counts; a container's ends the count of this SKU."""
    if scan.read.kind is Kind.CONTAINER and turn.state.get("sku_id"):
        return _put_in_container(turn, scan.raw)
    sku, quantity = _the_sku(turn, scan.read)
    if turn.state.get("sku_id") not in (None, sku.id):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("receive.container"), scanned=sku.name)
    counted = int(turn.state.get("counted", 0)) + quantity
    state = {**turn.state, "sku_id": sku.id, "counted": counted, **_same_batch(turn, scan.read.gs1)}
    state.pop("closing", None)
    return Move(ITEM, state, Message(Level.OK, sku.name, f"{counted} {sku.unit}", speech=str(counted)))


def _the_sku(turn: Turn, read: Read) -> tuple[SkuFacts, int]:
    asn = _asn(turn)
    if read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("receive.item"), scanned=read.raw)
    scanned = catalog.the_sku_of_barcode(turn.call.session, turn.call.warehouse_id, read.body, asn.merchant_id)
    if scanned.sku.id not in {line.sku_id for line in asn.lines}:
        raise Refused(Reason.NOT_ON_ASN, sku=scanned.sku.name)
    inside = read.gs1.count if read.gs1 is not None and read.gs1.count else 1
    return scanned.sku, scanned.quantity * inside


def _same_batch(turn: Turn, gs1: Gs1 | None) -> dict[str, Any]:
    """What the code says of the batch. Pieces of another batch are counted for themselves: LOT_WRONG."""
    if gs1 is None:
        return {}
    dates = {"produced_on": gs1.produced_on, "expires_on": gs1.expires_on}
    found = {"lot": gs1.lot, **{name: day.isoformat() if day else None for name, day in dates.items()}}
    for name, value in found.items():
        if value is not None and turn.state.get(name) not in (None, value):
            raise Refused(Reason.LOT_WRONG, expected=str(turn.state[name]), scanned=value)
    return {name: value for name, value in found.items() if value is not None}


def _counted(turn: Turn, quantity: int) -> Move:
    if not turn.state.get("sku_id"):
        raise Refused(Reason.STEP_WRONG)
    if not 1 <= quantity <= COUNTED_MAX:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)
    return Move(ITEM, {**turn.state, "counted": quantity})


def _typed_quantity(turn: Turn, value: str) -> Move:
    if not (value.isascii() and value.isdecimal() and len(value) <= 5):
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:10])
    return _counted(turn, int(value))


def _more(turn: Turn, _value: str) -> Move:
    return _counted(turn, int(turn.state.get("counted", 0)) + 1)


def _less(turn: Turn, _value: str) -> Move:
    return _counted(turn, int(turn.state.get("counted", 0)) - 1)


def _undo_count(turn: Turn, _value: str) -> Move:
    if not turn.state.get("sku_id"):
        raise Refused(Reason.NOTHING_TO_UNDO)
    return Move(ITEM, {"asn_id": turn.state["asn_id"]})


def _mark_damaged(turn: Turn, _value: str) -> Move:
    if not turn.state.get("sku_id"):
        raise Refused(Reason.STEP_WRONG)
    return Move(
        ITEM, {**turn.state, "condition": "damaged"}, Message(Level.ATTENTION, turn.say("receive.damaged_noted"))
    )


def _ask_lot(turn: Turn, _value: str) -> Move:
    if not turn.state.get("sku_id"):
        raise Refused(Reason.STEP_WRONG)
    return Move(LOT, dict(turn.state))


def _ask_container(turn: Turn, _value: str) -> Move:
    """All counted: what the goods still need is asked for, then the container."""
    if not turn.state.get("sku_id"):
        raise Refused(Reason.STEP_WRONG)
    sku = catalog.sku_by_id(turn.call.session, turn.call.warehouse_id, int(turn.state["sku_id"]))
    if sku.lot_tracked and not turn.state.get("lot"):
        return Move(LOT, dict(turn.state))
    if sku.dated and not _date_known(turn, sku):
        return Move(EXPIRY, dict(turn.state))
    return Move(CONTAINER, dict(turn.state))


def _date_known(turn: Turn, sku: SkuFacts) -> bool:
    """Scanned, typed, or on file from the first box of this batch: nobody types a date twice."""
    if turn.state.get("expires_on") or turn.state.get("produced_on"):
        return True
    lots = catalog.lots_of(turn.call.session, turn.call.warehouse_id, sku.id)
    return any(lot.code == turn.state.get("lot") and lot.expires_on is not None for lot in lots)


def _lot_screen(turn: Turn) -> Screen:
    return Screen(
        prompt=turn.say("receive.type_lot"),
        pips=_receive_pips(turn, ITEM),
        input=Input("text", turn.say("receive.lot"), "lot"),
        keys=[Key("F4", turn.say("dialogue.back"), "back")],
    )


def _lot_given(turn: Turn, value: str) -> Move:
    return (
        _ask_container(Turn(turn.call, {**turn.state, "lot": value.strip()[:60]}), "")
        if value.strip()
        else _refuse_lot()
    )


def _refuse_lot() -> Move:
    raise Refused(Reason.LOT_REQUIRED)


def _lot_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("receive.lot"), scanned=scan.raw)
    return _lot_given(turn, scan.read.gs1.lot if scan.read.gs1 and scan.read.gs1.lot else scan.raw)


def _expiry_screen(turn: Turn) -> Screen:
    return Screen(
        prompt=turn.say("receive.type_expiry"),
        pips=_receive_pips(turn, ITEM),
        input=Input("date", turn.say("receive.expiry"), "expiry"),
        keys=[Key("F4", turn.say("dialogue.back"), "back")],
    )


def _expiry_given(turn: Turn, value: str) -> Move:
    try:
        expires_on = date.fromisoformat(value.strip())
    except ValueError as error:
        raise Refused(Reason.LOT_DATES_WRONG, why=value[:20]) from error
    return _ask_container(Turn(turn.call, {**turn.state, "expires_on": expires_on.isoformat()}), "")


def _back_to_item(turn: Turn, _value: str) -> Move:
    return Move(ITEM, dict(turn.state))


def _container_screen(turn: Turn) -> Screen:
    asn = _asn(turn)
    sku = catalog.sku_by_id(turn.call.session, turn.call.warehouse_id, int(turn.state["sku_id"]))
    lines = [f"{turn.say('receive.lot')} {turn.state['lot']}"] if turn.state.get("lot") else []
    if turn.state.get("expires_on"):
        lines.append(f"{turn.say('receive.expiry')} {turn.state['expires_on']}")
    return Screen(
        prompt=turn.say("receive.scan_container"),
        pips=_receive_pips(turn, CONTAINER),
        cards=[ItemCard(asn.merchant_name, sku.name, int(turn.state["counted"]), sku.unit, sku.code[-4:], lines)],
        status=[(turn.say("receive.asn"), asn.no)],
        keys=[
            Key("F1", turn.say("receive.new_container"), "new_container"),
            Key("F4", turn.say("dialogue.back"), "back"),
        ],
    )


def _container_scanned(turn: Turn, scan: Scan) -> Move:
    return _put_in_container(turn, scan.raw)


def _new_container(turn: Turn, _value: str) -> Move:
    return _put_in_container(turn, None)


def _put_in_container(turn: Turn, scanned: str | None) -> Move:
    needed = _ask_container(turn, "")
    if needed.step != CONTAINER:
        return needed
    call, state = turn.call, turn.state
    sku = catalog.sku_by_id(call.session, call.warehouse_id, int(state["sku_id"]))
    done = service.receive(
        call,
        sku=sku,
        quantity=int(state["counted"]),
        container=service.lpn(call, scanned),
        asn_id=int(state["asn_id"]),
        lot=LotGiven(state.get("lot"), _day(state.get("produced_on")), _day(state.get("expires_on"))),
        condition=Condition(state.get("condition", "good")),
        over_allowed="approve" in call.rights,
    )
    words = turn.say("receive.received", quantity=done.quantity, unit=sku.unit, container=done.container_code)
    return Move(ITEM, {"asn_id": state["asn_id"]}, Message(Level.DONE, sku.name, words, speech=words))


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _close(turn: Turn, _value: str) -> Move:
    """What is missing or too much is shown first; pressed again, the ASN is closed."""
    asn = _asn(turn)
    if not turn.state.get("closing") and any(line.expected != line.received for line in asn.lines):
        expected, received = sum(line.expected for line in asn.lines), sum(line.received for line in asn.lines)
        words = turn.say("receive.close_again", expected=expected, received=received)
        return Move(ITEM, {"asn_id": asn.id, "closing": True}, Message(Level.ATTENTION, words, speech=words))
    counts = service.close_asn(turn.call, int(turn.state["asn_id"]))
    return Move(None, {}, Message(Level.DONE, turn.say("receive.closed", **counts)))


def _asn(turn: Turn) -> AsnFacts:
    return queries.asn_by_id(turn.call.session, turn.call.warehouse_id, int(turn.state["asn_id"]))


def _receive_pips(turn: Turn, now: str) -> list[Pip]:
    return pips(turn, {ASN: "receive.asn", ITEM: "receive.item", CONTAINER: "receive.container"}, now)


RECEIVE = Dialogue(
    name="receive",
    title="receive.title",
    right="receive",
    begin=_begin_receive,
    opens_with=_opens_receive,
    steps={
        ASN: Step(_asn_screen, frozenset({ITEM, None}), _asn_scanned, {"choose": _asn_chosen, "leave": leave}),
        ITEM: Step(
            _item_screen,
            frozenset({ITEM, LOT, EXPIRY, CONTAINER, None}),
            _item_scanned,
            {
                "quantity": _typed_quantity,
                "plus_one": _more,
                "minus_one": _less,
                "undo": _undo_count,
                "damaged": _mark_damaged,
                "lot": _ask_lot,
                "put": _ask_container,
                "close": _close,
                "leave": leave,
            },
        ),
        LOT: Step(
            _lot_screen, frozenset({ITEM, EXPIRY, CONTAINER}), _lot_scanned, {"lot": _lot_given, "back": _back_to_item}
        ),
        EXPIRY: Step(
            _expiry_screen, frozenset({ITEM, LOT, CONTAINER}), None, {"expiry": _expiry_given, "back": _back_to_item}
        ),
        CONTAINER: Step(
            _container_screen,
            frozenset({ITEM, LOT, EXPIRY}),
            _container_scanned,
            {"new_container": _new_container, "back": _back_to_item},
        ),
    },
)
