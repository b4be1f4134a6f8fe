"""A book of any size, written by the database itself: for measuring what grows with it.

Goods come into slots, are picked into totes and leave; every balance is the sum of its movements, so that every promise
holds. Nothing goes through the ledger: ten million posts would take hours.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, insert, select, text

from wms.catalog.tables import Lot, Merchant, Sku
from wms.core.db import Database
from wms.core.db.figures import learn_figures
from wms.core.db.tables import table_of
from wms.ledger.tables import MovementRow
from wms.site import service as site
from wms.site.tables import Place

MOVEMENTS_A_BITE = 500_000
MERCHANTS = 20
TOTES = 1_000
ROWS_A_SKU = 50
FIRST_ID = 1_000_000  # places, SKUs and lots of the volume lie beyond those of a park
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Size:
    """`rows` slots with goods in them, each of one SKU and lot; the movements are spread evenly over them."""

    movements: int
    rows: int

    @property
    def skus(self) -> int:
        return max(MERCHANTS, self.rows // ROWS_A_SKU)


_SERIES = {
    "sqlite": "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i < :last) ",
    "postgresql": "WITH n(i) AS (SELECT generate_series(CAST(:first AS bigint), CAST(:last AS bigint))) ",
}
_AT = {
    "sqlite": "strftime('%Y-%m-%d %H:%M:%S.000000', '2026-01-01', '+' || n.i || ' seconds')",
    "postgresql": "timestamptz '2026-01-01 00:00:00+00' + n.i * interval '1 second'",
}
_PLACES = (
    "INSERT INTO place (id, warehouse_id, kind, code) {series}"
    "SELECT :base + i, :w, CASE WHEN i < :rows THEN 'slot' ELSE 'container' END, 'V' || i FROM n"
)
# Movement i belongs to slot i % rows; each slot has a receipt, a pick into a tote and a shipment by turns.
_MOVEMENTS = """
INSERT INTO movement (warehouse_id, merchant_id, kind, source_id, target_id, sku_id, lot_id, condition, book, quantity,
                      reference, actor, request_key, line, at)
{series}SELECT :w, :base + (i % :rows) % :skus % :merchants,
  CASE i / :rows % 3 WHEN 0 THEN 'receipt' WHEN 1 THEN 'pick' ELSE 'ship' END,
  CASE i / :rows % 3 WHEN 0 THEN :supplier WHEN 1 THEN :base + i % :rows ELSE :base + :rows + i % :rows % :totes END,
  CASE i / :rows % 3 WHEN 0 THEN :base + i % :rows WHEN 1 THEN :base + :rows + i % :rows % :totes ELSE :customer END,
  :base + (i % :rows) % :skus, :base + (i % :rows) % :skus, 'good', '',
  CASE i / :rows % 3 WHEN 0 THEN 4 ELSE 3 END, 'V' || (i % 100000), 'person:' || (i % 50),
  'person:' || (i % 50) || ':' || (1000000000 + i), 0, {at} FROM n
"""
_STOCK = """
INSERT INTO stock (warehouse_id, merchant_id, place_id, sku_id, lot_id, condition, book, on_hand, promised, first_in_at)
SELECT :w, merchant_id, place_id, sku_id, lot_id, 'good', '', SUM(quantity), 0, MIN(at) FROM (
  SELECT merchant_id, target_id AS place_id, sku_id, lot_id, quantity, at FROM movement
  UNION ALL SELECT merchant_id, source_id, sku_id, lot_id, -quantity, at FROM movement
) AS ends WHERE place_id >= :base GROUP BY merchant_id, place_id, sku_id, lot_id
"""


def fill(database: Database, size: Size, warehouse_id: int | None = None) -> int:
    """Write the book into a fresh database with a schema; the warehouse's id. Makes one unless it is told."""
    if warehouse_id is None:
        warehouse_id = database.transact(
            lambda session: site.make_warehouse(session, BEGIN, "1", "一号仓", "Asia/Shanghai")
        )
    indexes = list(table_of(MovementRow).indexes)
    with database.write_engine.begin() as connection:
        _goods(connection, warehouse_id, size)
        for index in indexes:
            index.drop(connection)
    for first in range(0, size.movements, MOVEMENTS_A_BITE):
        last = min(size.movements, first + MOVEMENTS_A_BITE) - 1
        with database.write_engine.begin() as connection:
            _say(connection, first, last, _MOVEMENTS, **_facts(connection, warehouse_id, size))
    with database.write_engine.begin() as connection:
        for index in indexes:
            index.create(connection)
        connection.execute(text(_STOCK), {"w": warehouse_id, "base": FIRST_ID})
    _settle(database)
    return warehouse_id


def _say(connection: Connection, first: int, last: int, statement: str, **facts: Any) -> None:
    """Foreign keys would be looked up row by row: four for each of ten million."""
    dialect = connection.dialect.name
    if dialect == "postgresql":
        connection.exec_driver_sql("SET LOCAL session_replication_role = replica")
    whole = statement.replace("{series}", _SERIES[dialect]).replace("{at}", _AT[dialect])
    connection.execute(text(whole), {"first": first, "last": last, **facts})


def _facts(connection: Connection, warehouse_id: int, size: Size) -> dict[str, int]:
    place = table_of(Place)
    virtual = select(place.c.code, place.c.id).where(place.c.warehouse_id == warehouse_id, place.c.kind == "virtual")
    ids = {row.code: row.id for row in connection.execute(virtual)}
    counts = {"rows": size.rows, "skus": size.skus, "merchants": MERCHANTS, "totes": TOTES}
    return {"w": warehouse_id, "base": FIRST_ID, "supplier": ids["SUPPLIER"], "customer": ids["CUSTOMER"], **counts}


def _goods(connection: Connection, warehouse_id: int, size: Size) -> None:
    here = {"warehouse_id": warehouse_id}
    owners = [{"id": FIRST_ID + i, "code": f"V{i}", "name": f"V{i}", **here} for i in range(MERCHANTS)]
    connection.execute(insert(table_of(Merchant)), owners)
    skus = [
        {"id": FIRST_ID + i, "merchant_id": FIRST_ID + i % MERCHANTS, "code": f"V{i}", **here} for i in range(size.skus)
    ]
    connection.execute(insert(table_of(Sku)), [{**sku, "name": sku["code"], "made_at": BEGIN} for sku in skus])
    connection.execute(
        insert(table_of(Lot)), [{**sku, "sku_id": sku["id"], "first_received_at": BEGIN} for sku in skus]
    )
    _say(connection, 0, size.rows + TOTES - 1, _PLACES, w=warehouse_id, base=FIRST_ID, rows=size.rows)


def _settle(database: Database) -> None:
    """Statistics, as a running house has them."""
    if database.is_sqlite:
        learn_figures(database)
        return
    engine = database.write_engine.execution_options(isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql("VACUUM (ANALYZE)")
