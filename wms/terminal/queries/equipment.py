"""Devices behind the gateways, the gateways themselves, and the PDAs: each as a tile."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select

from wms.people.tables import Device, LoginSession
from wms.site import queries as site
from wms.site.tables import Station
from wms.site.values import ChuteState
from wms.sorting.tables import Gateway, GatewayDevice
from wms.terminal.queries.look import Look
from wms.terminal.rules.order import worst_first
from wms.terminal.values import STOP, WARN, Tile, Words

SILENT_AFTER = timedelta(seconds=30)
CONNECTING_AFTER = timedelta(seconds=30)
_ICONS = (("printer", "printer"), ("scale", "scale"), ("scanner", "scan"), ("sorter", "line"))
_COUNTED = ("jobs", "weights", "scans", "requests")  # what a driver of each kind counts


def tiles(look: Look) -> list[Tile]:
    """Everything that has a plug, the worst first."""
    return worst_first([*_behind_gateways(look), *_chutes(look), *_handhelds(look)])


def silent(look: Look, seen_at: Any) -> bool:
    """Whether a gateway has said nothing for so long that what it told last is not believed any more."""
    return seen_at is None or look.wall - seen_at > SILENT_AFTER


def _behind_gateways(look: Look) -> list[Tile]:
    rows = look.session.execute(
        select(
            Gateway.id,
            Gateway.name.label("gateway"),
            Gateway.seen_at,
            Station.code.label("station"),
            GatewayDevice.name,
            GatewayDevice.driver,
            GatewayDevice.state,
            GatewayDevice.reason,
            GatewayDevice.since,
            GatewayDevice.counters,
        )
        .outerjoin(GatewayDevice, GatewayDevice.gateway_id == Gateway.id)
        .outerjoin(Station, Station.id == Gateway.station_id)
        .where(Gateway.warehouse_id == look.warehouse_id, Gateway.revoked_at.is_(None), Gateway.key_hex != "")
        .order_by(Gateway.id, GatewayDevice.id)
    ).all()
    gateways = {row.id: row for row in rows}
    found = [_gateway(look, row) for row in gateways.values()]
    return found + [_device(look, row) for row in rows if row.name is not None]


def _gateway(look: Look, row: Any) -> Tile:
    quiet = silent(look, row.seen_at)
    figure = Words("terminal.device.never" if row.seen_at is None else "terminal.device.silent")
    return Tile(
        name=row.gateway,
        icon="gateway",
        figure=figure if quiet else Words("terminal.device.linked"),
        station=row.station or "",
        gateway=row.gateway,
        state="down" if quiet else "ready",
        since=look.in_business_time(row.seen_at) if quiet else None,
        priority=STOP if quiet else 0,
    )


def _device(look: Look, row: Any) -> Tile:
    """A device of a silent gateway is not known: the gateway's own tile says why."""
    icon = next((icon for start, icon in _ICONS if row.driver.startswith(start)), "gateway")
    if silent(look, row.seen_at):
        return Tile(row.name, icon, Words("terminal.device.unknown"), row.station or "", row.gateway, "unknown")
    priority = _priority(look, row)
    figure = Words(f"terminal.device.state.{row.state}") if priority or row.state != "ready" else _counted(row.counters)
    return Tile(
        name=row.name,
        icon=icon,
        figure=figure,
        station=row.station or "",
        gateway=row.gateway,
        state=row.state,
        reason=row.reason,
        since=look.in_business_time(row.since),
        priority=priority,
    )


def _priority(look: Look, row: Any) -> int:
    if row.state == "down":
        return STOP
    slow = row.state == "connecting" and look.wall - row.since > CONNECTING_AFTER
    return WARN if row.state == "degraded" or slow else 0


def _counted(counters: Mapping[str, Any]) -> Words:
    name = next((name for name in _COUNTED if name in counters), None)
    if name is None:
        return Words("terminal.device.state.ready")
    return Words(f"terminal.device.counted.{name}", {"count": f"{int(counters[name]):,}"})


def _chutes(look: Look) -> list[Tile]:
    """All chutes as one tile."""
    chutes = site.chutes(look.session, look.warehouse_id)
    if not chutes:
        return []
    full, jam, lock = (
        sum(one.state == state for one in chutes) for state in (ChuteState.FULL, ChuteState.JAM, ChuteState.LOCK)
    )
    facts = {"full": full, "jam": jam, "lock": lock}
    words = "chutes" if full or jam else "chutes_locked" if lock else "chutes_open"
    figure = Words(f"terminal.device.{words}", facts)
    name = str(len(chutes))
    return [Tile(name, "chute", figure, state="FULL" if full or jam else "OPEN", priority=STOP if full or jam else 0)]


def _handhelds(look: Look) -> list[Tile]:
    """All PDAs as one tile: how many are in somebody's hand."""
    known = select(func.count()).where(
        Device.warehouse_id == look.warehouse_id, Device.kind == "handheld", Device.revoked_at.is_(None)
    )
    in_use = (
        select(func.count(func.distinct(LoginSession.device_id)))
        .join(Device, Device.id == LoginSession.device_id)
        .where(
            LoginSession.warehouse_id == look.warehouse_id,
            LoginSession.ended_at.is_(None),
            Device.kind == "handheld",
        )
    )
    count = look.session.execute(known).scalar_one()
    if not count:
        return []
    used = look.session.execute(in_use).scalar_one()
    return [Tile("PDA", "pda", Words("terminal.device.pdas", {"used": used, "count": count}))]
