"""Alembic runs this for every command: opens the connection the right way for its database, then walks the steps.

SQLite: one transaction per step, tables rebuilt in batch mode, foreign keys unchecked meanwhile (dropping a table that
is being rebuilt would delete its children) and checked as a whole before the step commits.
PostgreSQL: one transaction per step behind an advisory lock, so that two servers that start together do not both
upgrade.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.operations import MigrationScript
from alembic.runtime.migration import MigrationContext, MigrationInfo
from sqlalchemy import JSON, Connection, Engine, NullPool, create_engine, event, make_url

from wms.core.db.connecting import sqlite_module
from wms.core.db.types import UtcDateTime
from wms.migrations.metadata import every_table, make_guards

UPGRADE_LOCK = 0x63687577  # "chuw"; any number serves that no other program uses
LOCK_TIMEOUT_S = 10


def run() -> None:
    """Open, lock, walk, check, close."""
    engine = _engine(context.config.attributes["url"])
    try:
        with engine.connect() as connection:
            _lock(connection)
            _walk(connection)
    finally:
        engine.dispose()


def _engine(url: str) -> Engine:
    if make_url(url).get_backend_name() != "sqlite":
        return create_engine(url, poolclass=NullPool)
    engine = create_engine(url, module=sqlite_module(), poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # we begin ourselves, so that DDL rolls back too
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA foreign_keys=OFF")
        # A table is rebuilt by dropping it and renaming another; triggers that look at it are not asked meanwhile.
        connection.execute("PRAGMA legacy_alter_table=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


def _lock(connection: Connection) -> None:
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql(f"SET lock_timeout = '{LOCK_TIMEOUT_S}s'")
        connection.exec_driver_sql(f"SELECT pg_advisory_lock({UPGRADE_LOCK})")
        connection.commit()


def _walk(connection: Connection) -> None:
    context.configure(
        connection=connection,
        target_metadata=every_table(),
        compare_type=True,
        compare_server_default=True,
        render_as_batch=True,
        render_item=_render,
        process_revision_directives=_drop_empty,
        transaction_per_migration=True,
        transactional_ddl=True,
        on_version_apply=_before_commit,
    )
    with context.begin_transaction():
        context.run_migrations()
    _renew_guards(connection, set(context.get_context().get_current_heads()))
    connection.commit()


def _before_commit(
    ctx: MigrationContext, step: MigrationInfo, heads: Collection[Any], run_args: Mapping[str, Any]
) -> None:
    """Before a step commits: every reference still leads somewhere, and the last step brings the triggers."""
    connection = ctx.connection
    assert connection is not None, "steps are walked on a live database, not written as a script"
    if connection.dialect.name == "sqlite":
        lost = connection.exec_driver_sql("PRAGMA foreign_key_check").fetchall()
        assert not lost, f"the step would leave references that lead nowhere: {lost[:5]}"
    if step.is_upgrade:
        _renew_guards(connection, set(heads))


def _renew_guards(connection: Connection, heads: set[str]) -> None:
    """Triggers and walls are not history: at the newest step they are what the rooms declare today.

    So a table that a step rebuilt has its triggers back before the step commits.
    """
    if heads and heads == set(context.script.get_heads()):
        make_guards(connection)


def _render(kind: str, thing: object, autogen: AutogenContext) -> str | Literal[False]:
    """Steps are history: they name plain SQL types, not classes of ours that may change."""
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(thing, JSON):
        autogen.imports.add("from sqlalchemy.dialects import postgresql")
        return "sa.JSON().with_variant(postgresql.JSONB(), 'postgresql')"
    return False


def _drop_empty(_context: Any, _revision: Any, directives: list[MigrationScript]) -> None:
    """A step that changes nothing is not written."""
    script = directives[0]
    if context.config.attributes.get("drop_empty") and script.upgrade_ops is not None and script.upgrade_ops.is_empty():
        directives[:] = []


run()
