"""S7, the cluster pick: cart, totes; slot, goods, tote; ... lane.

Each scan is judged against the rows as they are now, so it may come late (from a PDA that had no network) or from
another device. Only the tote's scan books goods; until then F3 takes the last scan back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from wms.core.call import Call
from wms.core.codes import Kind, Read
from wms.core.dialogue import Ahead, Dialogue, Level, Message, Move, Scan, Screen, Step, Turn, leave
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.picking import service
from wms.picking.dialogue import messages
from wms.picking.dialogue.ahead import happy_path
from wms.picking.dialogue.news import news_of
from wms.picking.dialogue.screens import Scene, draw
from wms.picking.queries.walk import walk_of_batch
from wms.picking.rules.walking import (
    At,
    Where,
    counted,
    lawful,
    lot_differs,
    names_slot,
    number_of,
    onward,
    pick_at,
    pieces_of,
    place_lit,
    start,
    undone,
    where_was,
)
from wms.picking.service.picks import put_into_tote
from wms.picking.values import TASK_KIND, BatchState, Walk
from wms.site import queries as site
from wms.work import service as work

_UNDER_WAY = (BatchState.OPEN, BatchState.PICKING)
BATCHES_TRIED_MAX = 20
Act = Callable[[Turn, Walk, Where], Move]
Judge = Callable[[Turn, Walk, Where, Scan], Move]


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    """Open the batch of a task; without one, one's own, else the best free one."""
    task_id = given.get("task_id")
    for _ in range(BATCHES_TRIED_MAX):
        task = work.claim(call, int(task_id)) if task_id is not None else work.claim_next(call, [TASK_KIND])
        if task is None:
            break
        turn = Turn(call, {"batch": int(task.facts["batch"])})
        news = news_of(turn, At.CART, Where(At.CART))
        walk = _walk(turn)
        if walk.state in _UNDER_WAY:
            return _to(turn, start(walk), news, task.id)
        if news is not None or task_id is not None:
            return Move(None, {}, news)
    raise Refused(Reason.NO_WORK)


def _to(turn: Turn, where: Where, message: Message | None, task_id: int | None = None) -> Move:
    """Go on at `where`."""
    return Move(where.step, {"batch": turn.state["batch"], **where.to_json()}, message, task_id)


def _stay(turn: Turn, where: Where, message: Message) -> Move:
    return _to(turn, where, message)


def _walk(turn: Turn) -> Walk:
    return walk_of_batch(turn.call.session, turn.call.warehouse_id, int(turn.state["batch"]))


def _screen(step: At) -> Callable[[Turn], Screen]:
    def show(turn: Turn) -> Screen:
        walk = _walk(turn)
        if walk.claimed_by not in (None, turn.call.person_id):
            raise Refused(Reason.TASK_TAKEN, name=turn.say("cluster_pick.somebody"))
        if walk.state not in _UNDER_WAY:
            raise Refused(Reason.TASK_DONE)
        where = lawful(walk, where_was(step, turn.state))
        drawn = draw(_scene(turn, walk), where)
        return drawn if where.step is step else replace(drawn, step=where.step)

    return show


def _scene(turn: Turn, walk: Walk) -> Scene:
    call = turn.call
    building = site.warehouse(call.session, call.warehouse_id)
    return Scene(turn, walk, building, site.hall(call.session, call.warehouse_id))


def _judged(step: At, judge: Judge) -> Callable[[Turn, Scan], Move]:
    """A scan at a step: told first if the batch was taken away or orders of it were stopped."""

    def scanned(turn: Turn, scan: Scan) -> Move:
        return _withnews_of(turn, step, lambda walk, where: judge(turn, walk, where, scan))

    return scanned


def _withnews_of(turn: Turn, step: At, act: Callable[[Walk, Where], Move]) -> Move:
    walk = _walk(turn)
    if walk.claimed_by != turn.call.person_id or walk.state not in _UNDER_WAY:
        return Move(None, {}, messages.taken_away(turn))
    before = where_was(step, turn.state)
    news = news_of(turn, step, before)
    if news is None:
        return act(_walk(turn), lawful(_walk(turn), before))
    walk = _walk(turn)
    if walk.state not in _UNDER_WAY:
        return Move(None, {}, news)
    where = lawful(walk, before)
    about_that = before.pick_id != where.pick_id or where.step is At.LANE
    move = _to(turn, where, None) if about_that else act(walk, where)
    return replace(move, message=news)


def _cart_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    if where.step is not At.CART:
        return _elsewhere(turn, walk, where, scan)
    if scan.read.kind not in (Kind.CART, Kind.PLAIN):
        wanted = turn.say("cluster_pick.cart")
        return _stay(turn, where, messages.wrong(turn, "wrong_kind", wanted, scan.raw, wanted=wanted))
    service.begin_batch(turn.call, walk.batch_id, scan.read.body)
    return _to(turn, start(_walk(turn)), _ok(turn, "right.scan_cart"))


def _new_tote_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    position = walk.next_empty_position
    if where.step is not At.NEW_TOTE or position is None:
        return _elsewhere(turn, walk, where, scan)
    if scan.read.kind not in (Kind.TOTE, Kind.PLAIN):
        wanted = turn.say("cluster_pick.pip.scan_tote")
        return _stay(turn, where, messages.wrong(turn, "wrong_kind", wanted, scan.raw, wanted=wanted))
    service.assign_tote(turn.call, walk.batch_id, position.position, scan.read.body)
    return _to(turn, start(_walk(turn)), _ok(turn, "right.scan_new_tote"))


def _slot_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    if where.step is not At.SLOT:
        return _elsewhere(turn, walk, where, scan)
    pick = pick_at(walk, where)
    if not names_slot(pick, scan.read):
        return _stay(turn, where, messages.wrong_slot(turn, walk, pick, scan.read))
    there = replace(where, step=At.SKU)
    return _to(turn, there, messages.right(turn, there, pick))


def _sku_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    if where.step not in (At.SKU, At.QUANTITY):
        return _elsewhere(turn, walk, where, scan)
    pick = pick_at(walk, where)
    pieces = pieces_of(pick, scan.read)
    if pieces is None:
        return _stay(turn, where, messages.wrong_sku(turn, pick, scan.read))
    lot = lot_differs(pick, scan.read)
    if lot is not None:
        return _stay(turn, where, messages.wrong_lot(turn, pick, lot))
    if where.counted + pieces > pick.left:
        enough = replace(where, step=At.TOTE) if where.counted == pick.left else where
        return _stay(turn, enough, messages.too_many(turn, pick))
    there = counted(where, pick, pieces)
    return _to(turn, there, messages.right(turn, there, pick))


def _quantity_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    """While the number is shown: more goods count on, and the tote confirms it."""
    if where.step is not At.QUANTITY:
        return _elsewhere(turn, walk, where, scan)
    pick = pick_at(walk, where)
    tote = walk.at(pick.position)
    if scan.read.kind is Kind.TOTE and scan.read.body != tote.tote_code:
        return _stay(turn, where, messages.wrong_tote(turn, walk, tote, scan.read))
    if scan.read.body == tote.tote_code:
        return _tote_scanned(turn, walk, replace(where, step=At.TOTE, counted=pick.left), scan)
    return _sku_scanned(turn, walk, where, scan)


def _quantity_typed(turn: Turn, value: str) -> Move:
    def act(walk: Walk, where: Where) -> Move:
        if where.step is not At.QUANTITY:
            raise Refused(Reason.STEP_WRONG)
        pick = pick_at(walk, where)
        there = replace(where, step=At.TOTE, counted=number_of(value, pick.left))
        return _to(turn, there, messages.right(turn, there, pick))

    return _withnews_of(turn, At.QUANTITY, act)


def _tote_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    if where.step is not At.TOTE:
        return _elsewhere(turn, walk, where, scan)
    pick = pick_at(walk, where)
    tote = walk.at(pick.position)
    if pieces_of(pick, scan.read) is not None:
        return _sku_scanned(turn, walk, replace(where, step=At.SKU), scan)
    if scan.read.kind not in (Kind.TOTE, Kind.PLAIN) or scan.read.body != tote.tote_code:
        return _stay(turn, where, messages.wrong_tote(turn, walk, tote, scan.read))
    after = put_into_tote(turn.call, walk, pick, where.counted)
    there = onward(after, pick)
    return _to(turn, there, messages.booked(turn, there, after.pick(there.pick_id)))


def _button(step: At) -> Callable[[Turn, int], Move]:
    """At a put wall the totes stand in its places: the button of a place says what a scan of its tote says."""

    def pressed(turn: Turn, place: int) -> Move:
        def act(walk: Walk, where: Where) -> Move:
            if place_lit(walk, where) is None:
                raise Refused(Reason.STEP_WRONG)
            code = next((tote.tote_code for tote in walk.totes if tote.position == place), None) or str(place)
            return _elsewhere(turn, walk, where, Scan("", Read(Kind.TOTE, code, code), code))

        return _withnews_of(turn, step, act)

    return pressed


def _light(step: At) -> Callable[[Turn], int | None]:
    return lambda turn: place_lit(walk := _walk(turn), lawful(walk, where_was(step, turn.state)))


def _lane_scanned(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    if where.step is not At.LANE:
        return _elsewhere(turn, walk, where, scan)
    if scan.read.kind not in (Kind.STATION, Kind.PLAIN):
        wanted = turn.say("cluster_pick.lane")
        return _stay(turn, where, messages.wrong(turn, "wrong_kind", wanted, scan.raw, wanted=wanted))
    service.finish_batch(turn.call, walk.batch_id, scan.read.body)
    done = turn.say("cluster_pick.batch_done", batch=walk.no)
    return Move(None, {}, Message(Level.DONE, done, speech=done))


def _elsewhere(turn: Turn, walk: Walk, where: Where, scan: Scan) -> Move:
    """The walk is at another step than the screen was: the scan is judged there."""
    return _JUDGES[where.step](turn, walk, where, scan)


_JUDGES: dict[At, Judge] = {
    At.CART: _cart_scanned,
    At.NEW_TOTE: _new_tote_scanned,
    At.SLOT: _slot_scanned,
    At.SKU: _sku_scanned,
    At.QUANTITY: _quantity_scanned,
    At.TOTE: _tote_scanned,
    At.LANE: _lane_scanned,
}


def _ok(turn: Turn, key: str) -> Message:
    return Message(Level.OK, turn.say(f"cluster_pick.{key}"))


def _undo(turn: Turn, walk: Walk, where: Where) -> Move:
    back = undone(where, pick_at(walk, where))
    if back is None:
        raise Refused(Reason.NOTHING_TO_UNDO)
    return _to(turn, back, Message(Level.INFO, turn.say("cluster_pick.undone")))


def _undo_tote(turn: Turn, walk: Walk, where: Where) -> Move:
    filled = [tote.position for tote in walk.totes if tote.tote_id is not None]
    if not filled:
        raise Refused(Reason.NOTHING_TO_UNDO)
    service.unassign_tote(turn.call, walk.batch_id, filled[-1])
    return _to(turn, start(_walk(turn)), Message(Level.INFO, turn.say("cluster_pick.undone")))


def _skip(turn: Turn, walk: Walk, where: Where) -> Move:
    if len(walk.open_stops) < 2:
        return _stay(turn, where, messages.last_stop(turn))
    pick = pick_at(walk, where)
    service.skip_stop(turn.call, walk.batch_id, pick.stop)
    return _to(turn, onward(_walk(turn), None), messages.skipped(turn, pick))


def _ask_missing(turn: Turn, walk: Walk, where: Where) -> Move:
    return _to(turn, replace(where, step=At.SHORT, counted=0), None)


def _missing_typed(turn: Turn, value: str) -> Move:
    def act(walk: Walk, where: Where) -> Move:
        if where.step is not At.SHORT:
            raise Refused(Reason.STEP_WRONG)
        pick = pick_at(walk, where)
        shorted = service.short_pick(turn.call, pick.id, number_of(value, pick.left))
        after = _walk(turn)
        still = after.pick(pick.id)
        there = replace(where, step=At.SKU, counted=0) if still and still.left else onward(after, pick)
        return _to(turn, there, messages.shorted(turn, pick, shorted))

    return _withnews_of(turn, At.SHORT, act)


def _show_more(turn: Turn, walk: Walk, where: Where) -> Move:
    return _to(turn, replace(where, step=At.MORE), None)


def _back(turn: Turn, walk: Walk, where: Where) -> Move:
    pick = pick_at(walk, where)
    if where.counted == 0:
        return _to(turn, Where(At.SKU if where.same_slot else At.SLOT, pick.id, 0, where.same_slot), None)
    return _to(turn, counted(replace(where, counted=0), pick, where.counted), None)


def _scanned_aside(step: At) -> Callable[[Turn, Scan], Move]:
    """A scan while something else is shown: it is taken as if that were not there."""

    def scanned(turn: Turn, scan: Scan) -> Move:
        def act(walk: Walk, where: Where) -> Move:
            there = Where(At.SKU if where.same_slot else At.SLOT, where.pick_id, 0, where.same_slot)
            return _elsewhere(turn, walk, there if where.step is step else where, scan)

        return _withnews_of(turn, step, act)

    return scanned


def _ahead(turn: Turn, step: str) -> Sequence[Ahead]:
    if step not in (At.SLOT, At.SKU, At.QUANTITY, At.TOTE):
        return ()
    walk = _walk(turn)
    return happy_path(_scene(turn, walk), lawful(walk, where_was(step, turn.state)))


_WALK_KEYS: Mapping[str, Act] = {"short": _ask_missing, "skip": _skip, "undo": _undo, "more": _show_more}
_KEYS: dict[At, Mapping[str, Act]] = {
    At.NEW_TOTE: {"undo": _undo_tote},
    **dict.fromkeys((At.SLOT, At.SKU, At.QUANTITY, At.TOTE), _WALK_KEYS),
    **{at: {"back": _back} for at in (At.SHORT, At.MORE)},
}
# The rows may lead from anywhere to anywhere: another device of the same person went on, somebody else took a tote off.
_ANYWHERE: frozenset[str | None] = frozenset({*At, None})


def _key(step: At, name: str) -> Callable[[Turn, str], Move]:
    """A key, judged where the walk is now."""

    def does(turn: Turn, walk: Walk, where: Where) -> Move:
        act = _KEYS.get(where.step, {}).get(name)
        if act is None:
            raise Refused(Reason.STEP_WRONG)
        return act(turn, walk, where)

    return lambda turn, _value: _withnews_of(turn, step, lambda walk, where: does(turn, walk, where))


def _step(step: At, on_scan: Callable[[Turn, Scan], Move], **more: Callable[[Turn, str], Move]) -> Step:
    keys = {name: _key(step, name) for names in _KEYS.values() for name in names}
    return Step(_screen(step), _ANYWHERE, on_scan, {**keys, **more, "leave": leave})


def _putting(step: Step, at: At) -> Step:
    """What is in the hand goes to the place that is lit."""
    return replace(step, light=_light(at), on_button=_button(at))


CLUSTER_PICK = Dialogue(
    name="cluster_pick",
    title="cluster_pick.title",
    right=Right.PICK,
    begin=_begin,
    takes=TASK_KIND,
    ahead=_ahead,
    steps={
        At.CART: _step(At.CART, _judged(At.CART, _cart_scanned)),
        At.NEW_TOTE: _step(At.NEW_TOTE, _judged(At.NEW_TOTE, _new_tote_scanned)),
        At.SLOT: _step(At.SLOT, _judged(At.SLOT, _slot_scanned)),
        At.SKU: _step(At.SKU, _judged(At.SKU, _sku_scanned)),
        At.QUANTITY: _putting(
            _step(At.QUANTITY, _judged(At.QUANTITY, _quantity_scanned), quantity=_quantity_typed), At.QUANTITY
        ),
        At.TOTE: _putting(_step(At.TOTE, _judged(At.TOTE, _tote_scanned)), At.TOTE),
        At.SHORT: _step(At.SHORT, _scanned_aside(At.SHORT), missing=_missing_typed),
        At.MORE: _step(At.MORE, _scanned_aside(At.MORE)),
        At.LANE: _step(At.LANE, _judged(At.LANE, _lane_scanned)),
    },
)
