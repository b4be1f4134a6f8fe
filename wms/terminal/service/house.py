"""Small deeds of the house itself: shelve a trouble, send a stuck fact again, tell a chute, note a reject as done."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from wms.core import audit_trail, outbox
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.exchange.gateways.service import order_chute
from wms.site.tables import Chute
from wms.sorting.tables import DivertRow
from wms.sorting.values import Finding
from wms.terminal.queries.shelf import SHELVED
from wms.terminal.queries.troubles.machines import HANDLED

FINDINGS_OF = timedelta(days=1)
PARCELS_MAX = 200


def shelve(call: Call, key: str, why: str, *, over: bool = False) -> None:
    """Put a trouble aside for a quarter of an hour, in the asker's name; `over` takes it out again."""
    audit_trail.note(call, SHELVED, trouble=key, why=why, over=over)


def handle_reject(call: Call, divert_id: int) -> None:
    """Somebody has seen to what the line threw out. Raises NOT_FOUND."""
    known = select(DivertRow.id).where(DivertRow.id == divert_id, DivertRow.warehouse_id == call.warehouse_id)
    if call.session.execute(known).first() is None:
        raise Refused(Reason.NOT_FOUND, what=f"parcel {divert_id}")
    audit_trail.note(call, HANDLED, divert=divert_id)


def parcels_of_findings(call: Call, finding: Finding) -> list[int]:
    """Parcels of the last day with this finding, by id."""
    rows = call.session.scalars(
        select(DivertRow.parcel_id)
        .where(
            DivertRow.warehouse_id == call.warehouse_id,
            DivertRow.finding == finding.value,
            DivertRow.confirmed_at >= call.now - FINDINGS_OF,
            DivertRow.parcel_id.is_not(None),
        )
        .order_by(DivertRow.parcel_id)
        .limit(PARCELS_MAX)
    )
    return sorted({row for row in rows if row is not None})


def send_again(call: Call, row_id: int) -> None:
    """Give a fact that was set aside to the deliverer once more, with all its tries. Raises NOT_FOUND."""
    outbox.send_again(call, row_id)
    audit_trail.note(call, "outbox.sent_again", row=row_id)


def dismiss(call: Call, row_id: int) -> None:
    """Give a fact up that was set aside: somebody saw to it by hand. What waits behind it goes on. Raises NOT_FOUND.

    The trail keeps what it was and why it failed.
    """
    given_up = outbox.dismiss(call, row_id)
    told = {"topic": given_up.topic, "aggregate": given_up.aggregate, "facts": given_up.facts}
    audit_trail.note(call, "outbox.dismissed", row=row_id, trouble=given_up.trouble, **told)


def known_chute(call: Call, chute: int) -> None:
    """Raises CHUTE_UNKNOWN."""
    known = select(Chute.id).where(Chute.warehouse_id == call.warehouse_id, Chute.number == chute)
    if call.session.execute(known).first() is None:
        raise Refused(Reason.CHUTE_UNKNOWN, chute=chute)


def tell_chute(call: Call, chute: int, command: str) -> None:
    """An order to every sorter of the building: OPEN or LOCK. Its gateway fetches it. Raises CHUTE_UNKNOWN."""
    order_chute(call, chute, command)
    audit_trail.note(call, "chute.ordered", chute=chute, command=command)
