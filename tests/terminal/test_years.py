"""A supervisor's terminal is as quick after years of orders as on the first day: what is over is not looked through."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session

from tests import schema
from tests.builders import Park, a_park
from tests.terminal.busy import NOW, a_busy_day
from tests.years import let_years_pass, steps
from wms.core.db import Database
from wms.core.db.figures import learn_figures
from wms.terminal.queries.look import look
from wms.terminal.sections import SECTIONS
from wms.terminal.sections.common import Asked
from wms.terminal.service.planner import Planner
from wms.terminal.words import Reader

DAYS = 12
STEPS_MORE_MAX = 1.3
STEPS_MIN = 1_000  # of a section that says next to nothing


def sections(park: Park, planner: Planner) -> dict[str, int]:
    """The steps each section takes to be drawn."""

    def drawn(name: str, session: Session) -> None:
        here = look(session, park.warehouse_id, NOW, NOW)
        SECTIONS[name](Asked(here, Reader("en", here.here.zone), planner))

    return {name: max(STEPS_MIN, steps(park, lambda session, n=name: drawn(n, session))) for name in SECTIONS}  # type: ignore[misc]


@pytest.fixture
def park(tmp_path: Path) -> Any:
    url = f"sqlite:///{tmp_path / 'park.db'}"
    schema.build(url)
    database = Database.open(url)
    park = a_park(database)
    a_busy_day(park)
    yield park
    database.dispose()


def test_no_section_looks_through_what_is_over(park: Park) -> None:
    planner = Planner(park.database, park.clock)
    today = sections(park, planner)
    let_years_pass(park, DAYS)
    for learnt in (False, True):
        after = sections(park, planner)
        slower = {name: (today[name], after[name]) for name in SECTIONS if after[name] > STEPS_MORE_MAX * today[name]}
        assert slower == {}, f"figures {'learnt' if learnt else 'unknown'}"
        assert learn_figures(park.database) or learnt
