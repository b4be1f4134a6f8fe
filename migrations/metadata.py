"""What the schema should be: the tables and triggers of every room, gathered without naming one."""

from __future__ import annotations

import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from sqlalchemy import MetaData

import wms
from wms.core.db import Base


def every_table() -> MetaData:
    """The metadata with the `tables` of every room imported; a new room needs no line here."""
    list(_of_every_room("tables"))
    return Base.metadata


def every_trigger(dialect: str) -> list[str]:
    """The statements that make the rooms' triggers, for "sqlite" or "postgresql"; harmless to repeat."""
    return [statement for module in _of_every_room("triggers") for statement in module.statements(dialect)]


def _of_every_room(name: str) -> Iterator[ModuleType]:
    """The module or folder `name` of each room that has one."""
    for room in sorted(pkgutil.iter_modules(wms.__path__, "wms."), key=lambda found: found.name):
        if room.ispkg and importlib.util.find_spec(f"{room.name}.{name}") is not None:
            yield importlib.import_module(f"{room.name}.{name}")
