"""S4 move: a slot's goods to where they lie better. Scan the slot, one piece, and the new slot; leave at any time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.dialogue import (
    Dialogue,
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
from wms.slotting import moving
from wms.slotting.dialogue import parts
from wms.slotting.moving import MOVE_TASK, Carry

SOURCE, ITEM, TARGET = "scan_source", "scan_item", "scan_target"
_ORDER = {SOURCE: "move.source", ITEM: "move.item", TARGET: "move.target"}
_STATES = {SOURCE: ("now", "next"), ITEM: ("done", "now"), TARGET: ("now", "done")}  # of the place, of the goods


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    """Only from the board: a move is somebody's decision. Raises NO_WORK without a task, TASK_DONE."""
    if "proposal" not in given:
        raise Refused(Reason.NO_WORK)
    found = moving.carry(call, int(given["proposal"]))
    return Move(SOURCE, {"proposal": found.id}, Message(Level.OK, found.source.code, speech=found.source.code))


def _carry(turn: Turn) -> Carry:
    return moving.carry(turn.call, int(turn.state["proposal"]))


def _screen(turn: Turn, step: str) -> Screen:
    found = _carry(turn)
    slot, heading = (found.target, "move.put_down") if step == TARGET else (found.source, "move.go")
    at, what = _STATES[step]
    return Screen(
        prompt=turn.say(f"move.{step}"),
        pips=pips(turn, _ORDER, step),
        cards=[
            parts.place(turn, slot, heading, at),
            parts.goods(turn, found.sku, found.quantity, found.sku.unit, what),
        ],
        status=[(turn.say("move.from"), found.source.code), (turn.say("move.to"), found.target.code)],
        keys=[leave_key(turn)],
    )


def _source_scanned(turn: Turn, scan: Scan) -> Move:
    found = _carry(turn)
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=found.source.code, scanned=scan.raw)
    if scan.read.body != found.source.code:
        raise Refused(Reason.SLOT_WRONG, expected=found.source.code, scanned=scan.read.body)
    kept = moving.set_out(turn.call, found.id)
    if isinstance(kept, Refused):  # not right any more: the task went with it, and the board says why
        words = turn.say("move.dropped", why=turn.say(f"reason.{kept.reason.value}", **kept.facts))
        return Move(None, {}, Message(Level.ATTENTION, words, code=kept.reason.value, speech=words))
    words = turn.say("move.take_all", quantity=kept.quantity)
    return Move(ITEM, dict(turn.state), Message(Level.OK, words, speech=words))


def _item_scanned(turn: Turn, scan: Scan) -> Move:
    found = _carry(turn)
    if scan.read.kind not in (Kind.PLAIN, Kind.GS1):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=found.sku.name, scanned=scan.raw)
    scanned = catalog.skus_by_barcode(turn.call.session, turn.call.warehouse_id, scan.read.body)
    if not scanned:
        raise Refused(Reason.BARCODE_UNKNOWN, scanned=scan.raw)
    if all(one.sku.id != found.sku.id for one in scanned):
        raise Refused(Reason.SKU_WRONG, expected=found.sku.name, scanned=scanned[0].sku.name)
    return Move(TARGET, dict(turn.state), Message(Level.OK, found.target.code, speech=found.target.code))


def _target_scanned(turn: Turn, scan: Scan) -> Move:
    if scan.read.kind not in (Kind.SLOT, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=_carry(turn).target.code, scanned=scan.raw)
    moved = moving.put_down(turn.call, int(turn.state["proposal"]), scan.read.body)
    words = turn.say("move.done", slot=moved.target.code, quantity=moved.quantity)
    return Move(None, {}, Message(Level.DONE, words, speech=words))


def _leave(turn: Turn, _value: str) -> Move:
    moving.put_back(turn.call, int(turn.state["proposal"]))
    return Move(None)


SLOT_MOVE = Dialogue(
    name="slot_move",
    title="move.title",
    right="move",
    begin=_begin,
    takes=MOVE_TASK,
    in_menu=False,
    steps={
        SOURCE: Step(lambda turn: _screen(turn, SOURCE), frozenset({ITEM, None}), _source_scanned, {"leave": _leave}),
        ITEM: Step(lambda turn: _screen(turn, ITEM), frozenset({TARGET, None}), _item_scanned, {"leave": _leave}),
        TARGET: Step(lambda turn: _screen(turn, TARGET), frozenset({None}), _target_scanned, {"leave": _leave}),
    },
)
