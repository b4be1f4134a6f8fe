"""The promises about stock, recomputed from the rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.promises import Broken, Promise, of_every_row
from wms.core.sql import is_postgresql
from wms.ledger.triggers import NAMES

_WITHIN = (
    "SELECT id, warehouse_id, on_hand, promised FROM stock WHERE promised < 0 OR promised > on_hand OR on_hand < 0"
)

# Movements at both their ends, what came in and what went out. A lot belongs to one SKU and that to one owner, so that
# place, lot, condition and book name a stock row; `_STRAYS` finds the movement whose lot says otherwise. Two numbers
# and two short words are sorted much faster than the whole natural key.
_FLOW = """
SELECT place_id, lot_id, condition, book, SUM(quantity) AS total FROM (
  SELECT target_id AS place_id, lot_id, condition, book, quantity FROM movement {which}
  UNION ALL
  SELECT source_id, lot_id, condition, book, -quantity FROM movement {which}
) AS ends
WHERE place_id NOT IN (SELECT id FROM place WHERE kind = 'virtual')
GROUP BY place_id, lot_id, condition, book
"""
_SAME = "f.place_id = s.place_id AND f.lot_id = s.lot_id AND f.condition = s.condition AND f.book = s.book"

_SUMS = f"""
WITH flow AS ({_FLOW.format(which="")})
SELECT s.id, s.warehouse_id, s.on_hand, COALESCE(f.total, 0) AS moved
FROM stock AS s LEFT JOIN flow AS f ON {_SAME}
WHERE s.on_hand <> COALESCE(f.total, 0)
UNION ALL
SELECT 0, p.warehouse_id, 0, f.total
FROM flow AS f JOIN place AS p ON p.id = f.place_id LEFT JOIN stock AS s ON {_SAME}
WHERE s.id IS NULL AND f.total <> 0
"""

# The same of the keys that movements after the mark touched: what was added up before, and what came since.
_SUMS_SINCE = f"""
WITH fresh AS ({_FLOW.format(which="WHERE id > :mark")}),
f AS (
  SELECT n.place_id, n.lot_id, n.condition, n.book, n.total + COALESCE(o.total, 0) AS total
  FROM fresh AS n LEFT JOIN movement_sum AS o
    ON o.place_id = n.place_id AND o.lot_id = n.lot_id AND o.condition = n.condition AND o.book = n.book
)
SELECT COALESCE(s.id, 0) AS id, p.warehouse_id, COALESCE(s.on_hand, 0) AS on_hand, f.total AS moved
FROM f JOIN place AS p ON p.id = f.place_id LEFT JOIN stock AS s ON {_SAME}
WHERE COALESCE(s.on_hand, 0) <> f.total
"""

_STRAYS = """
SELECT m.id, m.warehouse_id FROM movement AS m JOIN lot AS l ON l.id = m.lot_id
WHERE (l.sku_id <> m.sku_id OR l.merchant_id <> m.merchant_id OR l.warehouse_id <> m.warehouse_id) {which}
"""

_HOLDS = """
SELECT s.id, s.warehouse_id, s.promised, COALESCE(h.held, 0) AS held
FROM stock AS s LEFT JOIN (
  SELECT stock_id, SUM(quantity) AS held FROM hold WHERE quantity > 0 GROUP BY stock_id
) AS h ON h.stock_id = s.id
WHERE s.promised <> COALESCE(h.held, 0)
"""

_OWNERS = """
SELECT s.id, s.warehouse_id, s.merchant_id, k.merchant_id AS sku_owner, l.sku_id AS lot_sku, s.sku_id
FROM stock AS s JOIN sku AS k ON k.id = s.sku_id JOIN lot AS l ON l.id = s.lot_id
WHERE (s.merchant_id <> k.merchant_id OR l.merchant_id <> s.merchant_id OR l.sku_id <> s.sku_id) {which}
"""
_TOUCHED = """
AND s.id IN (
  SELECT t.id FROM movement AS m JOIN stock AS t ON t.place_id IN (m.source_id, m.target_id) AND t.lot_id = m.lot_id
  WHERE m.id > :mark
)
"""

_TWICE = """
SELECT request_key, line, COUNT(*) AS times FROM movement {which} GROUP BY request_key, line HAVING COUNT(*) > 1
"""
_FRESH_KEYS = "WHERE request_key IN (SELECT request_key FROM movement WHERE id > :mark)"


def _within(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_WITHIN)):
        yield Broken(f"stock {row.id}", f"on hand {row.on_hand}, promised {row.promised}", row.warehouse_id, row.id)


def _sums(session: Session) -> Iterator[Broken]:
    yield from _differences(session.execute(text(_SUMS)))
    yield from _strays(session, _STRAYS.format(which=""))


def _sums_since(session: Session, mark: int) -> Iterator[Broken]:
    yield from _differences(session.execute(text(_SUMS_SINCE), {"mark": mark}))
    yield from _strays(session, _STRAYS.format(which="AND m.id > :mark"), mark=mark)


def _differences(rows: Iterable[Any]) -> Iterator[Broken]:
    for row in rows:
        subject = f"stock {row.id}" if row.id else "a place without its stock row"
        yield Broken(subject, f"on hand {row.on_hand}, movements say {row.moved}", row.warehouse_id, row.id or None)


def _strays(session: Session, question: str, **facts: int) -> Iterator[Broken]:
    for row in session.execute(text(question), facts):
        yield Broken(f"movement {row.id}", "its lot is of another SKU, owner or building", row.warehouse_id)


def _holds(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_HOLDS)):
        yield Broken(f"stock {row.id}", f"promised {row.promised}, holds say {row.held}", row.warehouse_id, row.id)


def _owners(session: Session) -> Iterator[Broken]:
    yield from _mixed(session.execute(text(_OWNERS.format(which=""))))


def _owners_since(session: Session, mark: int) -> Iterator[Broken]:
    yield from _mixed(session.execute(text(_OWNERS.format(which=_TOUCHED)), {"mark": mark}))


def _mixed(rows: Iterable[Any]) -> Iterator[Broken]:
    for row in rows:
        facts = f"owner {row.merchant_id}, SKU of owner {row.sku_owner}, lot of SKU {row.lot_sku}"
        yield Broken(f"stock {row.id}", facts, row.warehouse_id, row.id)


def _once(session: Session) -> Iterator[Broken]:
    yield from _repeated(session.execute(text(_TWICE.format(which=""))))


def _once_since(session: Session, mark: int) -> Iterator[Broken]:
    yield from _repeated(session.execute(text(_TWICE.format(which=_FRESH_KEYS)), {"mark": mark}))


def _repeated(rows: Iterable[Any]) -> Iterator[Broken]:
    for row in rows:
        yield Broken(f"request {row.request_key}", f"line {row.line} booked {row.times} times")


def _guarded(session: Session) -> Iterator[Broken]:
    catalogue = (
        "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
        if is_postgresql(session)
        else "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    )
    present = set(session.execute(text(catalogue)).scalars())
    for name in NAMES:
        if name not in present:
            yield Broken(f"trigger {name}", "is missing: movements could be changed unseen")


PROMISES = (
    Promise(2, "done_once", "A retry never acts twice", _once, _once_since),
    Promise(
        3, "promised_within_on_hand", "0 <= promised <= on hand in every stock row", _within, of_every_row(_within)
    ),
    Promise(4, "on_hand_is_the_sum_of_movements", "On hand equals the sum of movements", _sums, _sums_since),
    Promise(5, "ledger_append_only", "Movements cannot be changed or deleted", _guarded, of_every_row(_guarded)),
    Promise(6, "holds_sum_to_promised", "The sum of open holds equals promised", _holds, of_every_row(_holds)),
    Promise(9, "owners_apart", "Stock, SKU and lot belong to one owner", _owners, _owners_since),
)
