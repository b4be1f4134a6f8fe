"""Lists as people import them: a row a line, taken or refused."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests import builders
from wms.core.db import Database
from wms.exchange.files import BadRows, import_rows
from wms.exchange.tables_in_files import Row


def rows_of(*lines: str) -> list[Row]:
    """A table written as CSV lines."""
    header = lines[0].split(",")
    return [Row(number, dict(zip(header, line.split(","), strict=True))) for number, line in enumerate(lines[1:], 2)]


def a_known_park(database: Database) -> builders.Park:
    """A small building with a merchant, two SKUs and a courier."""
    built = builders.a_park(database)
    take = importer(built)
    take("merchants", "code,name", "M1,山核桃铺", "M2,茶坊")
    take("skus", "merchant,code,name,weight_g", "M1,S1,山核桃,500", "M1,S2,礼盒,1200", "M2,T1,毛峰,100")
    take("couriers", "code,name,cut_offs", "YUNDA,韵达,16:00;19:30")
    return built


def importer(park: builders.Park) -> Callable[..., int]:
    def take(kind: str, *lines: str) -> int:
        return park.act(lambda call: import_rows(call, kind, rows_of(*lines)))

    return take


def refused(park: builders.Park, kind: str, *lines: str) -> list[tuple[int, str]]:
    """The bad rows of a file that must not be taken."""
    with pytest.raises(BadRows) as found:
        importer(park)(kind, *lines)
    return found.value.rows
