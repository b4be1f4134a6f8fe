"""S3 putaway: the container, then the slot the system proposes; another lawful one when it is scanned twice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.dialogue import (
    Card,
    Dialogue,
    Fact,
    FactsCard,
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
from wms.inbound.dialogue.parts import CONTAINER, SLOT
from wms.site import queries as site
from wms.site.values import ContainerFacts
from wms.slotting import judging
from wms.slotting.dialogue.parts import place
from wms.slotting.values import Suggestion


def _begin_putaway(call: Call, given: Mapping[str, Any]) -> Move:
    if not given.get("container"):
        return Move(CONTAINER, {})
    return _to_slot(Turn(call, {}), str(given["container"]))


def _opens_putaway(call: Call, read: Read) -> Mapping[str, Any] | None:
    return {"container": read.body} if read.kind is Kind.CONTAINER else None


def _to_slot(turn: Turn, code: str) -> Move:
    """Propose a slot and keep it for this container."""
    container = service.box(turn.call, code)
    best = service.suggest(turn.call, container)[0]
    return Move(SLOT, _at(turn, container, best), Message(Level.OK, best.slot_code, speech=best.slot_code))


def _at(turn: Turn, container: ContainerFacts, best: Suggestion) -> dict[str, str]:
    return {"container": container.code, "slot": best.slot_code, "again": "", **_why(turn, best)}


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
    call = turn.call
    container = _container(turn)
    slot = site.slot_by_code(call.session, call.warehouse_id, str(turn.state["slot"]))
    inside = queries.in_container(call.session, call.warehouse_id, container.place_id)
    cards: list[Card] = [place(turn, slot, "putaway.go", "now", int(turn.state["walk_m"]))]
    cards += [
        ItemCard(
            row.merchant_name, row.name, row.on_hand, row.unit, row.sku_code[-4:], _lot_line(turn, row.lot_code), "next"
        )
        for row in inside[:1]
    ]
    why = [Fact(turn.say("putaway.why"), str(turn.state["why"]))]
    if turn.state.get("why_not_nearest"):
        why.append(Fact(turn.say("putaway.nearest"), str(turn.state["why_not_nearest"])))
    return Screen(
        prompt=turn.say("putaway.scan_slot"),
        pips=_putaway_pips(turn, SLOT),
        cards=[*cards, FactsCard(why)],
        status=[(turn.say("receive.container"), container.code)],
        keys=[Key("F2", turn.say("putaway.other"), "other"), leave_key(turn)],
    )


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
    first = service.first_goods(call, container)
    if slot.code not in (turn.state["slot"], turn.state.get("again")):
        judging.check_lawful(call, first, slot.place_id, subject=service.subject_of(container))
        return _again(turn, slot.code)
    service.put_away(call, container=container, slot_code=slot.code, quantity=first.quantity)
    return _stored(turn, container, slot.code, first.quantity)


def _again(turn: Turn, code: str) -> Move:
    words, proposed = turn.say("putaway.again", slot=code), str(turn.state["slot"])
    message = Message(Level.ATTENTION, words, expected=proposed, scanned=code, speech=words)
    return Move(SLOT, {**turn.state, "again": code}, message)


def _stored(turn: Turn, container: ContainerFacts, code: str, quantity: int) -> Move:
    """One SKU and lot after the other: the next one of the same box gets a slot of its own."""
    words = turn.say("putaway.done", slot=code, quantity=quantity)
    if not queries.in_container(turn.call.session, turn.call.warehouse_id, container.place_id):
        return Move(None, {}, Message(Level.DONE, words, speech=words))
    best = service.suggest(turn.call, container)[0]
    return Move(SLOT, _at(turn, container, best), Message(Level.OK, words, best.slot_code, speech=best.slot_code))


def _other_slot(turn: Turn, _value: str) -> Move:
    """The next best lawful slot: the one shown does not please."""
    container = _container(turn)
    return Move(SLOT, _at(turn, container, service.suggest_other(turn.call, container, str(turn.state["slot"]))))


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
        SLOT: Step(_slot_screen, frozenset({SLOT, None}), _slot_scanned, {"other": _other_slot, "leave": leave}),
    },
)
