"""What the schema should be: the tables of every room, gathered without naming one."""

from __future__ import annotations

import importlib
import pkgutil

from sqlalchemy import MetaData

import wms
from wms.core.db import Base


def every_table() -> MetaData:
    """The metadata with the `tables` of every room imported; a new room needs no line here."""
    for room in sorted(pkgutil.iter_modules(wms.__path__, "wms."), key=lambda found: found.name):
        if room.ispkg and importlib.util.find_spec(f"{room.name}.tables") is not None:
            importlib.import_module(f"{room.name}.tables")
    return Base.metadata
