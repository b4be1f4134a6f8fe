"""The schema's history leads to exactly the tables of the rooms, and back, on both databases.

Compared is what the database itself says (columns, keys, checks, indexes, triggers) of two databases: one made from the
tables, one by walking the steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, NullPool, create_engine, inspect, text
from sqlalchemy.exc import DBAPIError

from tests import postgres, schema
from wms.core.refusal import Reason, Refused
from wms.migrations import commands
from wms.migrations.metadata import every_table

BOOKKEEPING = "alembic_version"
TRIGGERS = {
    "sqlite": "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal",
}


@pytest.fixture
def migrated_url(empty_database_url: str) -> str:
    commands.upgrade(empty_database_url)
    return empty_database_url


@pytest.fixture
def declared_url(migrated_url: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """A second database of the same kind, made from the tables."""
    if migrated_url.startswith("sqlite"):
        url = f"sqlite:///{tmp_path / 'declared.db'}"
        schema.build(url)
        yield url
        return
    server: postgres.Server = request.getfixturevalue("pg_server")
    name = server.create("declared")
    schema.build(server.url(name))
    yield server.url(name)
    server.drop(name)


def described(url: str) -> dict[str, Any]:
    """Everything the database says about its own shape, table by table."""
    engine = create_engine(url, poolclass=NullPool)
    facts = inspect(engine)
    asked: dict[str, Any] = {
        "columns": facts.get_multi_columns(),
        "primary key": facts.get_multi_pk_constraint(),
        "foreign keys": facts.get_multi_foreign_keys(),
        "unique": facts.get_multi_unique_constraints(),
        "checks": facts.get_multi_check_constraints(),
        "indexes": facts.get_multi_indexes(),
    }
    tables = {
        str(table): {aspect: _by_name(answers.get((schema_name, table), [])) for aspect, answers in asked.items()}
        for schema_name, table in asked["columns"]
        if table != BOOKKEEPING
    }
    return tables | {"triggers": _triggers(engine)}


def _by_name(things: Any) -> dict[str, str]:
    """Name -> everything known of it; the order of things is no difference, a primary key stands alone."""
    listed = [things] if isinstance(things, dict) else things
    return {str(thing["name"]): " ".join(str(_plain(thing)).split()) for thing in listed}


def _plain(thing: Any) -> Any:
    """SQL clauses as their words, so that equal ones compare equal."""
    if isinstance(thing, dict):
        return sorted((key, _plain(value)) for key, value in thing.items())
    return str(thing)


def _triggers(engine: Engine) -> list[str]:
    with engine.connect() as connection:
        rows = connection.execute(text(TRIGGERS[engine.dialect.name])).all()
    return sorted(re.sub(r"\s+", " ", " | ".join(map(str, row))).replace("IF NOT EXISTS ", "") for row in rows)


def test_the_history_leads_to_the_tables_of_the_rooms(migrated_url: str, declared_url: str) -> None:
    walked, declared = described(migrated_url), described(declared_url)
    assert walked.keys() == declared.keys(), 'write the next step: python -m wms.migrations "what changed"'
    for name in declared:
        assert walked[name] == declared[name], f'{name} differs: python -m wms.migrations "what changed"'
    assert commands.check(migrated_url) == []


def test_a_difference_between_history_and_tables_is_seen(migrated_url: str, declared_url: str) -> None:
    """Breaks each kind of thing once; the comparison above must notice all of them."""
    engine = create_engine(migrated_url, poolclass=NullPool)
    for statement in (
        "CREATE TABLE stray (id INTEGER)",
        "ALTER TABLE sku ADD COLUMN stray INTEGER",
        "CREATE INDEX stray_index ON lot (id, sku_id)",
        "DROP TRIGGER movement_never_goes" + (" ON movement" if engine.dialect.name == "postgresql" else ""),
    ):
        with engine.begin() as connection:
            connection.execute(text(statement))
    walked, declared = described(migrated_url), described(declared_url)
    assert "stray" in walked
    assert sorted(name for name in declared if walked[name] != declared[name]) == ["lot", "sku", "triggers"]
    assert len(commands.check(migrated_url)) == 4


def test_going_down_leaves_nothing_and_up_again_everything(migrated_url: str, declared_url: str) -> None:
    commands.downgrade(migrated_url, "base")
    assert set(described(migrated_url)) == {"triggers"}
    assert commands.current(migrated_url) is None
    commands.upgrade(migrated_url)
    assert described(migrated_url) == described(declared_url)


def test_upgrading_twice_changes_nothing(migrated_url: str) -> None:
    assert commands.upgrade(migrated_url) == commands.newest()


def test_a_database_without_schema_is_told_to_upgrade(empty_database_url: str) -> None:
    assert "wms db upgrade" in commands.check(empty_database_url)[0]


def test_a_database_of_a_newer_program_is_refused(migrated_url: str) -> None:
    engine = create_engine(migrated_url, poolclass=NullPool)
    with engine.begin() as connection:
        connection.execute(text(f"UPDATE {BOOKKEEPING} SET version_num = '9999'"))
    with pytest.raises(Refused) as refused:
        commands.upgrade(migrated_url)
    assert refused.value.reason is Reason.SCHEMA_NEWER


def test_a_written_movement_can_be_neither_changed_nor_deleted(migrated_url: str) -> None:
    engine = create_engine(migrated_url, poolclass=NullPool)
    with engine.begin() as connection:
        _write_any_movement(connection)
    for change in ("UPDATE movement SET quantity = 2", "DELETE FROM movement"):
        with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
            connection.execute(text(change))
    with engine.connect() as connection:
        assert connection.execute(text("SELECT quantity FROM movement")).scalars().all() == [1]


def _write_any_movement(connection: Connection) -> None:
    """One row whose references lead nowhere, so that no other room's rows are needed."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))  # foreign keys off
    movement = every_table().tables["movement"]
    values = {"source_id": 1, "target_id": 2, "quantity": 1, "at": datetime(2026, 1, 1, tzinfo=UTC)}
    for column in movement.columns:
        if not column.nullable and column.name not in {*values, "id"}:
            values[column.name] = column.type.python_type(1)
    connection.execute(movement.insert().values(values))


def test_there_is_one_line_of_history() -> None:
    """Two steps after the same one would make `upgrade` ambiguous."""
    names = sorted(path.stem for path in (commands.HERE / "versions").glob("[0-9]*.py"))
    assert names, "there is no step yet"
    assert [name[:4] for name in names] == [f"{number:04}" for number in range(1, len(names) + 1)]
