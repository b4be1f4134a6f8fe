"""A desk for each test, on each kind of database."""

from __future__ import annotations

import pytest

from tests.terminal.desk import Desk, a_staffed_desk
from wms.core.db import Database


@pytest.fixture
def desk(database: Database) -> Desk:
    """A manager sits at the terminal of a small empty park."""
    return a_staffed_desk(database)


@pytest.fixture
def sqlite_desk(sqlite_database: Database) -> Desk:
    """The same, for what does not depend on the kind of database."""
    return a_staffed_desk(sqlite_database)
