"""Cards of what a courier's truck takes."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select

from wms.shipping.papers import manifest_by_no, rows_of
from wms.shipping.tables import Manifest
from wms.terminal.queries.history.common import happened, newest_first
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Inside, Words

NUMBERED_MAX = 10


def manifest(look: Look, no: str) -> Card | None:
    """A manifest with its bags and loose parcels, and the paper to sign."""
    one = manifest_by_no(look.session, look.warehouse_id, no)
    if one is None:
        return None
    facts: list[tuple[str, Words | str]] = [
        ("state", Words(f"terminal.manifest.{one.state}")),
        ("courier", look.courier(one.courier)),
        ("weight", f"{one.weight_g:,} g"),
        ("signed_by", one.signed_by or "—"),
    ]
    if one.missing_reason:
        facts.append(("left_behind", one.missing_reason))
    inside = [Inside(row.code, row.code, row.hub, row.parcels) for row in rows_of(look.session, one)]
    events = newest_first(
        happened(one.opened_at, "terminal.history.manifest_opened"),
        happened(one.closed_at, "terminal.history.manifest_closed"),
    )
    return Card("manifest", one.no, one.no, facts, inside, events, paper=f"/terminal/manifests/{one.no}.pdf")


def numbered(look: Look, text: str) -> Sequence[Inside]:
    """Manifests whose number begins like the words, the newest first."""
    rows = look.session.execute(
        select(Manifest.no, Manifest.courier, Manifest.parcels)
        .where(Manifest.warehouse_id == look.warehouse_id, Manifest.no.startswith(text.upper(), autoescape=True))
        .order_by(Manifest.id.desc())
        .limit(NUMBERED_MAX)
    )
    return [Inside(row.no, row.no, look.courier(row.courier), row.parcels) for row in rows]
