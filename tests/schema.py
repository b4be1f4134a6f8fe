"""An empty database with the schema, made straight from the rooms' tables and triggers."""

from __future__ import annotations

from wms.core.db import Database
from wms.migrations.metadata import every_table, make_guards


def build(url: str) -> None:
    """Create every table and trigger in an empty database and leave it closed (SQLite: as one file)."""
    database = Database.open(url)
    try:
        with database.write_engine.begin() as connection:
            every_table().create_all(connection)
            make_guards(connection)
        if database.is_sqlite:
            with database.write_engine.connect() as connection:
                connection.exec_driver_sql("COMMIT")  # a checkpoint needs to stand outside of transactions
                connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")
                connection.exec_driver_sql("BEGIN")
    finally:
        database.dispose()
