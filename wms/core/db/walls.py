"""The second wall between merchants: on PostgreSQL the database itself keeps a merchant's calls to his own rows.

The first wall is every query of ours, which names the merchant. Should one forget it, row level security still hides
and refuses the rows of others. The tenant is a setting of the transaction, so a pooled connection forgets it by itself;
without a tenant (the house's own people and jobs) every row is seen. FORCE binds the owner of the tables too, but
nothing binds a superuser: the server says so at its start. SQLite has the first wall only.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, MetaData, Table, bindparam, text
from sqlalchemy.orm import Session

SETTING = "chuwei.merchant"
POLICY = "one_merchant"
OWNER = "merchant_id"
MERCHANTS = "merchant"
# As a query of its own it is asked once for each statement, not once for each row that is looked at.
_TENANT = f"(SELECT nullif(current_setting('{SETTING}', true), '')::bigint)"
_stand = text(f"SELECT set_config('{SETTING}', :merchant, true)").bindparams(bindparam("merchant"))
_STANDING = (
    "SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid "
    f"WHERE p.polname = '{POLICY}' AND c.relrowsecurity AND c.relforcerowsecurity "
    "AND c.relnamespace = current_schema()::regnamespace"
)


def stand_behind(session: Session, merchant_id: int | None) -> None:
    """From here to the end of the transaction: only rows of this merchant. None leaves all rows in sight.

    A read whose statements stand for themselves becomes a transaction first: a setting of one statement would be
    forgotten before the next.
    """
    if merchant_id is None or session.get_bind().dialect.name != "postgresql":
        return
    connection = session.connection()
    driver: Any = connection.connection.dbapi_connection
    if driver.autocommit:
        connection.exec_driver_sql("BEGIN")
    session.execute(_stand, {"merchant": str(merchant_id)})


def walled(metadata: MetaData) -> list[Table]:
    """The tables whose rows belong to a merchant, and the list of merchants itself."""
    return [table for table in metadata.sorted_tables if table.name == MERCHANTS or OWNER in table.columns]


def statements(metadata: MetaData) -> list[str]:
    """What raises the walls on PostgreSQL; harmless to repeat."""
    return [statement for table in walled(metadata) for statement in _of_table(table)]


def missing(connection: Connection, metadata: MetaData) -> list[str]:
    """The tables of merchants' rows that stand open; none on SQLite, which knows no such walls."""
    if connection.dialect.name != "postgresql":
        return []
    standing = set(connection.exec_driver_sql(_STANDING).scalars())
    return sorted(table.name for table in walled(metadata) if table.name not in standing)


def _of_table(table: Table) -> tuple[str, ...]:
    name = f'"{table.name}"'
    return (
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS {POLICY} ON {name}",
        f"CREATE POLICY {POLICY} ON {name} USING ({_TENANT} IS NULL OR {_own(table)})",
    )


def _own(table: Table) -> str:
    """Rows without a merchant (a task of the house, numbers for everybody) are everybody's."""
    if table.name == MERCHANTS:
        return f"id = {_TENANT}"
    anybodys = f"{OWNER} IS NULL OR " if table.columns[OWNER].nullable else ""
    return f"{anybodys}{OWNER} = {_TENANT}"
