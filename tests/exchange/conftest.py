"""A gateway that is paired: on each database at the sorting line, or on SQLite for what does not depend on it."""

from __future__ import annotations

import pytest

from tests.builders import a_park
from tests.exchange.link import Link, a_link
from tests.shipping.dock import Dock, a_dock
from wms.core.db import Database
from wms.sorting import service as sorting


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


@pytest.fixture
def link(dock: Dock) -> Link:
    dock.park.act(sorting.plan_chutes)
    return a_link(dock.park)


@pytest.fixture
def quick(sqlite_database: Database) -> Link:
    return a_link(a_park(sqlite_database))
