"""What the schema should be: the tables, triggers and walls of every room, gathered without naming one."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
from collections.abc import Iterator
from types import ModuleType

from sqlalchemy import Connection, MetaData

import wms
from wms.core.db import Base, walls

TRIGGERS_THERE = {
    "sqlite": "SELECT name FROM sqlite_master WHERE type = 'trigger'",
    "postgresql": "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal",
}


def every_table() -> MetaData:
    """The metadata with the `tables` of every room imported; a new room needs no line here."""
    list(_of_every_room("tables"))
    return Base.metadata


def every_trigger(dialect: str) -> list[str]:
    """The statements that make the rooms' triggers, for "sqlite" or "postgresql"; harmless to repeat."""
    return [statement for module in _of_every_room("triggers") for statement in module.statements(dialect)]


def make_guards(connection: Connection) -> None:
    """Make the triggers as the rooms declare them now, and the walls between merchants (PostgreSQL).

    SQLite cannot replace a trigger, so there the old ones go first.
    """
    for statement in every_trigger(connection.dialect.name):
        name = trigger_name(statement)
        if name is not None and connection.dialect.name == "sqlite":
            connection.exec_driver_sql(f"DROP TRIGGER IF EXISTS {name}")
        connection.exec_driver_sql(statement)
    if connection.dialect.name == "postgresql":
        for statement in walls.statements(every_table()):
            connection.exec_driver_sql(statement)


def missing_guards(connection: Connection) -> list[str]:
    """What guards the rows and is not there: a sentence for each trigger and each wall."""
    triggers = [f"the trigger {name} is missing" for name in _missing_triggers(connection)]
    open_tables = walls.missing(connection, every_table())
    return triggers + [f"the wall between merchants is missing around {name}" for name in open_tables]


def _missing_triggers(connection: Connection) -> list[str]:
    there = set(connection.exec_driver_sql(TRIGGERS_THERE[connection.dialect.name]).scalars())
    declared = filter(None, map(trigger_name, every_trigger(connection.dialect.name)))
    return sorted(set(declared) - there)


def trigger_name(statement: str) -> str | None:
    """The name in a CREATE TRIGGER statement; None for another statement (a function it calls)."""
    found = re.match(r"CREATE (?:OR REPLACE )?TRIGGER (?:IF NOT EXISTS )?(\w+)", statement)
    return found[1] if found else None


def _of_every_room(name: str) -> Iterator[ModuleType]:
    """The module or folder `name` of each room that has one. Rooms without it are not even imported."""
    for room in sorted(pkgutil.iter_modules(wms.__path__, "wms."), key=lambda found: found.name):
        if room.ispkg and _has(room, name):
            yield importlib.import_module(f"{room.name}.{name}")


def _has(room: pkgutil.ModuleInfo, name: str) -> bool:
    folders = [os.path.join(path, room.name.rpartition(".")[2]) for path in wms.__path__]
    return any(found.name == name for found in pkgutil.iter_modules(folders))
