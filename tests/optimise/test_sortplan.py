from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wms.optimise.sortplan import CHUTES_PER_HUB_MAX, Hub, Line, by_load, cost, repair, solve, worth

Plan = dict[str, tuple[int, ...]]

hubs_of = st.lists(
    st.builds(Hub, st.sampled_from("abcdef"), st.sampled_from(["YD", "ZT"]), st.integers(1, 90)),
    max_size=4,
    unique_by=lambda hub: hub.key,
)


def every_plan(hubs: list[Hub], chutes: tuple[int, ...]) -> Iterator[Plan]:
    """Each way to give chutes to hubs that lie side by side, three at the most."""
    for owners in itertools.product([None, *(hub.key for hub in hubs)], repeat=len(chutes)):
        plan = {
            key: tuple(chute for chute, owner in zip(chutes, owners, strict=True) if owner == key)
            for key in dict.fromkeys(owner for owner in owners if owner)
        }
        if all(len(mine) <= CHUTES_PER_HUB_MAX and side_by_side(mine, chutes) for mine in plan.values()):
            yield plan


def side_by_side(mine: tuple[int, ...], chutes: tuple[int, ...]) -> bool:
    places = [chutes.index(chute) for chute in mine]
    return places == list(range(places[0], places[0] + len(places)))


@settings(max_examples=25, deadline=None)
@given(hubs_of, st.integers(1, 4), st.integers(0, 3))
def test_no_plan_is_better_than_the_one_found(hubs: list[Hub], chutes: int, closed: int) -> None:
    wide = Line(tuple(range(1, chutes + closed + 1)), {})
    line = Line(wide.chutes[:chutes], by_load(hubs, wide))
    found = solve(hubs, line)
    assert found.optimal
    assert cost(hubs, line, found.chutes) == min(cost(hubs, line, plan) for plan in every_plan(hubs, line.chutes))


@given(hubs_of, st.integers(0, 6))
def test_a_chute_has_one_hub(hubs: list[Hub], chutes: int) -> None:
    line = Line(tuple(range(1, chutes + 1)), {})
    for plan in (by_load(hubs, line), solve(hubs, line, think_s=0.05).chutes):
        used = [chute for mine in plan.values() for chute in mine]
        assert len(used) == len(set(used))
        assert set(used) <= set(line.chutes)


def test_a_closed_chute_moves_nobody_who_has_another() -> None:
    hubs = [Hub("杭州", "YD", 90), Hub("上海", "YD", 30), Hub("广州", "ZT", 20)]
    now = {"杭州": (1, 2), "上海": (3,), "广州": (4,)}
    assert repair(hubs, Line((2, 3, 4), now)) == {"杭州": (2,), "上海": (3,), "广州": (4,)}
    assert repair(hubs, Line((1, 2, 4), now)) == {"杭州": (1,), "上海": (2,), "广州": (4,)}
    assert repair(hubs, Line((1, 2, 4, 9), now))["上海"] == (9,), "a free chute before one that somebody has"


def test_people_find_hubs_where_they_were() -> None:
    hubs = [Hub("杭州", "YD", 40), Hub("上海", "YD", 40), Hub("广州", "ZT", 40)]
    now = {"杭州": (3,), "上海": (1,), "广州": (2,)}
    assert solve(hubs, Line((1, 2, 3), now)).chutes == now


def test_couriers_lie_together_where_nothing_else_speaks_against_it() -> None:
    hubs = [Hub(f"{courier}{number}", courier, 10) for number in range(3) for courier in ("YD", "ZT")]
    line = Line(tuple(range(1, 7)), {})
    assert worth(hubs, line, solve(hubs, line).chutes).blocks == 2


def test_the_lightest_hubs_go_without_when_chutes_are_few() -> None:
    hubs = [Hub("a", "YD", 9), Hub("b", "ZT", 7), Hub("c", "YD", 8)]
    assert set(solve(hubs, Line((1, 2), {})).chutes) == {"a", "c"}


def test_the_same_question_has_the_same_answer() -> None:
    hubs = [Hub(f"h{number}", "ABC"[number % 3], 5 + number * 7 % 40) for number in range(14)]
    line = Line(tuple(range(1, 13)), {})
    assert solve(hubs, line, think_s=0.3) == solve(hubs, line, think_s=0.3)


def test_two_hubs_of_one_name_are_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="once each"):
        solve([Hub("a", "YD", 1), Hub("a", "ZT", 1)], Line((1,), {}))
