"""A bay divided anew becomes work: accepted or declined by a supervisor, emptied by ordinary moves, its parts changed,
its new labels scanned; given up at any point until the parts are changed.

While it is under way its slots are kept for it, so that nothing comes in. Until the parts are changed the book has the
old slots; from then on the new ones, blocked until the label of each hangs. Whether it is still right is asked at every
step: a bay is only cut when nothing lies in it and nobody is on the way to it.

Lock order: the division, moves, spare parts, the bay with its slots and places (`racks.keep_bay`), leases. Who carries
goods out of a bay has its division's row first as well (`moving`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select, and_, delete, or_, select

from wms.catalog import queries as catalog
from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.ledger.values import Condition
from wms.site import queries as site
from wms.site import racks
from wms.site.racks import Rack
from wms.site.rules import Parts, Profile
from wms.site.tables import Slot
from wms.slotting import moving, service
from wms.slotting.division_ground import OPEN_STATES
from wms.slotting.division_plan import profile_of
from wms.slotting.emptying import DIVIDE_TASK, ask_to_divide, subject_of
from wms.slotting.moving import MOVE_TASK
from wms.slotting.tables import BayDivision, MoveProposal, SlotLease
from wms.slotting.values import Goods, Kept
from wms.work import service as work
from wms.work.values import PRIORITY_LAST

DIVISIONS_MAX = 200
KEPT_MIN = 7 * 24 * 60
LATER = timedelta(minutes=30)

_lease = table_of(SlotLease)


@dataclass(frozen=True, slots=True)
class Cutting:
    """A bay in somebody's hands. `parts` go in (negative: come out); `waiting` are new slots without their label."""

    id: int
    state: str
    rack: Rack
    profile: Profile
    parts: Parts
    waiting: tuple[str, ...]


def accept(call: Call, division_ids: Collection[int]) -> int:
    """These bays are to be divided: their goods' moves go on the board. How many were; decided ones are passed over.

    A bay that cannot be emptied any more is dropped, and says why. Raises BAD_INPUT for too many at once.
    """
    done = 0
    for row in _open(call, division_ids):
        why = _not_any_more(call, row)
        if why is None:
            row.state, row.decided_by = "accepted", call.actor
            call.session.flush()
            _drop_others(call, row)
            _keep_slots(call, row)
            why = _empty(call, row)
        if why is None:
            ask_to_divide(call, row.id)
            done += 1
        else:
            _end(call, row, why)
    if done:
        note(call, "divisions.accepted", bays=done)
    return done


def decline(call: Call, division_ids: Collection[int]) -> int:
    """These are not wanted; how many were still open. Raises BAD_INPUT for too many at once."""
    rows = _open(call, division_ids)
    for row in rows:
        row.state, row.decided_by, row.closed_at = "declined", call.actor, call.now
    call.session.flush()
    return len(rows)


def withdraw(call: Call, division_id: int) -> None:
    """Not wanted any more: what was carried away stays where it is, the bay stays as it is, its parts go back.

    Raises TASK_DONE once the parts are changed: then only the labels are left to do.
    """
    row = _locked(call, division_id)
    if row.state not in ("accepted", "changing"):
        raise Refused(Reason.TASK_DONE, state=row.state)
    _end(call, row, "withdrawn")


def _open(call: Call, division_ids: Collection[int]) -> list[BayDivision]:
    if len(division_ids) > DIVISIONS_MAX:
        raise Refused(Reason.BAD_INPUT, what="divisions")
    query = select(BayDivision).where(
        BayDivision.warehouse_id == call.warehouse_id,
        BayDivision.id.in_(sorted(set(division_ids))),
        BayDivision.state == "proposed",
    )
    fresh = {"populate_existing": True}
    return list(call.session.scalars(query.order_by(BayDivision.id).with_for_update(), execution_options=fresh))


def _locked(call: Call, division_id: int) -> BayDivision:
    return _found(call, division_id, _one(call, division_id).with_for_update())


def _one(call: Call, division_id: int) -> Select[BayDivision]:
    return select(BayDivision).where(BayDivision.warehouse_id == call.warehouse_id, BayDivision.id == division_id)


def _found(call: Call, division_id: int, query: Select[BayDivision]) -> BayDivision:
    row = call.session.scalars(query, execution_options={"populate_existing": True}).one_or_none()
    if row is None:
        raise Refused(Reason.NOT_FOUND, what=f"division {division_id}")
    return row


def _not_any_more(call: Call, row: BayDivision) -> str | None:
    """Why the bay is not what the plan saw: others divide it, or its slots are others by now."""
    others = select(BayDivision.id).where(
        BayDivision.bay_id == row.bay_id, BayDivision.state.in_(OPEN_STATES), BayDivision.id != row.id
    )
    if call.session.scalars(others.limit(1)).first() is not None:
        return Kept.UNDER_WAY.value
    now = racks.rack(call.session, call.warehouse_id, row.bay_id)
    same = [list(slot.face) for slot in now.slots] == row.before["slots"]
    return None if same else Reason.CHANGED_MEANWHILE.value


def _drop_others(call: Call, row: BayDivision) -> None:
    """What plans of moves wanted of these slots is void: their goods leave anyway, and none come."""
    places = select(Slot.place_id).where(Slot.bay_id == row.bay_id)
    touching = or_(MoveProposal.source_id.in_(places), MoveProposal.target_id.in_(places))
    moving.drop(call, and_(touching, MoveProposal.division_id.is_(None)), "bay_divided")


def _keep_slots(call: Call, row: BayDivision) -> list[str]:
    """Nothing comes into the bay any more; the slots that somebody is on the way to."""
    slots = racks.rack(call.session, call.warehouse_id, row.bay_id).slots
    subject = subject_of(row.id)
    wanted = sorted(slots, key=lambda slot: slot.place_id)
    return [slot.code for slot in wanted if not service.lease(call, slot.place_id, subject, minutes=KEPT_MIN)]


def _stock(call: Call, row: BayDivision) -> Sequence[Stock]:
    """What lies in the bay."""
    places = select(Slot.place_id).where(Slot.bay_id == row.bay_id, Slot.retired.is_(False))
    rows = select(Stock).where(Stock.place_id.in_(places), Stock.on_hand > 0).order_by(Stock.place_id, Stock.id)
    return call.session.scalars(rows, execution_options={"populate_existing": True}).all()


def _empty(call: Call, row: BayDivision) -> str | None:
    """A move on the board for everything that lies in the bay and has none; why it cannot be, or None."""
    moves = select(MoveProposal.source_id, MoveProposal.sku_id).where(
        MoveProposal.division_id == row.id, MoveProposal.state == "accepted"
    )
    leaving = {(move.source_id, move.sku_id) for move in call.session.execute(moves)}
    for stock in _stock(call, row):
        if (stock.place_id, stock.sku_id) not in leaving:
            why: str | None = _send_away(call, row, stock)
            if why is not None:
                return why
    return None


def _send_away(call: Call, row: BayDivision, stock: Stock) -> str | None:
    """Put one move on the board; why it cannot be, or None."""
    slot = site.slot_by_id(call.session, call.warehouse_id, stock.place_id)
    why = _stuck(stock)
    if why is not None:
        return why.value
    sku = catalog.sku_by_id(call.session, call.warehouse_id, stock.sku_id)
    goods = Goods(sku, stock.lot_id, stock.on_hand, stock.condition, slot.bonded, stock.book, stock.place_id)
    try:
        target = service.choose(call, goods, count=1)[0]
    except Refused as no:
        return str(no.reason.value)
    move = MoveProposal(
        warehouse_id=call.warehouse_id,
        merchant_id=stock.merchant_id,
        division_id=row.id,
        sku_id=stock.sku_id,
        source_id=stock.place_id,
        target_id=target.place_id,
        lines_per_week=0.0,
        gain_m_week=0,
        replayed_m_week=0,
        cost_m=2 * target.walk_m,
        state="accepted",
        decided_by=call.actor,
    )
    call.session.add(move)
    call.session.flush()
    service.lease(call, target.place_id, f"proposal:{move.id}", weight_g=goods.weight_g)
    move.task_id = work.create(
        call,
        MOVE_TASK,
        f"proposal:{move.id}",
        priority=PRIORITY_LAST,
        zone_id=slot.zone_id,
        merchant_id=stock.merchant_id,
        proposal=move.id,
    )
    call.session.flush()
    return None


def _stuck(stock: Stock) -> Kept | None:
    if stock.promised:
        return Kept.PROMISED
    if stock.frozen_reason:
        return Kept.FROZEN
    return Kept.CONDITION if stock.condition != Condition.GOOD.value else None


def cutting(call: Call, division_id: int) -> Cutting:
    """The bay as it stands; locks nothing. Raises NOT_FOUND, TASK_DONE."""
    row = _found(call, division_id, _one(call, division_id))
    if row.state not in OPEN_STATES:
        raise Refused(Reason.TASK_DONE, state=row.state)
    return _cutting(call, row)


def _cutting(call: Call, row: BayDivision) -> Cutting:
    found = racks.rack(call.session, call.warehouse_id, row.bay_id)
    waiting = tuple(slot.code for slot in found.slots if slot.blocked) if row.state == "labelling" else ()
    return Cutting(row.id, row.state, found, profile_of(row), Parts(row.beams, row.dividers), waiting)


def begin(call: Call, division_id: int, slot_code: str) -> Cutting | Refused:
    """Somebody stands before the bay and scanned one of its slots: empty, and the parts are there? Then he has them.

    Goods that came back get a move again, and the bay waits: the refusal that says so is returned (not raised: the
    moves are to stay). Raises SLOT_WRONG for another bay, PARTS_MISSING, TASK_DONE, and what
    forbids to touch a slot of it (SLOT_...).
    """
    row = _locked(call, division_id)
    if row.state not in ("accepted", "changing"):
        raise Refused(Reason.TASK_DONE, state=row.state)
    found = racks.rack(call.session, call.warehouse_id, row.bay_id)
    if slot_code not in {slot.code for slot in found.slots}:
        raise Refused(Reason.SLOT_WRONG, expected=found.label, scanned=slot_code)
    if row.state == "changing":
        return _cutting(call, row)
    left = _stock(call, row)
    if left:
        return _not_empty(call, row, left[0])
    _check_free(call, row, found)
    racks.take_parts(call, found.depth_mm, _positive(row))
    row.state = "changing"
    call.session.flush()
    announce(call, "bay.changing", f"bay:{row.bay_id}", division=row.id)
    call.wakes.add("live")
    return _cutting(call, row)


def _not_empty(call: Call, row: BayDivision, first: Stock) -> Refused:
    """Send what lies there away; where that cannot be yet (somebody ordered it), the bay waits half an hour."""
    why = _empty(call, row)
    if row.task_id is not None and why is None:
        work.cancel_about(call, DIVIDE_TASK, subject_of(row.id))
    elif row.task_id is not None:
        work.skip(call, row.task_id, LATER // timedelta(minutes=1))
    code = site.slot_by_id(call.session, call.warehouse_id, first.place_id).code
    return Refused(Reason.BAY_IN_USE, slot=code, why=why or "goods")


def _check_free(call: Call, row: BayDivision, found: Rack) -> None:
    """Raises SLOT_BLOCKED, SLOT_SHUT, SLOT_UNDER_COUNT, or SLOT_KEPT where somebody is on the way to the bay."""
    for slot in found.slots:
        if slot.blocked:
            raise Refused(Reason.SLOT_BLOCKED, slot=slot.code)
        if slot.shut:
            raise Refused(Reason.SLOT_SHUT, slot=slot.code)
        if slot.under_count:
            raise Refused(Reason.SLOT_UNDER_COUNT, slot=slot.code)
    taken = _keep_slots(call, row)
    if taken:
        raise Refused(Reason.SLOT_KEPT, slot=taken[0])


def _positive(row: BayDivision) -> Parts:
    return Parts(max(0, row.beams), max(0, row.dividers))


def _freed(row: BayDivision) -> Parts:
    return Parts(max(0, -row.beams), max(0, -row.dividers))


def parts_changed(call: Call, division_id: int) -> Cutting:
    """The bay is cut: the old slots are retired, the new ones are there, what came out lies with the spare parts.

    Raises BAY_IN_USE when something came in meanwhile, TASK_DONE, and what forbids to touch a slot of it (SLOT_...).
    """
    row = _locked(call, division_id)
    if row.state != "changing":
        raise Refused(Reason.TASK_DONE, state=row.state)
    _drop_others(call, row)
    depth_mm = racks.rack(call.session, call.warehouse_id, row.bay_id).depth_mm
    racks.take_parts(call, depth_mm, -_freed(row))
    found = racks.keep_bay(call, row.bay_id)  # from here on nobody comes in
    left = _stock(call, row)
    if left:
        code = next(slot.code for slot in found.slots if slot.place_id == left[0].place_id)
        raise Refused(Reason.BAY_IN_USE, slot=code)
    _check_free(call, row, found)
    places = [slot.place_id for slot in found.slots]
    call.session.execute(delete(_lease).where(_lease.c.place_id.in_(places)))
    racks.redivide(call, row.bay_id, profile_of(row), subject_of(row.id))
    row = _locked(call, division_id)
    row.state = "labelling"
    call.session.flush()
    announce(call, "bay.divided", f"bay:{row.bay_id}", division=row.id, retired=places)
    call.wakes.add("live")
    return _cutting(call, row)


def label_hung(call: Call, division_id: int, slot_code: str) -> Cutting:
    """The label of a new slot was scanned where it hangs: goods may go there. The last one ends the work.

    Raises SLOT_WRONG for a slot of another bay, TASK_DONE.
    """
    row = _locked(call, division_id)
    if row.state != "labelling":
        raise Refused(Reason.TASK_DONE, state=row.state)
    found = racks.rack(call.session, call.warehouse_id, row.bay_id)
    slot = next((one for one in found.slots if one.code == slot_code), None)
    if slot is None:
        raise Refused(Reason.SLOT_WRONG, expected=found.label, scanned=slot_code)
    racks.open_slot(call, slot.place_id)
    now = _cutting(call, row)
    if not now.waiting:
        row.state, row.closed_at = "done", call.now
        call.session.flush()
        work.done_about(call, DIVIDE_TASK, subject_of(row.id))
        call.wakes.add("live")
    return now


def leave(call: Call, division_id: int) -> None:
    """Somebody leaves off: the bay waits as it is for the next."""
    row = _locked(call, division_id)
    if row.state in OPEN_STATES and row.task_id is not None:
        work.give_back(call, row.task_id)


def _end(call: Call, row: BayDivision, why: str) -> None:
    if row.state == "changing":
        depth_mm = racks.rack(call.session, call.warehouse_id, row.bay_id).depth_mm
        racks.take_parts(call, depth_mm, -_positive(row))
    row.state, row.dropped_why, row.closed_at = "dropped", why, call.now
    call.session.flush()
    moving.drop(call, MoveProposal.division_id == row.id, why)
    service.end_leases(call, subject_of(row.id))
    work.cancel_about(call, DIVIDE_TASK, subject_of(row.id))
    call.wakes.add("live")
