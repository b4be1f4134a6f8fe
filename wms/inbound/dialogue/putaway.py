"""S3 putaway: the container, then the slot the system proposes; another lawful one when it is scanned twice.

Where no slot takes all of an article, one takes a part and the rest gets the next; who finds less room than the book
says types how many fit.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
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
from wms.inbound.dialogue.parts import CONTAINER, QUANTITY, SLOT
from wms.inbound.values import Proposal
from wms.site import queries as site
from wms.site.values import ContainerFacts
from wms.slotting import judging
from wms.slotting import service as slotting
from wms.slotting.dialogue.parts import place
from wms.slotting.values import Goods, Suggestion

FULL_MAX = 20


def _begin_putaway(call: Call, given: Mapping[str, Any]) -> Move:
    if not given.get("container"):
        return Move(CONTAINER, {})
    return _to_slot(Turn(call, {}), str(given["container"]))


def _opens_putaway(call: Call, read: Read) -> Mapping[str, Any] | None:
    return {"container": read.body} if read.kind is Kind.CONTAINER else None


def _to_slot(turn: Turn, code: str) -> Move:
    """Propose a slot and keep it for this container."""
    container = service.box(turn.call, code)
    return _go(turn, container, service.suggest(turn.call, container))


def _go(
    turn: Turn, container: ContainerFacts, found: Proposal, message: Message | None = None, full: Sequence[str] = ()
) -> Move:
    """To the slot that is kept now, with so many pieces of one row of the box's stock; `full` are slots that the hand
    found full.
    """
    best = found.slot
    what = {"stock": found.inside.stock_id, "pieces": found.quantity, "full": list(full)[-FULL_MAX:]}
    state = {"container": container.code, "slot": best.slot_code, "again": "", **what, **_why(turn, best)}
    return Move(SLOT, state, message or Message(Level.OK, best.slot_code, speech=best.slot_code))


def _why(turn: Turn, best: Suggestion) -> dict[str, str]:
    spoke = " · ".join(turn.say(f"slotting.why.{why.value}") for why in best.reasons[:3])
    nearest = (
        turn.say("slotting.not_nearest", slot=best.nearest, why=turn.say(f"slotting.rule.{best.why_not_nearest.value}"))
        if best.why_not_nearest
        else ""
    )
    return {"why": spoke, "why_not_nearest": nearest, "walk_m": str(best.walk_m)}


def _putaway_container_screen(turn: Turn) -> Screen:
    return Screen(
        prompt=turn.say("putaway.scan_container"),
        pips=_putaway_pips(turn, CONTAINER),
        keys=[leave_key(turn)],
    )


def _putaway_container_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.CONTAINER, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=turn.say("receive.container"), scanned=scan.raw)
    return _to_slot(turn, scan.raw)


def _slot_screen(turn: Turn) -> Screen:
    why = [Fact(turn.say("putaway.why"), str(turn.state["why"]))]
    if turn.state.get("why_not_nearest"):
        why.append(Fact(turn.say("putaway.nearest"), str(turn.state["why_not_nearest"])))
    keys = [
        Key("F1", turn.say("putaway.part"), "part"),
        Key("F2", turn.say("putaway.other"), "other"),
        leave_key(turn),
    ]
    return _screen(turn, why, keys, turn.say("putaway.scan_slot"))


def _screen(turn: Turn, facts: list[Fact], keys: list[Key], prompt: str, ask: Input | None = None) -> Screen:
    """The slot, and what of the box goes there."""
    call, container = turn.call, _container(turn)
    slot = site.slot_by_code(call.session, call.warehouse_id, str(turn.state["slot"]))
    cards: list[Card] = [place(turn, slot, "putaway.go", "now", int(turn.state["walk_m"]))]
    for row in queries.in_container(call.session, call.warehouse_id, container.place_id):
        if row.stock_id == turn.state.get("stock"):
            pieces, lot = min(_pieces(turn), row.on_hand), _lot_line(turn, row.lot_code)
            cards.append(ItemCard(row.merchant_name, row.name, pieces, row.unit, row.sku_code[-4:], lot, "next"))
            if pieces < row.on_hand:
                facts = [Fact(turn.say("putaway.part_of"), f"{pieces} / {row.on_hand}"), *facts]
    return Screen(
        prompt=prompt,
        pips=_putaway_pips(turn, SLOT),
        cards=[*cards, *([FactsCard(facts)] if facts else [])],
        status=[(turn.say("receive.container"), container.code)],
        input=ask,
        keys=keys,
    )


def _pieces(turn: Turn) -> int:
    """How many of those in the box go into the slot at hand."""
    return int(turn.state.get("pieces", 0))


def _shown(turn: Turn, container: ContainerFacts) -> Goods | None:
    """All that lies in the box of what the screen shows; None when it is not what was shown any more."""
    for one in service.inside(turn.call, container):
        if one.stock_id == turn.state.get("stock"):
            return one.goods if one.goods.quantity >= _pieces(turn) > 0 else None
    return None


def _anew(turn: Turn, container: ContainerFacts) -> Move:
    """Somebody was at the box meanwhile: look again before anything is booked."""
    found = service.suggest(turn.call, container, but=_full(turn))
    words = turn.say("putaway.changed", box=container.code)
    return _go(turn, container, found, Message(Level.ATTENTION, words, speech=words), _full(turn))


def _full(turn: Turn) -> list[str]:
    return list(turn.state.get("full") or [])


def _lot_line(turn: Turn, lot_code: str) -> list[str]:
    return [] if lot_code == "-" else [f"{turn.say('receive.lot')} {lot_code}"]


def _slot_scanned(turn: Turn, scan: Scan) -> Move:
    """The proposed slot stores; another lawful one asks to be scanned again (an unexpected choice is confirmed by
    itself); an unlawful one says which rule.
    """
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=str(turn.state["slot"]), scanned=scan.raw)
    call, container = turn.call, _container(turn)
    slot = site.slot_by_code(call.session, call.warehouse_id, scan.read.body)
    there = _shown(turn, container)
    if there is None:
        return _anew(turn, container)
    if slot.code not in (turn.state["slot"], turn.state.get("again")):
        goods = replace(there, quantity=_pieces(turn))
        judging.check_lawful(call, goods, slot.place_id, subject=service.subject_of(container))
        return _again(turn, slot.code)
    pieces, row = _pieces(turn), int(turn.state["stock"])
    service.put_away(call, container=container, slot_code=slot.code, quantity=pieces, only=row)
    return _stored(turn, container, slot.code, pieces)


def _again(turn: Turn, code: str) -> Move:
    words, proposed = turn.say("putaway.again", slot=code), str(turn.state["slot"])
    message = Message(Level.ATTENTION, words, expected=proposed, scanned=code, speech=words)
    return Move(SLOT, {**turn.state, "again": code}, message)


def _stored(turn: Turn, container: ContainerFacts, code: str, quantity: int) -> Move:
    """One SKU and lot after the other: what is left in the box gets a slot of its own, not the one that is full."""
    words, full = turn.say("putaway.done", slot=code, quantity=quantity), _full(turn)
    if turn.state.get("typed"):
        full.append(code)
    if not queries.in_container(turn.call.session, turn.call.warehouse_id, container.place_id):
        return Move(None, {}, Message(Level.DONE, words, speech=words))
    try:
        found = service.suggest(turn.call, container, but=full)
    except Refused as no:  # what was stored stays stored
        why = turn.say("putaway.no_slot_for_the_rest", box=container.code)
        more = turn.say(f"reason.{no.reason.value}", **no.facts)
        return Move(None, {}, Message(Level.ATTENTION, why, f"{words} · {more}", no.reason.value, speech=why))
    said = Message(Level.OK, words, found.slot.slot_code, speech=found.slot.slot_code)
    return _go(turn, container, found, said, full)


def _other_slot(turn: Turn, _value: str) -> Move:
    """The next best lawful slot: the one shown does not please."""
    container, full = _container(turn), _full(turn)
    return _go(turn, container, service.suggest(turn.call, container, but=[*full, str(turn.state["slot"])]), full=full)


def _part(turn: Turn, _value: str) -> Move:
    return Move(QUANTITY, turn.state)


def _back(turn: Turn, _value: str) -> Move:
    return Move(SLOT, turn.state)


def _quantity_screen(turn: Turn) -> Screen:
    there = _shown(turn, _container(turn))
    most = there.quantity if there else 1
    ask = Input("quantity", turn.say("putaway.fits"), "quantity", str(min(_pieces(turn), most)), 1, most)
    return _screen(turn, [], [Key("F4", turn.say("dialogue.back"), "back")], turn.say("putaway.fits"), ask)


def _quantity_told(turn: Turn, value: str) -> Move:
    """So many go into the slot at hand, if it takes them; what is left goes elsewhere."""
    call, container = turn.call, _container(turn)
    there = _shown(turn, container)
    if there is None:
        return _anew(turn, container)
    if not value.isascii() or not value.isdecimal() or len(value) > 7 or not 1 <= int(value) <= there.quantity:
        raise Refused(Reason.QUANTITY_WRONG, quantity=value[:20])
    goods, subject = replace(there, quantity=int(value)), service.subject_of(container)
    slot = site.slot_by_code(call.session, call.warehouse_id, str(turn.state["slot"]))
    judging.check_lawful(call, goods, slot.place_id, subject=subject)
    if not slotting.lease(call, slot.place_id, subject, weight_g=goods.weight_g):
        raise Refused(Reason.SLOT_KEPT, slot=slot.code)
    return Move(SLOT, {**turn.state, "pieces": int(value), "typed": int(value) < there.quantity})


def _container(turn: Turn) -> ContainerFacts:
    return service.box(turn.call, str(turn.state["container"]))


def _putaway_pips(turn: Turn, now: str) -> list[Pip]:
    return pips(turn, {CONTAINER: "receive.container", SLOT: "putaway.slot"}, now)


PUTAWAY = Dialogue(
    name="putaway",
    title="putaway.title",
    right="put_away",
    begin=_begin_putaway,
    opens_with=_opens_putaway,
    takes=service.PUTAWAY,
    steps={
        CONTAINER: Step(
            _putaway_container_screen, frozenset({SLOT, None}), _putaway_container_scanned, {"leave": leave}
        ),
        SLOT: Step(
            _slot_screen,
            frozenset({SLOT, QUANTITY, None}),
            _slot_scanned,
            {"part": _part, "other": _other_slot, "leave": leave},
        ),
        QUANTITY: Step(_quantity_screen, frozenset({SLOT}), None, {"quantity": _quantity_told, "back": _back}),
    },
)
