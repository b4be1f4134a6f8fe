"""Racks divided anew, as numbers: against every choice there is, within every limit, and the same each time."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from itertools import product

import pytest

from wms.optimise.slotting.divide import (
    MONTHS_MAX,
    Bay,
    Cut,
    Fit,
    Racks,
    Want,
    broken,
    by_gain,
    choose,
    choose_quickly,
    fit,
    free_after,
    leaving,
    quick_fit,
)

# Two kinds of slots: large ones that take all, and small ones that take only the small goods.
SMALL_GOODS = Want((1, 1), 12, 5, 300)
LARGE_GOODS = Want((1, 0), 3, 60, 900)
TO_SMALL = Cut("small", 1, 8, 1, 6, 400)
TO_LARGE = Cut("large", 0, 2, -1, -6, 400)


def large(empty: int = 2, goods: int = 0) -> Bay:
    """A bay of two large slots, which may become eight small ones."""
    return Bay((empty, 0), (goods,), 0, (TO_SMALL,))


def racks(*bays: Bay, wants: tuple[Want, ...] = (SMALL_GOODS,), spare: tuple[int, int] = (9, 90)) -> Racks:
    return Racks(bays, (0, 0), wants, ((True, False),), (spare,), bays_max=9)


def test_a_bay_is_cut_when_more_fits_and_no_more_bays_than_needed() -> None:
    found = choose(racks(large(), large(), large()))
    assert (found.before.skus, found.after.skus, len(found.cuts), found.optimal) == (6, 12, 1, True)
    assert sum(each.skus for each in found.added.values()) == 6


def test_large_goods_keep_their_large_slots() -> None:
    found = choose(racks(large(), large(), wants=(SMALL_GOODS, LARGE_GOODS)))
    assert found.after.worth >= 8 * 300 + 2 * 900
    assert len(found.cuts) == 1


def test_what_does_not_pay_is_left() -> None:
    dear = Bay((2, 0), (0,), 0, (replace(TO_SMALL, cost=MONTHS_MAX * 300 * 6),))
    assert choose(racks(dear)).cuts == {}
    assert len(choose(racks(replace(dear, cuts=(replace(TO_SMALL, cost=MONTHS_MAX * 300 * 6 - 1),)))).cuts) == 1


@pytest.mark.parametrize("spare", [(0, 90), (9, 5)])
def test_without_its_parts_no_bay_is_cut(spare: tuple[int, int]) -> None:
    assert choose(racks(large(), spare=spare)).cuts == {}


def test_a_bay_that_gives_parts_back_comes_before_the_one_that_takes_them() -> None:
    giving = Bay((0, 1), (0,), 0, (TO_LARGE,))
    found = choose(racks(large(), giving, wants=(SMALL_GOODS, LARGE_GOODS), spare=(0, 0)))
    assert list(found.cuts) == [1, 0]


def test_goods_leave_only_where_another_bay_has_room_for_them() -> None:
    alone = racks(large(empty=1, goods=1))
    assert broken(alone, {0: 0}) == "goods"
    assert choose(alone).cuts == {}
    beside = racks(large(empty=1, goods=1), Bay((1, 0), (1,), 0, ()))
    assert broken(beside, {0: 0}) == ""
    assert choose(beside).cuts == {0: 0}
    assert fit(beside, {0: 0}).skus == 8  # the other bay's empty slot takes what left


def test_no_more_bays_than_allowed() -> None:
    many = replace(racks(*[large()] * 5, wants=(replace(SMALL_GOODS, count=99),)), bays_max=2)
    assert len(choose(many).cuts) == len(by_gain(many)) == 2
    assert broken(many, {0: 0, 1: 0, 2: 0}) == "bays"


def test_nothing_to_do_is_said_at_once() -> None:
    assert choose(racks()).cuts == choose(racks(large(), wants=())).cuts == {}


def some_racks(seed: int) -> Racks:
    dice = random.Random(seed)
    kinds, goods = 3, 2
    wants = tuple(
        Want(
            tuple(dice.choice((0, 1, 1, 2)) for _ in range(kinds)),
            dice.randint(1, 6),
            dice.randint(1, 90),
            dice.randint(50, 900),
        )
        for _ in range(dice.randint(1, 3))
    )
    fits = tuple(tuple(dice.random() < 0.7 for _ in range(kinds)) for _ in range(goods))
    return Racks(
        tuple(_some_bay(dice, kinds, goods) for _ in range(dice.randint(1, 4))),
        tuple(dice.randint(0, 2) for _ in range(kinds)),
        tuple(want for want in wants if any(want.needs)),
        fits,
        ((dice.randint(0, 3), dice.randint(0, 8)), (dice.randint(0, 3), dice.randint(0, 8))),
        dice.randint(1, 3),
    )


def _some_bay(dice: random.Random, kinds: int, goods: int) -> Bay:
    cuts = tuple(
        Cut(
            f"p{number}",
            dice.randrange(kinds),
            dice.randint(1, 6),
            dice.randint(-2, 2),
            dice.randint(-4, 6),
            dice.randint(1, 900),
        )
        for number in range(dice.randint(1, 2))
    )
    free = tuple(dice.randint(0, 2) for _ in range(kinds))
    return Bay(free, tuple(dice.choice((0, 0, 1, 2)) for _ in range(goods)), dice.randrange(2), cuts)


def every_choice(found: Racks) -> list[dict[int, int]]:
    ways = [[None, *range(len(bay.cuts))] for bay in found.bays]
    return [{at: cut for at, cut in enumerate(way) if cut is not None} for way in product(*ways)]


def best_worth(found: Racks, chosen: Mapping[int, int]) -> int | None:
    """By trying everything: goods that leave into what stays, then SKUs into what is left; None when goods cannot."""
    after = free_after(found, chosen)
    stay = [free - made for free, made in zip(after, _made(found, chosen), strict=True)]
    goods = [kind for kind, count in enumerate(leaving(found, chosen)) for _ in range(count)]
    skus = [want for want in found.wants for _ in range(want.count)]

    @cache
    def seat(left: tuple[int, ...], at: int) -> int:
        if at == len(skus):
            return 0
        best = seat(left, at + 1)
        for kind, need in enumerate(skus[at].needs):
            if need and left[kind] >= need:
                less = tuple(have - need * (kind == one) for one, have in enumerate(left))
                best = max(best, skus[at].worth + seat(less, at + 1))
        return best

    def send(left: Sequence[int], free: Sequence[int], at: int) -> int | None:
        if at == len(goods):
            return seat(tuple(free), 0)
        answers = []
        for kind, fits in enumerate(found.fits[goods[at]]):
            if fits and left[kind]:
                less = [[have - (kind == one) for one, have in enumerate(each)] for each in (left, free)]
                answers.append(send(less[0], less[1], at + 1))
        known = [answer for answer in answers if answer is not None]
        return max(known) if known else None

    return send(stay, after, 0)


def _made(found: Racks, chosen: Mapping[int, int]) -> list[int]:
    made = [0] * len(found.free)
    for at, cut in chosen.items():
        made[found.bays[at].cuts[cut].kind] += found.bays[at].cuts[cut].slots
    return made


def parts_hold(found: Racks, chosen: Mapping[int, int]) -> bool:
    for size, (beams, dividers) in enumerate(found.spare):
        cuts = [found.bays[at].cuts[cut] for at, cut in chosen.items() if found.bays[at].parts == size]
        if sum(cut.beams for cut in cuts) > beams or sum(cut.dividers for cut in cuts) > dividers:
            return False
    return len(chosen) <= found.bays_max


@pytest.mark.parametrize("seed", range(12))
def test_the_choice_is_the_best_of_all_there_are(seed: int) -> None:
    found = some_racks(seed)
    worths = {
        tuple(chosen.items()): worth
        for chosen in every_choice(found)
        if parts_hold(found, chosen) and (worth := best_worth(found, chosen)) is not None
    }
    profits = {key: MONTHS_MAX * worth - _work(found, dict(key)) for key, worth in worths.items()}
    best = [dict(key) for key, profit in profits.items() if profit == max(profits.values())]
    made = choose(found)
    key = tuple(sorted(made.cuts.items()))
    assert key in worths
    assert made.before.worth == worths[()]
    assert made.after.worth == worths[key]
    if all(_one_by_one(found, chosen) for chosen in best):
        assert profits[key] == max(profits.values())


def _work(found: Racks, chosen: Mapping[int, int]) -> int:
    return sum(found.bays[at].cuts[cut].cost for at, cut in chosen.items())


def _one_by_one(found: Racks, chosen: Mapping[int, int]) -> bool:
    """Whether these bays can be done one after the other: none waits for parts that only a later one gives back."""
    done: dict[int, int] = {}
    while len(done) < len(chosen):
        ready = [at for at in chosen if at not in done and not broken(found, {**done, at: chosen[at]})]
        if not ready:
            return False
        done[ready[0]] = chosen[ready[0]]
    return True


@pytest.mark.parametrize("seed", range(12, 40))
def test_every_choice_is_lawful_and_never_worse_than_without_a_solver(seed: int) -> None:
    found = some_racks(seed)
    made, quick = choose(found), choose_quickly(found)
    for one in (made, quick):
        assert broken(found, one.cuts) == ""
        assert one.after.worth - one.before.worth == sum(each.worth for each in one.added.values())
    assert quick_fit(found, free_after(found, {})).worth <= made.before.worth
    assert choose(found) == made


def test_a_fit_of_nothing_is_nothing() -> None:
    assert fit(racks(), {}) == Fit()
