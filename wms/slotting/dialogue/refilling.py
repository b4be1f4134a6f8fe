"""S5 replenish: what a walk fetches from the reserve, one after the other onto the cart; then each to its pick face.

Scan the slot, one piece or case, say how much, and scan the face; leave at any time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.dialogue import (
    Card,
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
    leave_key,
    pips,
)
from wms.core.refusal import Reason, Refused
from wms.site.values import SlotFacts
from wms.slotting import carrying, legs
from wms.slotting.dialogue import parts
from wms.slotting.legs import Leg
from wms.slotting.refilling import REFILL_TASK

SOURCE, ITEM, QUANTITY, TARGET, BACK = "scan_source", "scan_item", "type_quantity", "scan_target", "scan_back"
LATER_MIN = 20
_PIPS = {SOURCE: "refill.source", ITEM: "refill.item", TARGET: "refill.target"}
_MARKED = {SOURCE: SOURCE, ITEM: ITEM, QUANTITY: ITEM, TARGET: TARGET, BACK: None}
_STATES = {  # of the place, of the goods
    SOURCE: ("now", "next"),
    ITEM: ("done", "now"),
    QUANTITY: ("done", "now"),
    TARGET: ("now", "done"),
    BACK: ("now", "done"),
}


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    """Only from the board. Whoever takes over a walk goes on where it stands. Raises NO_WORK, TASK_DONE."""
    if "walk" not in given:
        raise Refused(Reason.NO_WORK)
    return _next(Turn(call, {}), int(given["walk"]), [], None)


def _next(turn: Turn, walk_id: int, later: Sequence[int], message: Message | None, *, put: bool = False) -> Move:
    """The next to fetch, else the next to put down; `put`: first put down what is on the cart."""
    try:
        ahead = legs.legs_of(turn.call, walk_id)
    except Refused:
        return Move(None, {}, message)
    carried = [leg for leg in ahead if leg.state == "carried"]
    to_fetch = [leg for leg in ahead if leg.state == "open" and leg.id not in later]
    if carried and (put or not to_fetch):
        return _at(TARGET, walk_id, carried[0], later, message or _go(carried[0].target), put=put)
    if to_fetch:
        return _at(SOURCE, walk_id, to_fetch[0], later, message or _go(to_fetch[0].source))
    carrying.later(turn.call, walk_id, LATER_MIN)
    return Move(None, {}, message)


def _at(step: str, walk_id: int, leg: Leg, later: Sequence[int], message: Message | None, *, put: bool = False) -> Move:
    return Move(step, {"walk": walk_id, "refill": leg.id, "later": list(later), "put": put}, message)


def _go(slot: SlotFacts) -> Message:
    return Message(Level.OK, slot.code, speech=slot.code)


def _leg(turn: Turn) -> Leg:
    return legs.leg(turn.call, int(turn.state["refill"]))


def _walk_id(turn: Turn) -> int:
    return int(turn.state["walk"])


def _later(turn: Turn) -> list[int]:
    return [int(each) for each in turn.state.get("later", ())]


def _stay(turn: Turn, step: str, message: Message, **more: Any) -> Move:
    return Move(step, {**turn.state, **more}, message)


def how_many(turn: Turn, leg: Leg, quantity: int) -> str:
    """In cases and pieces: "2 cases = 24 pieces"."""
    cases = leg.cases_of(quantity)
    key = "refill.pieces" if not cases else "refill.case" if cases == 1 else "refill.cases"
    return turn.say(key, cases=cases, quantity=quantity)


def _item(turn: Turn, leg: Leg, state: str) -> ItemCard:
    quantity = leg.taken or leg.quantity
    cases = leg.cases_of(quantity)
    lines = [how_many(turn, leg, quantity)] if cases else []
    if leg.lot.code != "-":
        lines.append(f"{turn.say('receive.lot')} {leg.lot.code}")
    if not cases:
        return parts.goods(turn, leg.sku, quantity, leg.sku.unit, state, lines=lines)
    unit = turn.say("refill.unit_case" if cases == 1 else "refill.how_many_cases")
    return parts.goods(turn, leg.sku, cases, unit, state, case=leg.case, lines=lines)


def _screen(turn: Turn, step: str, *keys: Key, ask: Input | None = None) -> Screen:
    leg = _leg(turn)
    slot, heading = (leg.source, "refill.go") if step in (SOURCE, ITEM, QUANTITY) else (leg.target, "refill.put_down")
    if step == BACK:
        slot, heading = leg.source, "refill.put_back"
    at, what = _STATES[step]
    cards: list[Card] = [parts.place(turn, slot, heading, at), _item(turn, leg, what)]
    if step != BACK:
        left = str(len(legs.legs_of(turn.call, leg.walk_id)))
        cards.append(FactsCard([Fact(turn.say("refill.left"), left, turn.say(f"refill.reason.{leg.reason}"))]))
    return Screen(
        prompt=turn.say(f"refill.{step}"),
        icon="pen" if ask else "barcode",
        pips=pips(turn, _PIPS, _MARKED[step]),
        cards=cards,
        status=[(turn.say("refill.from"), leg.source.code), (turn.say("refill.to"), leg.target.code)],
        keys=[*keys, leave_key(turn)],
        input=ask,
    )


def _source_screen(turn: Turn) -> Screen:
    keys = [Key("F1", turn.say("refill.nothing"), "nothing"), Key("F2", turn.say("refill.later"), "later")]
    if any(leg.state == "carried" for leg in legs.legs_of(turn.call, _walk_id(turn))):
        keys.append(Key("F3", turn.say("refill.put_first"), "put_first"))
    return _screen(turn, SOURCE, *keys)


def _slot_code(scan: Scan, expected: str) -> str:
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=expected, scanned=scan.raw)
    return scan.read.body


def _dropped(turn: Turn, no: Refused) -> Message:
    words = turn.say("refill.dropped", why=turn.say(f"reason.{no.reason.value}", **no.facts))
    return Message(Level.ATTENTION, words, code=no.reason.value, speech=words)


def _over(turn: Turn, words: str = "refill.called_off") -> Move | None:
    """Somebody called the refill off before it was told that anything was taken: on to the next."""
    found = _leg(turn)
    if found.state == "open":
        return None
    told = turn.say(words, slot=found.source.code)
    return _next(turn, _walk_id(turn), _later(turn), Message(Level.ATTENTION, told, speech=told))


def _source_scanned(turn: Turn, scan: Scan) -> Move:
    found = _leg(turn)
    if (on := _over(turn, "refill.called_off_before")) is not None:
        return on
    kept = carrying.arrive(turn.call, found.id, _slot_code(scan, found.source.code))
    if isinstance(kept, Refused):
        return _next(turn, _walk_id(turn), _later(turn), _dropped(turn, kept))
    words = turn.say("refill.take", amount=how_many(turn, kept, kept.quantity))
    return _stay(turn, ITEM, Message(Level.OK, words, speech=words))


def _nothing_there(turn: Turn, _value: str) -> Move:
    """The slot is empty: whoever counts it will see. What forbids the refill anyway is said instead."""
    found = _leg(turn)
    if (on := _over(turn, "refill.called_off_before")) is not None:
        return on
    kept = carrying.arrive(turn.call, found.id, found.source.code)
    if isinstance(kept, Refused):
        return _next(turn, _walk_id(turn), _later(turn), _dropped(turn, kept))
    carrying.take(turn.call, found.id, 0)
    return _next(turn, _walk_id(turn), _later(turn), _none(turn, found))


def _none(turn: Turn, leg: Leg) -> Message:
    words = turn.say("refill.none", slot=leg.source.code)
    return Message(Level.ATTENTION, words, code=Reason.STOCK_INSUFFICIENT.value, speech=words)


def _put_off(turn: Turn, _value: str) -> Move:
    later = [*_later(turn), int(turn.state["refill"])]
    return _next(turn, _walk_id(turn), later, Message(Level.INFO, turn.say("refill.put_off")))


def _put_first(turn: Turn, _value: str) -> Move:
    return _next(turn, _walk_id(turn), _later(turn), None, put=True)


def _item_scanned(turn: Turn, scan: Scan) -> Move:
    """One piece, or a case of it: how many is asked next."""
    found = _leg(turn)
    if (on := _over(turn)) is not None:
        return on
    if scan.read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=found.sku.name, scanned=scan.raw)
    scanned = catalog.skus_by_barcode(turn.call.session, turn.call.warehouse_id, scan.read.body)
    if not scanned:
        raise Refused(Reason.BARCODE_UNKNOWN, scanned=scan.raw)
    if all(one.sku.id != found.sku.id for one in scanned):
        raise Refused(Reason.SKU_WRONG, expected=found.sku.name, scanned=scanned[0].sku.name)
    words = turn.say("refill.take", amount=how_many(turn, found, found.quantity))
    by_case = bool(found.cases_of(found.quantity))
    return _stay(turn, QUANTITY, Message(Level.OK, words, speech=words), by_case=by_case)


def _quantity_screen(turn: Turn) -> Screen:
    found = _leg(turn)
    by_case = bool(turn.state.get("by_case"))
    most = found.cases_of(found.quantity) if by_case else found.quantity
    label = turn.say("refill.how_many_cases" if by_case else "refill.how_many_pieces")
    keys = [Key("F1", turn.say("refill.by_piece"), "by_piece")] if by_case else []
    return _screen(turn, QUANTITY, *keys, ask=Input("quantity", label, "quantity", str(most), 0, most))


def _by_piece(turn: Turn, _value: str) -> Move:
    return _stay(turn, QUANTITY, Message(Level.INFO, turn.say("refill.now_by_piece")), by_case=False)


def _quantity_told(turn: Turn, value: str) -> Move:
    """Fewer than asked for is short: the slot is counted by somebody."""
    found = _leg(turn)
    if (on := _over(turn)) is not None:
        return on
    if not value.isascii() or not value.isdecimal() or len(value) > 7:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:20])
    quantity = int(value) * (found.case if turn.state.get("by_case") else 1)
    kept = carrying.take(turn.call, found.id, quantity)
    if isinstance(kept, Refused):
        return _next(turn, _walk_id(turn), _later(turn), _none(turn, found))
    amount = how_many(turn, kept, kept.taken)
    if quantity < found.quantity:
        words = turn.say("refill.short", amount=amount)
        return _next(turn, _walk_id(turn), _later(turn), Message(Level.ATTENTION, words, speech=words))
    words = turn.say("refill.taken", amount=amount)
    return _next(turn, _walk_id(turn), _later(turn), Message(Level.OK, words, speech=words))


def _target_screen(turn: Turn) -> Screen:
    return _screen(turn, TARGET, Key("F2", turn.say("refill.other"), "other"))


def _gone(turn: Turn) -> Move | None:
    """Somebody called the refill off while it was on its way: its goods go back."""
    found = _leg(turn)
    if found.state != "dropped":
        return None
    words = turn.say("refill.called_off", slot=found.source.code)
    return _stay(turn, BACK, Message(Level.ATTENTION, words, speech=words))


def _target_scanned(turn: Turn, scan: Scan) -> Move:
    found = _leg(turn)
    code = _slot_code(scan, found.target.code)
    if (back := _gone(turn)) is not None:
        return back
    stored = carrying.put_down(turn.call, found.id, code)
    return _next(turn, _walk_id(turn), _later(turn), _stored(turn, stored), put=bool(turn.state.get("put")))


def _stored(turn: Turn, stored: carrying.Stored) -> Message:
    amount = how_many(turn, stored.leg, stored.moved)
    words = turn.say("refill.done", slot=stored.leg.target.code, amount=amount)
    if stored.back:
        back = how_many(turn, stored.leg, stored.back)
        words = turn.say("refill.some_back", amount=amount, back=back, slot=stored.leg.source.code)
        return Message(Level.ATTENTION, words, speech=words)
    return Message(Level.DONE, words, speech=words)


def _other(turn: Turn, _value: str) -> Move:
    if (back := _gone(turn)) is not None:
        return back
    found = carrying.aim_elsewhere(turn.call, _leg(turn).id)
    return _stay(turn, TARGET, _go(found.target))


def _back_scanned(turn: Turn, scan: Scan) -> Move:
    found = _leg(turn)
    code = _slot_code(scan, found.source.code)
    if code != found.source.code:
        raise Refused(Reason.SLOT_WRONG, expected=found.source.code, scanned=code)
    words = turn.say("refill.is_back", slot=code)
    return _next(turn, _walk_id(turn), _later(turn), Message(Level.OK, words, speech=words))


def _leave(turn: Turn, _value: str) -> Move:
    """What is on the cart goes back where it lay."""
    carried = carrying.put_back(turn.call, _walk_id(turn))
    if not carried:
        return Move(None)
    words = turn.say("refill.left_off", slots=" ".join(sorted(leg.source.code for leg in carried)))
    return Move(None, {}, Message(Level.ATTENTION, words, speech=words))


REPLENISH = Dialogue(
    name="replenish",
    title="refill.title",
    right="replenish",
    begin=_begin,
    takes=REFILL_TASK,
    in_menu=False,
    steps={
        SOURCE: Step(
            _source_screen,
            frozenset({SOURCE, ITEM, TARGET, None}),
            _source_scanned,
            {"nothing": _nothing_there, "later": _put_off, "put_first": _put_first, "leave": _leave},
        ),
        ITEM: Step(
            lambda turn: _screen(turn, ITEM),
            frozenset({QUANTITY, SOURCE, TARGET, None}),
            _item_scanned,
            {"leave": _leave},
        ),
        QUANTITY: Step(
            _quantity_screen,
            frozenset({QUANTITY, SOURCE, TARGET, None}),
            _item_scanned,
            {"quantity": _quantity_told, "by_piece": _by_piece, "leave": _leave},
        ),
        TARGET: Step(
            _target_screen,
            frozenset({TARGET, SOURCE, BACK, None}),
            _target_scanned,
            {"other": _other, "leave": _leave},
        ),
        BACK: Step(
            lambda turn: _screen(turn, BACK),
            frozenset({SOURCE, TARGET, None}),
            _back_scanned,
            {"leave": _leave},
        ),
    },
)
