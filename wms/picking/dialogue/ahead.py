"""The happy path from here on: what a PDA without network accepts, and what it shows then."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wms.core import codes
from wms.core.dialogue import AHEAD_MAX, Ahead
from wms.picking.dialogue import messages
from wms.picking.dialogue.screens import Scene, draw
from wms.picking.rules.walking import At, Where, counted, onward
from wms.picking.values import PickFacts, Walk


def happy_path(scene: Scene, where: Where) -> Sequence[Ahead]:
    """At most `AHEAD_MAX` right scans, to the last tote of the batch."""
    path: list[Ahead] = []
    while len(path) < AHEAD_MAX and where.step is not At.LANE:
        pick = scene.walk.pick(where.pick_id)
        assert pick is not None, "a walking step has its pick"
        accepts, expected, there, after = _right_scan(scene.walk, where, pick)
        booked = after is not scene.walk
        scene = replace(scene, walk=after)
        told = scene.walk.pick(there.pick_id)
        message = messages.booked(scene.turn, there, told) if booked else messages.right(scene.turn, there, pick)
        wrong = scene.turn.say(f"cluster_pick.offline_wrong.{where.step}")
        path.append(Ahead(accepts, draw(scene, there), message, wrong, expected, there.step))
        where = there
    return path


def _right_scan(walk: Walk, where: Where, pick: PickFacts) -> tuple[Sequence[str], str, Where, Walk]:
    """What is accepted here, how it is named when something else was scanned, where it leads, and the walk then."""
    if where.step is At.SLOT:
        label = codes.make(codes.Kind.SLOT, pick.slot_code)
        return (label, pick.slot_code), pick.slot_code, replace(where, step=At.SKU), walk
    if where.step is At.SKU:
        singles = tuple(code for code, quantity in pick.barcodes if quantity == 1)
        return singles or (pick.sku_code,), pick.barcode, counted(where, pick, 1), walk
    tote = walk.at(pick.position).tote_code or ""
    whole = pick.left if where.step is At.QUANTITY else where.counted
    after = walk.with_pick(pick.id, picked=whole)
    return (codes.make(codes.Kind.TOTE, tote), tote), tote, onward(after, pick), after
