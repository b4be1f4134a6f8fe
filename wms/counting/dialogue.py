"""S16 count: the slot, then every piece or a quantity per SKU, blind: the book's figure is never shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wms.catalog import queries as catalog
from wms.catalog.values import ScannedSku, SkuFacts
from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.dialogue import (
    Card,
    Choice,
    ChooseCard,
    CountBigCard,
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
    leave_key,
)
from wms.core.refusal import Reason, Refused
from wms.counting import queries, service
from wms.counting.values import COUNT_TASK, Counted

SLOT, ITEM, LOT = "scan_slot", "scan_item", "choose_lot"


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    if given.get("slot"):
        return _slot(call, str(given["slot"]))
    return Move(SLOT, {})


def _slot(call: Call, code: str) -> Move:
    count_id = service.begin_count(call, code)
    return Move(ITEM, {"count": count_id, "slot": code, "found": []}, Message(Level.OK, code))


def _slot_screen(turn: Turn) -> Screen:
    return Screen(prompt=turn.say("count.scan_slot"), keys=[leave_key(turn)])


def _slot_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("count.slot"), scanned=scan.raw)
    return _slot(turn.call, scan.read.body)


def _item_screen(turn: Turn) -> Screen:
    found = turn.state["found"]
    cards: list[Card] = []
    if found:
        last = found[-1]
        cards.append(CountBigCard(str(last["name"]), int(last["quantity"]), str(last["lot"]), "minus_one", "plus_one"))
        cards.append(FactsCard([Fact(str(one["name"]), str(one["quantity"])) for one in found[:-1][-4:]]))
    return Screen(
        prompt=turn.say("count.scan_item"),
        cards=cards,
        input=Input("quantity", turn.say("count.quantity"), "quantity", "", 0, 99_999) if found else None,
        status=[(turn.say("count.slot"), str(turn.state["slot"]))],
        keys=[
            Key("F1", turn.say("count.done"), "done"),
            Key("F3", turn.say("dialogue.undo"), "undo", server=False),
            leave_key(turn),
        ],
    )


def _item_scanned(turn: Turn, scan: Scan) -> Move:
    """A piece: counted to its SKU and lot. Several owners or lots here: choose."""
    call = turn.call
    if scan.read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("count.item"), scanned=scan.raw)
    scanned = catalog.skus_by_barcode(call.session, call.warehouse_id, scan.read.body, call.merchant_id)
    if not scanned:
        raise Refused(Reason.BARCODE_UNKNOWN, scanned=scan.raw)
    lots = queries.lots_to_count(
        call.session, call.warehouse_id, str(turn.state["slot"]), [one.sku.id for one in scanned]
    )
    if not lots:
        return _never_seen(turn, scanned)
    if len(lots) == 1:
        sku = next(one for one in scanned if one.sku.id == lots[0].sku_id)
        return _add(turn, sku.sku, lots[0].lot_id, lots[0].lot_code, sku.quantity)
    return Move(LOT, {**turn.state, "skus": [one.sku.id for one in scanned], "each": scanned[0].quantity})


def _never_seen(turn: Turn, scanned: Sequence[ScannedSku]) -> Move:
    """An item that never lay in this house: goods without a batch are counted to none."""
    if len(scanned) != 1:
        raise Refused(Reason.BARCODE_AMBIGUOUS)
    sku = scanned[0].sku
    lot = catalog.lot_by_id(turn.call.session, turn.call.warehouse_id, service.lot_without_marks(turn.call, sku))
    return _add(turn, sku, lot.id, lot.code, scanned[0].quantity)


def _lot_screen(turn: Turn) -> Screen:
    call = turn.call
    lots = queries.lots_to_count(call.session, call.warehouse_id, str(turn.state["slot"]), list(turn.state["skus"]))
    rows = [Choice(f"{lot.sku_id}:{lot.lot_id}", lot.lot_code, lot.name) for lot in lots[:6]]
    return Screen(
        prompt=turn.say("count.choose_lot"),
        cards=[ChooseCard(rows)],
        keys=[Key("F4", turn.say("dialogue.back"), "back")],
    )


def _lot_chosen(turn: Turn, value: str) -> Move:
    sku_id, _, lot_id = value.partition(":")
    if not (sku_id.isdecimal() and lot_id.isdecimal()):
        raise Refused(Reason.STEP_WRONG)
    sku = catalog.sku_by_id(turn.call.session, turn.call.warehouse_id, int(sku_id))
    lot = catalog.lot_by_id(turn.call.session, turn.call.warehouse_id, int(lot_id))
    return _add(turn, sku, lot.id, lot.code, int(turn.state["each"]))


def _add(turn: Turn, sku: SkuFacts, lot_id: int, lot_code: str, quantity: int) -> Move:
    found = [dict(one) for one in turn.state["found"]]
    same = next((one for one in found if one["sku"] == sku.id and one["lot_id"] == lot_id), None)
    if same is not None:
        found.remove(same)
    before = int(same["quantity"]) if same else 0
    row = {
        "merchant": sku.merchant_id,
        "sku": sku.id,
        "lot_id": lot_id,
        "lot": lot_code,
        "name": sku.name,
        "quantity": before + quantity,
    }
    return _go_on(turn, [*found, row], Message(Level.OK, sku.name, speech=str(before + quantity)))


def _go_on(turn: Turn, found: list[dict[str, Any]], message: Message | None = None) -> Move:
    return Move(ITEM, {"count": turn.state["count"], "slot": turn.state["slot"], "found": found}, message)


def _typed(turn: Turn, value: str) -> Move:
    found = [dict(one) for one in turn.state["found"]]
    if not found or not (value.isascii() and value.isdecimal()) or len(value) > 5:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:10])
    found[-1]["quantity"] = int(value)
    return _go_on(turn, found)


def _one(turn: Turn, step: int) -> Move:
    found = [dict(one) for one in turn.state["found"]]
    if not found or found[-1]["quantity"] + step < 0:
        raise Refused(Reason.QUANTITY_WRONG, quantity=step)
    found[-1]["quantity"] += step
    return _go_on(turn, found)


def _plus(turn: Turn, _value: str) -> Move:
    return _one(turn, 1)


def _minus(turn: Turn, _value: str) -> Move:
    return _one(turn, -1)


def _undo(turn: Turn, _value: str) -> Move:
    found = [dict(one) for one in turn.state["found"]]
    if not found:
        raise Refused(Reason.NOTHING_TO_UNDO)
    return _go_on(turn, found[:-1])


def _done(turn: Turn, _value: str) -> Move:
    found = [Counted(one["merchant"], one["sku"], one["lot_id"], one["quantity"]) for one in turn.state["found"]]
    try:
        result = service.finish_count(turn.call, int(turn.state["count"]), found)
    except Refused as no:  # it refuses before it writes; the count begins again where the goods lie now
        if no.reason is not Reason.COUNT_MOVED_MEANWHILE:
            raise
        words = turn.say(f"reason.{no.reason.value}")
        service.begin_count(turn.call, str(turn.state["slot"]))
        return _go_on(turn, [], Message(Level.WRONG, words, code=no.reason.value, speech=words))
    if result.waits:
        return Move(None, {}, Message(Level.ATTENTION, turn.say("count.waits", slot=result.slot_code)))
    words = turn.say("count.right" if not (result.more or result.fewer) else "count.booked", slot=result.slot_code)
    return Move(None, {}, Message(Level.DONE, words, speech=words))


def _back(turn: Turn, _value: str) -> Move:
    return _go_on(turn, [dict(one) for one in turn.state["found"]])


def _leave(turn: Turn, _value: str) -> Move:
    if turn.state.get("count"):
        service.give_up(turn.call, int(turn.state["count"]))
    return Move(None)


COUNT = Dialogue(
    name="count",
    title="count.title",
    right="count",
    begin=_begin,
    takes=COUNT_TASK,
    steps={
        SLOT: Step(_slot_screen, frozenset({ITEM, None}), _slot_scanned, {"leave": _leave}),
        ITEM: Step(
            _item_screen,
            frozenset({ITEM, LOT, None}),
            _item_scanned,
            {
                "quantity": _typed,
                "plus_one": _plus,
                "minus_one": _minus,
                "undo": _undo,
                "done": _done,
                "leave": _leave,
            },
        ),
        LOT: Step(_lot_screen, frozenset({ITEM}), None, {"choose": _lot_chosen, "back": _back}),
    },
)
