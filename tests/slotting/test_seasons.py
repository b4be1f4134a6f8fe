"""A peak last year is known: forecasts of goods with a season err less; without a year behind it nothing changes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from functools import partial

import numpy as np
import pytest
from sqlalchemy import select

from tests.builders import Park, a_park
from tests.slotting.past import FAR, Lies, a_busy_past, lies, picked
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.db import Database
from wms.site import queries as site
from wms.site.values import ContainerKind
from wms.slotting import planning, seasons, service
from wms.slotting.seasons import RATIO_MAX, WEEKS_AFTER, Line, learnt, speeds
from wms.slotting.tables import Velocity

WEEK = timedelta(weeks=1)
FIRST = datetime(2024, 1, 1, 12, tzinfo=UTC)  # a Monday
SKUS = 60
WEEKS = 104


def two_years() -> list[Line]:
    """Sixty SKUs: a third sells all year, a third has a hump of eight weeks at its own time of the year, a third is
    sold in its hump only; from the second year on everything sells a quarter more.
    """
    dice = np.random.default_rng(20)
    lines: list[Line] = []
    for sku in range(SKUS):
        usual, peak = (0.0 if sku % 3 == 2 else 4.0), int(dice.integers(0, 52))
        for week in range(WEEKS):
            away = min((week - peak) % 52, (peak - week) % 52)
            hump = 0.0 if sku % 3 == 0 else 20.0 * max(0.0, 1.0 - away / 4.0)
            for line in range(int(dice.poisson((usual + hump) * (1.25 if week >= 52 else 1.0)))):
                lines.append((1, sku, FIRST + week * WEEK + timedelta(hours=(line * 7 + sku) % 160)))
    return lines


def between(lines: list[Line], begin: datetime, end: datetime) -> list[Line]:
    return [line for line in lines if begin <= line[2] < end]


def errors(lines: list[Line]) -> tuple[float, float]:
    """Misses of the forecasts of a whole second year, without last year and with it, per line that came."""
    plain = with_season = came_all = 0.0
    for week in range(64, 100):
        now = FIRST + week * WEEK
        then = now - seasons.YEAR
        known = speeds(between(lines, now - 8 * WEEK, now), now)
        coming = learnt(between(lines, then - 8 * WEEK, then), between(lines, then, then + 4 * WEEK), then).coming(
            known
        )
        came = Counter((merchant, sku) for merchant, sku, _ in between(lines, now, now + WEEKS_AFTER * WEEK))
        for what in known.keys() | coming.keys() | came.keys():
            plain += abs(came[what] - WEEKS_AFTER * known.get(what, 0.0))
            with_season += abs(came[what] - WEEKS_AFTER * coming.get(what, 0.0))
            came_all += came[what]
    return plain / came_all, with_season / came_all


def test_a_forecast_that_knows_last_year_errs_a_quarter_less() -> None:
    plain, with_season = errors(two_years())
    assert with_season < 0.75 * plain, (plain, with_season)


def test_goods_without_a_season_lose_little_by_it() -> None:
    steady = [line for line in two_years() if line[1] % 3 == 0]
    plain, with_season = errors(steady)
    assert with_season < 1.25 * plain, (plain, with_season)


def test_little_is_hardly_believed_and_much_only_fourfold() -> None:
    then = FIRST + 20 * WEEK
    day = then - WEEK
    one = learnt([(1, 1, day)], [(1, 1, then)] * 3, then)
    assert 1.0 < one.of((1, 1)) < 1.2
    much = learnt([(1, 1, day)] * 40, [(1, 1, then)] * 4_000, then)
    assert much.of((1, 1)) == much.house == RATIO_MAX
    none = learnt([(1, 1, day)] * 4_000, [], then)
    assert none.of((1, 1)) == none.house == 1 / RATIO_MAX
    assert none.of((9, 9)) == none.house, "goods that were not here last year go as the house goes"


# --- in the house


@pytest.fixture
def park(sqlite_database: Database) -> Park:
    return a_park(sqlite_database)


def tote_of(park: Park) -> int:
    return park.read(
        lambda session: site.container_by_code(session, park.warehouse_id, ContainerKind.TOTE, "T-0001").place_id
    )


def sold(park: Park, what: Lies, lines: int, at: datetime) -> None:
    """So many lines, an hour apart."""
    tote = tote_of(park)

    def live(call: Call) -> None:
        for number in range(lines):
            moment = at + timedelta(hours=number)
            picked(call, what, tote, f"order:{what.sku.id}-{moment.isoformat()}", moment)

    park.act(live)


def learnt_speed(park: Park, sku: SkuFacts) -> float | None:
    park.act(service.learn_velocity)
    query = select(Velocity.lines_per_week).where(Velocity.sku_id == sku.id)
    return park.read(lambda session: session.scalars(query).one_or_none())


def test_a_peak_of_last_year_makes_goods_faster_in_time_and_not_without_a_whole_year(database: Database) -> None:
    park = a_park(database)
    now, year = park.clock.at, seasons.YEAR
    tea = lies(park, FAR)
    sold(park, tea, 8, now - WEEK)
    sold(park, tea, 8, now - year - WEEK)
    sold(park, tea, 120, now - year + WEEK)
    without = learnt_speed(park, tea.sku)
    assert without == pytest.approx(sum(0.5 ** ((7 - hour / 24) / 14) / 2 for hour in range(8)))
    sold(park, tea, 1, now - year - 9 * WEEK)
    with_year = learnt_speed(park, tea.sku)
    assert with_year is not None
    assert without is not None
    assert 2.0 * without < with_year <= RATIO_MAX * without


def test_goods_that_sell_in_their_season_only_are_known_before_it(park: Park) -> None:
    moon_cake = lies(park, FAR)
    sold(park, moon_cake, 40, park.clock.at - seasons.YEAR + WEEK)
    assert learnt_speed(park, moon_cake.sku) is None
    sold(park, moon_cake, 1, park.clock.at - seasons.YEAR - 9 * WEEK)
    assert learnt_speed(park, moon_cake.sku) == pytest.approx(40 / WEEKS_AFTER / 2)


def test_a_plan_expects_what_last_year_says_and_the_same_as_ever_without_it(park: Park) -> None:
    fast = a_busy_past(park)
    before = park.read(lambda session: planning.prepare(session, park.warehouse_id, park.clock.at))
    assert before.season is None
    place = next(item for item in before.items if item.sku_id == fast.id)
    what = Lies(fast, place.place_id, place.goods.lot_id if place.goods else 0)
    sold(park, what, 1, park.clock.at - seasons.YEAR - 9 * WEEK)
    sold(park, what, 100, park.clock.at - seasons.YEAR + WEEK)
    after = park.read(lambda session: planning.prepare(session, park.warehouse_id, park.clock.at))
    assert after.season is not None
    expected = [{one.sku_id: one.lines for one in planning.solve(each).expected}[fast.id] for each in (before, after)]
    assert expected[1] > 1.5 * expected[0]
    last_year = partial(planning.prepare, warehouse_id=park.warehouse_id, now=park.clock.at, season=seasons.YEAR)
    assert park.read(last_year).season is None, "who asks for last year's orders gets them as they were"
