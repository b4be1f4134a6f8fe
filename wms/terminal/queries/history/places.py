"""Cards of slots, containers and arrivals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import or_, select

from wms.core.refusal import Refused
from wms.counting.tables import Count
from wms.inbound import queries as inbound
from wms.ledger.tables import MovementRow, Stock
from wms.site import queries as site
from wms.terminal.queries.history.common import actors, happened, lying, movements, newest_first
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Inside, Words


def slot(look: Look, code: str) -> Card | None:
    found = none_if_unknown(lambda: site.slot_by_code(look.session, look.warehouse_id, code))
    if found is None:
        return None
    barred = ((found.blocked, "blocked"), (found.shut, "shut"), (found.under_count, "under_count"), (True, "usable"))
    state = next(name for yes, name in barred if yes)
    facts = [
        ("zone", found.zone_code),
        ("level", f"{found.level}-{found.position}"),
        ("size", f"{found.width_mm:,} × {found.depth_mm:,} × {found.height_mm:,} mm"),
        ("load", f"{found.weight_max_g / 1000:g} kg"),
        ("state", Words(f"terminal.slot.{state}")),
    ]
    moved = movements(look, _through(found.place_id))
    events = newest_first(moved, _counts(look, found.place_id))
    inside = lying(look, Stock.place_id == found.place_id)
    return Card("slot", found.code, found.code, facts, inside, events)


def _through(place_id: int) -> Any:
    return or_(MovementRow.source_id == place_id, MovementRow.target_id == place_id)


def _counts(look: Look, place_id: int) -> list[Any]:
    names = actors(look)
    rows = look.session.execute(
        select(Count.counted_at, Count.counted_by, Count.closed_at, Count.approved_by, Count.state).where(
            Count.slot_id == place_id
        )
    )
    events = []
    for row in rows:
        events += happened(row.counted_at, "terminal.history.counted", names.get(row.counted_by, row.counted_by))
        if row.approved_by:
            events += happened(row.closed_at, "terminal.history.approved", names.get(row.approved_by, row.approved_by))
    return events


def container(look: Look, code: str) -> Card | None:
    found = none_if_unknown(lambda: site.container_by_code(look.session, look.warehouse_id, None, code))
    if found is None:
        return None
    facts: list[tuple[str, Words | str]] = [("state", Words(f"terminal.container.{found.state}"))]
    if found.parent_place_id is not None:
        facts.append(("stands_in", site.code_of_place(look.session, found.parent_place_id)))
    inside = lying(look, Stock.place_id == found.place_id)
    on_it = site.containers_in(look.session, look.warehouse_id, found.place_id)
    inside += [Inside(one.code, one.code, Words(f"terminal.kind.{one.kind}")) for one in on_it]
    return Card(found.kind, found.code, found.code, facts, inside, movements(look, _through(found.place_id)))


def asn(look: Look, no: str) -> Card | None:
    found = none_if_unknown(lambda: inbound.asn_by_no(look.session, look.warehouse_id, no))
    if found is None:
        return None
    facts = [("owner", found.merchant_name), ("state", Words(f"terminal.asn.{found.state}"))]
    inside = [
        Inside(
            line.sku_code,
            line.name,
            Words(
                "terminal.lookup.received", {"received": line.received, "expected": line.expected, "unit": line.unit}
            ),
            line.received,
        )
        for line in found.lines
    ]
    return Card("asn", found.no, found.no, facts, inside, movements(look, MovementRow.reference == f"asn:{found.id}"))


def none_if_unknown(ask: Callable[[], Any]) -> Any:
    """What `ask` finds, or None where it refuses as unknown or as two of one name."""
    try:
        return ask()
    except Refused as no:
        if no.reason.status in (404, 409):
            return None
        raise
