"""The promises about stock, recomputed from the rows."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.promises import Broken, Promise
from wms.core.sql import is_postgresql
from wms.ledger.triggers import NAMES

_WITHIN = (
    "SELECT id, warehouse_id, on_hand, promised FROM stock WHERE promised < 0 OR promised > on_hand OR on_hand < 0"
)

_SUMS = """
WITH flow AS (
  SELECT warehouse_id, merchant_id, place_id, sku_id, lot_id, condition, book, SUM(quantity) AS total FROM (
    SELECT warehouse_id, merchant_id, target_id AS place_id, sku_id, lot_id, condition, book, quantity FROM movement
    UNION ALL
    SELECT warehouse_id, merchant_id, source_id, sku_id, lot_id, condition, book, -quantity FROM movement
  ) AS ends
  WHERE place_id NOT IN (SELECT id FROM place WHERE kind = 'virtual')
  GROUP BY warehouse_id, merchant_id, place_id, sku_id, lot_id, condition, book
)
SELECT s.id, s.warehouse_id, s.on_hand, COALESCE(f.total, 0) AS moved
FROM stock AS s LEFT JOIN flow AS f
  ON f.warehouse_id = s.warehouse_id AND f.merchant_id = s.merchant_id AND f.place_id = s.place_id
  AND f.sku_id = s.sku_id AND f.lot_id = s.lot_id AND f.condition = s.condition AND f.book = s.book
WHERE s.on_hand <> COALESCE(f.total, 0)
UNION ALL
SELECT 0, f.warehouse_id, 0, f.total
FROM flow AS f LEFT JOIN stock AS s
  ON f.warehouse_id = s.warehouse_id AND f.merchant_id = s.merchant_id AND f.place_id = s.place_id
  AND f.sku_id = s.sku_id AND f.lot_id = s.lot_id AND f.condition = s.condition AND f.book = s.book
WHERE s.id IS NULL AND f.total <> 0
"""

_HOLDS = """
SELECT s.id, s.warehouse_id, s.promised, COALESCE(h.held, 0) AS held
FROM stock AS s LEFT JOIN (SELECT stock_id, SUM(quantity) AS held FROM hold GROUP BY stock_id) AS h ON h.stock_id = s.id
WHERE s.promised <> COALESCE(h.held, 0)
"""

_OWNERS = """
SELECT s.id, s.warehouse_id, s.merchant_id, k.merchant_id AS sku_owner, l.sku_id AS lot_sku, s.sku_id
FROM stock AS s JOIN sku AS k ON k.id = s.sku_id JOIN lot AS l ON l.id = s.lot_id
WHERE s.merchant_id <> k.merchant_id OR l.merchant_id <> s.merchant_id OR l.sku_id <> s.sku_id
"""

_TWICE = "SELECT request_key, line, COUNT(*) AS times FROM movement GROUP BY request_key, line HAVING COUNT(*) > 1"


def _within(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_WITHIN)):
        yield Broken(f"stock {row.id}", f"on hand {row.on_hand}, promised {row.promised}", row.warehouse_id, row.id)


def _sums(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_SUMS)):
        subject = f"stock {row.id}" if row.id else "a place without its stock row"
        yield Broken(subject, f"on hand {row.on_hand}, movements say {row.moved}", row.warehouse_id, row.id or None)


def _holds(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_HOLDS)):
        yield Broken(f"stock {row.id}", f"promised {row.promised}, holds say {row.held}", row.warehouse_id, row.id)


def _owners(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_OWNERS)):
        facts = f"owner {row.merchant_id}, SKU of owner {row.sku_owner}, lot of SKU {row.lot_sku}"
        yield Broken(f"stock {row.id}", facts, row.warehouse_id, row.id)


def _once(session: Session) -> Iterator[Broken]:
    for row in session.execute(text(_TWICE)):
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
    Promise(2, "done_once", "A retry never acts twice", _once),
    Promise(3, "promised_within_on_hand", "0 <= promised <= on hand in every stock row", _within),
    Promise(4, "on_hand_is_the_sum_of_movements", "On hand equals the sum of movements", _sums),
    Promise(5, "ledger_append_only", "Movements cannot be changed or deleted", _guarded),
    Promise(6, "holds_sum_to_promised", "The sum of open holds equals promised", _holds),
    Promise(9, "owners_apart", "Stock, SKU and lot belong to one owner", _owners),
)
