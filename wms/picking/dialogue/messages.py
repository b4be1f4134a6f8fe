"""What the hand is told in the aisles: right or wrong, expected against scanned, and what to do."""

from __future__ import annotations

from collections.abc import Sequence

from wms.catalog import queries as catalog
from wms.core.codes import Kind, Read
from wms.core.dialogue import Level, Message, Turn
from wms.picking.rules.walking import At, Where, pieces_of
from wms.picking.rules.words import amount, digits, place, tail
from wms.picking.values import PickFacts, Shorted, ToteOnCart, Walk, WalkChange

_CODES = {
    "wrong_kind": "S7-10",
    "wrong_slot": "S7-11",
    "wrong_sku": "S7-12",
    "wrong_tote": "S7-13",
    "not_on_cart": "S7-14",
    "too_many": "S7-15",
    "unknown_code": "S7-16",
    "stop_done": "S7-17",
    "wrong_lot": "S7-18",
    "last_stop": "S7-19",
    "stopped": "S7-21",
    "taken_away": "S7-22",
    "rerouted": "S7-23",
    "found_elsewhere": "S7-31",
    "found_partly": "S7-32",
    "not_found": "S7-33",
}


def _say(turn: Turn, key: str, **facts: object) -> str:
    return turn.say(f"cluster_pick.{key}", **facts)


def _unit(turn: Turn, pick: PickFacts) -> str:
    """罐 or 件 in Chinese; English has one word for them all."""
    return pick.unit if turn.call.language == "zh" else _say(turn, "unit")


def wrong(turn: Turn, what: str, expected: str, scanned: str, speech: str = "", **facts: object) -> Message:
    """Red: what was expected against what was scanned."""
    title, text = _say(turn, f"{what}.title", **facts), _say(turn, f"{what}.do", expected=expected, **facts)
    return Message(Level.WRONG, title, text, _CODES[what], expected, scanned, speech or f"{title}，{text}")


def wrong_slot(turn: Turn, walk: Walk, pick: PickFacts, read: Read) -> Message:
    """Not this slot: another one, one that is done already, or no slot at all."""
    if read.kind not in (Kind.SLOT, Kind.PLAIN) or pieces_of(pick, read):
        return wrong(turn, "wrong_kind", pick.slot_code, read.raw, wanted=_say(turn, "pip.scan_slot"))
    done = any(each.slot_code == read.body for each in walk.picks) and not any(
        each.slot_code == read.body for each in walk.open_picks
    )
    speech = _say(turn, "wrong_slot.speech", slot=place(pick.slot_code, turn.call.language))
    return wrong(turn, "stop_done" if done else "wrong_slot", pick.slot_code, read.body, speech)


def wrong_sku(turn: Turn, pick: PickFacts, read: Read) -> Message:
    """Not these goods: others (named where they are known), or a code that is no article's."""
    expected = pick.barcode
    if read.kind not in (Kind.PLAIN, Kind.GS1):
        return wrong(turn, "wrong_kind", expected, read.raw, wanted=_say(turn, "pip.scan_sku"))
    known = catalog.skus_by_barcode(turn.call.session, turn.call.warehouse_id, read.body)
    if not known:
        return wrong(turn, "unknown_code", expected, read.raw, tail=tail(expected))
    language = turn.call.language
    speech = _say(turn, "wrong_sku.speech", tail=digits(tail(expected), language))
    return wrong(turn, "wrong_sku", expected, read.body, speech, tail=tail(expected), name=known[0].sku.name)


def wrong_lot(turn: Turn, pick: PickFacts, lot: str) -> Message:
    return wrong(turn, "wrong_lot", pick.lot_code, lot)


def too_many(turn: Turn, pick: PickFacts) -> Message:
    return wrong(turn, "too_many", str(pick.left), "", left=pick.left)


def wrong_tote(turn: Turn, walk: Walk, tote: ToteOnCart, read: Read) -> Message:
    """Another order's tote, a tote that is not on this cart, or no tote at all."""
    expected = tote.tote_code or ""
    if read.kind not in (Kind.TOTE, Kind.PLAIN):
        return wrong(turn, "wrong_kind", expected, read.raw, wanted=_say(turn, "pip.scan_tote"))
    others = {each.tote_code: each.position for each in walk.totes}
    speech = _say(turn, "wrong_tote.speech", position=tote.position)
    if read.body in others:
        return wrong(turn, "wrong_tote", expected, read.body, speech, position=tote.position, other=others[read.body])
    return wrong(turn, "not_on_cart", expected, read.body, speech, position=tote.position)


def stopped(turn: Turn, dropped: Sequence[ToteOnCart]) -> Message:
    """Violet: these orders were cancelled; nothing more for their totes, which go aside at the end."""
    names = _say(turn, "between").join(
        _say(turn, "tote", position=tote.position, tote=tote.tote_code or "") for tote in dropped
    )
    orders = _say(turn, "between").join(tote.order_no for tote in dropped)
    positions = _say(turn, "between").join(str(tote.position) for tote in dropped)
    return Message(
        Level.INTERCEPTED,
        _say(turn, "stopped.title", orders=orders),
        _say(turn, "stopped.do", totes=names),
        _CODES["stopped"],
        speech=_say(turn, "stopped.speech", positions=positions),
    )


def taken_away(turn: Turn) -> Message:
    return Message(Level.ATTENTION, _say(turn, "taken_away.title"), _say(turn, "taken_away.do"), _CODES["taken_away"])


def rerouted(turn: Turn, change: WalkChange, left: int) -> Message:
    """Amber: something was closed or opened, the walk was laid out anew, and what becomes of what is out of reach."""
    names = _say(turn, "between").join(change.names)
    title = _say(turn, "rerouted.title", names=names) if names else _say(turn, "rerouted.open_again")
    counts = {"left": left, "aside": 0 if left else change.aside, "elsewhere": change.elsewhere, "back": change.back}
    told = [_say(turn, f"rerouted.{what}", n=n) for what, n in counts.items() if n]
    text = _say(turn, "between").join(told) or _say(turn, "rerouted.do")
    return Message(Level.ATTENTION, title, text, _CODES["rerouted"], speech=title)


def last_stop(turn: Turn) -> Message:
    return Message(Level.ATTENTION, _say(turn, "last_stop.title"), _say(turn, "last_stop.do"), _CODES["last_stop"])


def skipped(turn: Turn, pick: PickFacts) -> Message:
    return Message(Level.INFO, _say(turn, "skipped", slot=pick.slot_code))


def shorted(turn: Turn, pick: PickFacts, shorted: Shorted) -> Message:
    """Amber: where the rest is, or that it will not come and who knows."""
    slots = _say(turn, "between").join(shorted.slots)
    if shorted.lost == 0:
        what = "found_elsewhere"
    else:
        what = "found_partly" if shorted.elsewhere else "not_found"
    facts = {"slots": slots, "lost": shorted.lost, "elsewhere": shorted.elsewhere, "unit": _unit(turn, pick)}
    title, text = _say(turn, f"{what}.title", **facts), _say(turn, f"{what}.do", **facts)
    return Message(Level.ATTENTION, title, text, _CODES[what], speech=title)


def right(turn: Turn, where: Where, pick: PickFacts) -> Message:
    """The right scan: as short as a beep, with what comes next for the ear."""
    language = turn.call.language
    left = max(0, pick.left - where.counted)
    speech = {
        At.SKU: lambda: _say(turn, "speech.take", quantity=amount(left, language), unit=_unit(turn, pick)),
        At.QUANTITY: lambda: _say(turn, "speech.take", quantity=amount(pick.left, language), unit=_unit(turn, pick)),
        At.TOTE: lambda: _say(turn, "speech.put", position=pick.position),
    }
    return Message(
        Level.OK, _say(turn, f"right.{where.step}"), speech=speech[where.step]() if where.step in speech else ""
    )


def booked(turn: Turn, onward: Where, next_pick: PickFacts | None) -> Message:
    """Goods are in the tote. At a new stop the ear is told where to go; at the end that the walk is done."""
    if next_pick is None:
        return Message(Level.DONE, _say(turn, "walk_done"), speech=_say(turn, "walk_done"))
    if onward.step is At.SLOT:
        slot = place(next_pick.slot_code, turn.call.language)
        return Message(
            Level.DONE, _say(turn, "stop_left", slot=next_pick.slot_code), speech=_say(turn, "speech.go", slot=slot)
        )
    quantity = amount(next_pick.left, turn.call.language)
    speech = _say(turn, "speech.take", quantity=quantity, unit=_unit(turn, next_pick))
    return Message(Level.OK, _say(turn, "right.booked"), speech=speech)
