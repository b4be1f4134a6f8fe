"""Which hub a parcel goes to: the longest matching rule, then the park's own re-routing on top."""

from __future__ import annotations

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.shipping.tables import Reroute, RouteRule
from wms.shipping.values import Route

_rule = table_of(RouteRule)
_reroute = table_of(Reroute)
_rules = select(_rule.c.id, _rule.c.match, _rule.c.priority, _rule.c.route_code, _rule.c.hub).where(
    _rule.c.warehouse_id == bindparam("w"),
    _rule.c.courier == bindparam("courier"),
    _rule.c.match.in_(bindparam("prefixes", expanding=True)),
)
_reroutes = select(_reroute.c.from_hub, _reroute.c.to_hub).where(
    _reroute.c.warehouse_id == bindparam("w"),
    _reroute.c.courier == bindparam("courier"),
    _reroute.c.from_hub.in_(bindparam("hubs", expanding=True)),
    _reroute.c.active.is_(True),
)


def route(session: Session, warehouse_id: int, courier: str, area_code: str) -> Route:
    """The route of a courier's parcel to an area (national code, 6 digits, or less). Raises NO_ROUTE."""
    prefixes = sorted({area_code[:length] for length in (6, 4, 2, 0)})
    rules = session.execute(_rules, {"w": warehouse_id, "courier": courier, "prefixes": prefixes}).all()
    if not rules:
        raise Refused(Reason.NO_ROUTE, courier=courier, area=area_code)
    best = max(rules, key=lambda rule: (len(rule.match), rule.priority, -rule.id))
    return Route(best.route_code, best.hub, bag_hub(session, warehouse_id, courier, best.hub))


def bag_hub(session: Session, warehouse_id: int, courier: str, hub: str) -> str:
    """Where the bag for `hub` really goes: a re-route of this hub, else of all the courier's hubs, else the hub
    itself.
    """
    values = {"w": warehouse_id, "courier": courier, "hubs": ["", hub]}
    rows = session.execute(_reroutes, values).all()
    return str(max(rows, key=lambda row: len(row.from_hub)).to_hub) if rows else hub


def set_reroute(call: Call, *, courier: str, to_hub: str, from_hub: str = "", active: bool = True) -> None:
    """Send all of a courier's parcels (or one hub's) by another hub: one row. Open bags keep their hub."""
    row = call.session.scalars(
        select(Reroute).where(
            Reroute.warehouse_id == call.warehouse_id, Reroute.courier == courier, Reroute.from_hub == from_hub
        )
    ).one_or_none()
    if row is None:
        row = Reroute(
            warehouse_id=call.warehouse_id, courier=courier, from_hub=from_hub, to_hub=to_hub, changed_at=call.now
        )
        call.session.add(row)
    row.to_hub, row.active, row.changed_at = to_hub, active, call.now
    call.session.flush()
    note(call, "reroute.set", courier=courier, from_hub=from_hub, to_hub=to_hub, active=active)
    announce(call, "reroute.changed", f"courier:{courier}", courier=courier)
