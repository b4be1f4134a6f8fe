"""Parts that every card is made of: who acted, what moved, what lies there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import aliased

from wms.catalog.tables import Lot, Merchant, Sku
from wms.ledger.tables import MovementRow, Stock
from wms.people.tables import ApiKey, Person
from wms.site.tables import Place
from wms.sorting.tables import Gateway
from wms.terminal.queries.look import Look
from wms.terminal.values import Card, Happened, Inside, Words

HISTORY_MAX = 300
INSIDE_MAX = 100

Find = Callable[[Look, str], Card | None]


def actors(look: Look) -> dict[str, str]:
    """Actor -> the name people know."""
    found = {
        f"person:{row.id}": row.name
        for row in look.session.execute(select(Person.id, Person.name).where(Person.warehouse_id == look.warehouse_id))
    }
    for row in look.session.execute(select(ApiKey.id, ApiKey.prefix).where(ApiKey.warehouse_id == look.warehouse_id)):
        found[f"key:{row.id}"] = f"API {row.prefix}"
    for row in look.session.execute(select(Gateway.id, Gateway.name).where(Gateway.warehouse_id == look.warehouse_id)):
        found[f"gateway:{row.id}"] = row.name
    return found


def movements(look: Look, which: Any, names: dict[str, str] | None = None) -> list[Happened]:
    """Movements that fit, the newest first, at most `HISTORY_MAX`."""
    names = actors(look) if names is None else names
    source, target = aliased(Place), aliased(Place)
    rows = look.session.execute(
        select(
            MovementRow.at,
            MovementRow.kind,
            MovementRow.actor,
            MovementRow.quantity,
            MovementRow.reference,
            source.code.label("source"),
            target.code.label("target"),
            Sku.code.label("sku"),
            Sku.name.label("name"),
            Lot.code.label("lot"),
        )
        .join(source, source.id == MovementRow.source_id)
        .join(target, target.id == MovementRow.target_id)
        .join(Sku, Sku.id == MovementRow.sku_id)
        .join(Lot, Lot.id == MovementRow.lot_id)
        .where(MovementRow.warehouse_id == look.warehouse_id, which)
        .order_by(MovementRow.id.desc())
        .limit(HISTORY_MAX)
    )
    return [_moved(row, names) for row in rows]


def _moved(row: Any, names: dict[str, str]) -> Happened:
    lot = "" if row.lot == "-" else row.lot
    facts = {
        "kind": Words(f"terminal.movement.{row.kind}"),
        "source": place_words(row.source),
        "target": place_words(row.target),
        "sku": row.name,
        "lot": f" · {lot}" if lot else "",
        "reference": f" · {row.reference}" if row.reference else "",
    }
    return Happened(row.at, Words("terminal.history.moved", facts), names.get(row.actor, row.actor), row.quantity)


def place_words(code: str) -> Words | str:
    """A place's code; the places outside have names."""
    return Words(f"terminal.outside.{code}") if code.isalpha() and code.isupper() and len(code) > 2 else code


def newest_first(*parts: Sequence[Happened]) -> list[Happened]:
    """Everything that happened in one line, the newest first; of one moment the last told first."""
    every = [one for part in parts for one in part]
    return sorted(every, key=lambda one: one.at)[::-1][:HISTORY_MAX]


def happened(at: datetime | None, key: str, actor: str = "", **facts: object) -> list[Happened]:
    """One event, or none where the moment is not known."""
    return [] if at is None else [Happened(at, Words(key, facts), actor)]


def lying(look: Look, which: Any) -> list[Inside]:
    """Goods that fit: by place and SKU."""
    rows = look.session.execute(
        select(
            Place.code.label("place"),
            Sku.code,
            Sku.name,
            Sku.unit,
            Lot.code.label("lot"),
            Lot.expires_on,
            Merchant.name.label("owner"),
            Stock.condition,
            Stock.on_hand,
            Stock.promised,
            Stock.frozen_reason,
        )
        .join(Place, Place.id == Stock.place_id)
        .join(Sku, Sku.id == Stock.sku_id)
        .join(Lot, Lot.id == Stock.lot_id)
        .join(Merchant, Merchant.id == Stock.merchant_id)
        .where(Stock.warehouse_id == look.warehouse_id, Stock.on_hand > 0, which)
        .order_by(Place.code, Sku.code)
        .limit(INSIDE_MAX)
    )
    return [_lies(row) for row in rows]


def _lies(row: Any) -> Inside:
    facts = {
        "place": row.place,
        "owner": row.owner,
        "lot": "" if row.lot == "-" else f" · {row.lot}",
        "expires": f" · {row.expires_on}" if row.expires_on else "",
        "promised": f"{row.promised:,}",
        "unit": row.unit,
        "condition": Words(f"terminal.condition.{'frozen' if row.frozen_reason else row.condition}"),
    }
    return Inside(row.code, row.name, Words("terminal.lookup.lies", facts), row.on_hand)
