"""Racks divided anew: which bays to cut how, so that more of what is coming fits, at the least work.

CP-SAT decides together which bays are cut into what, which kind of slot takes which goods, and where the goods of a bay
that must be emptied go meanwhile (into slots that are free now, in bays that stay). Bays that look alike are counted,
not named. Whoever has no time for a solver, or finds it wanting, takes `by_gain`: empty bays only, the best first.

Kinds of slots are numbered; so are the kinds of goods that would have to leave (`leaving`) and the sizes of parts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

SEED = 1
THINK_S = 20.0  # of the solver's own deterministic time: the same on every machine
FIT_THINK_S = 2.0
MONTHS_MAX = 3  # a bay is worth changing when it pays back within so many months


@dataclass(frozen=True, slots=True)
class Want:
    """`count` SKUs alike that wait for room. `needs`: slots of each kind that one of them takes, 0 where it does not
    fit. `volume_ml` and `worth` (cents a month) are those of one SKU.
    """

    needs: tuple[int, ...]
    count: int
    volume_ml: int
    worth: int


@dataclass(frozen=True, slots=True)
class Cut:
    """A way to cut a bay: so many slots of a kind. Parts it takes from those that lie ready (negative: gives back), and
    cents of work. `profile` is the asker's own name for it.
    """

    profile: str
    kind: int
    slots: int
    beams: int
    dividers: int
    cost: int


@dataclass(frozen=True, slots=True)
class Bay:
    """A bay that may be cut anew. `free`: its empty slots by kind; `leaving`: goods in it by their kind; `parts`: which
    size of parts it takes.
    """

    free: tuple[int, ...]
    leaving: tuple[int, ...]
    parts: int
    cuts: tuple[Cut, ...]


@dataclass(frozen=True)
class Racks:
    """All that decides. `free`: empty slots by kind in bays that stay as they are; `fits`: for each kind of goods that
    may have to leave, which kinds of slots take one; `spare`: beams and dividers that lie ready, by size of parts.
    """

    bays: tuple[Bay, ...]
    free: tuple[int, ...]
    wants: tuple[Want, ...]
    fits: tuple[tuple[bool, ...], ...]
    spare: tuple[tuple[int, int], ...]
    bays_max: int

    @cached_property
    def alike(self) -> dict[Bay, list[int]]:
        """Bays that look alike, as they were given."""
        found: dict[Bay, list[int]] = {}
        for at, bay in enumerate(self.bays):
            found.setdefault(bay, []).append(at)
        return found


@dataclass(frozen=True, slots=True)
class Fit:
    """What finds room: SKUs, their volume, and their worth in cents a month."""

    skus: int = 0
    volume_ml: int = 0
    worth: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """Bay -> cut (by their numbers), in the order they should be done; what each adds to what fits. `optimal` when no
    choice is better.
    """

    cuts: Mapping[int, int]
    added: Mapping[int, Fit]
    before: Fit
    after: Fit
    optimal: bool


def choose(racks: Racks, think_s: float = THINK_S) -> Chosen:
    """The best choice found in `think_s` of deterministic time, never worse than `by_gain` and always lawful (see
    `broken`).

    The same racks give the same choice.
    """
    quick = by_gain(racks)
    found, optimal = (None, True) if not racks.bays or not racks.wants else _Model(racks).solve(quick, think_s)
    if found is None or broken(racks, found) or _profit(racks, found) < _profit(racks, quick):
        found, optimal = quick, not racks.bays or not racks.wants
    return _told(racks, found, optimal, fit)


def choose_quickly(racks: Racks) -> Chosen:
    """Without a solver, for whoever cannot wait for one: lawful, and told by what surely fits."""
    return _told(racks, by_gain(racks), False, lambda racks, chosen: quick_fit(racks, free_after(racks, chosen)))


def by_gain(racks: Racks) -> dict[int, int]:
    """Without a solver: one empty bay after the other, the cut that gains most over its work, while any gains."""
    chosen: dict[int, int] = {}
    while len(chosen) < racks.bays_max:
        now = quick_fit(racks, free_after(racks, chosen)).worth
        best: tuple[int, int, int] | None = None
        for bay, like in racks.alike.items():
            at = next((one for one in like if one not in chosen), None)
            if at is None or any(bay.leaving):
                continue
            for number, cut in enumerate(bay.cuts):
                trial = {**chosen, at: number}
                if broken(racks, trial):
                    continue
                gain = MONTHS_MAX * (quick_fit(racks, free_after(racks, trial)).worth - now) - cut.cost
                if gain > 0 and (best is None or gain > best[0]):
                    best = gain, at, number
        if best is None:
            break
        chosen[best[1]] = best[2]
    return chosen


def free_after(racks: Racks, chosen: Mapping[int, int]) -> list[int]:
    """Empty slots by kind when these bays are cut, before their goods have gone anywhere."""
    free = list(racks.free)
    for at, bay in enumerate(racks.bays):
        if at not in chosen:
            free = [one + more for one, more in zip(free, bay.free, strict=True)]
        else:
            cut = bay.cuts[chosen[at]]
            free[cut.kind] += cut.slots
    return free


def leaving(racks: Racks, chosen: Mapping[int, int]) -> list[int]:
    """How many goods of each kind must leave these bays."""
    found = [0] * len(racks.fits)
    for at in chosen:
        found = [one + more for one, more in zip(found, racks.bays[at].leaving, strict=True)]
    return found


def broken(racks: Racks, chosen: Mapping[int, int]) -> str:
    """What forbids this choice ("bays", "parts", "goods"), or nothing."""
    if len(chosen) > racks.bays_max:
        return "bays"
    taken: Counter[int] = Counter()
    for at, number in chosen.items():
        bay = racks.bays[at]
        taken[2 * bay.parts] += bay.cuts[number].beams
        taken[2 * bay.parts + 1] += bay.cuts[number].dividers
    if any(taken[2 * size + part] > spare[part] for size, spare in enumerate(racks.spare) for part in (0, 1)):
        return "parts"
    staying = list(racks.free)
    for at, bay in enumerate(racks.bays):
        if at not in chosen:
            staying = [one + more for one, more in zip(staying, bay.free, strict=True)]
    return "" if _placed(racks, leaving(racks, chosen), staying) is not None else "goods"


def _placed(racks: Racks, goods: Sequence[int], free: Sequence[int]) -> list[int] | None:
    """Slots by kind that goods which must leave would take, the choosiest first; None when some find none."""
    left = list(free)
    for kind in sorted(range(len(goods)), key=lambda one: sum(racks.fits[one])):
        for _ in range(goods[kind]):
            open_ones = [slot for slot, fits in enumerate(racks.fits[kind]) if fits and left[slot] > 0]
            if not open_ones:
                return None
            left[min(open_ones, key=lambda slot: (_takers(racks, slot), slot))] -= 1
    return [before - after for before, after in zip(free, left, strict=True)]


def _takers(racks: Racks, slot: int) -> int:
    """How many of the SKUs that wait could use a slot of this kind."""
    return sum(want.count for want in racks.wants if want.needs[slot])


def quick_fit(racks: Racks, free: Sequence[int]) -> Fit:
    """What fits when the dearest of a slot goes first, into the kind that fewest others could use. A lower bound."""
    left, found = list(free), Fit()
    rank = sorted(racks.wants, key=lambda want: -want.worth / min((need for need in want.needs if need), default=1))
    takers = [_takers(racks, slot) for slot in range(len(left))]
    for want in rank:
        count = want.count
        for slot in sorted(
            (one for one, need in enumerate(want.needs) if need), key=lambda one: (want.needs[one], takers[one])
        ):
            some = min(count, max(0, left[slot]) // want.needs[slot])
            left[slot] -= some * want.needs[slot]
            count -= some
        placed = want.count - count
        found = Fit(found.skus + placed, found.volume_ml + placed * want.volume_ml, found.worth + placed * want.worth)
    return found


def fit(racks: Racks, chosen: Mapping[int, int]) -> Fit:
    """What fits when these bays are cut and their goods have found other slots: the best there is."""
    free = free_after(racks, chosen)
    if not racks.wants or not any(free):
        return Fit()
    return _Model(racks, chosen).fit(quick_fit(racks, free))


def _profit(racks: Racks, chosen: Mapping[int, int]) -> int:
    work = sum(racks.bays[at].cuts[number].cost for at, number in chosen.items())
    return MONTHS_MAX * fit(racks, chosen).worth - work


def _told(
    racks: Racks, chosen: Mapping[int, int], optimal: bool, fits: Callable[[Racks, Mapping[int, int]], Fit]
) -> Chosen:
    """The choice in the order in which its bays should be done, with what each adds."""
    before = so_far = fits(racks, {})
    done: dict[int, int] = {}
    added: dict[int, Fit] = {}
    waiting = sorted(chosen, key=lambda at: _rank(racks.bays[at], racks.bays[at].cuts[chosen[at]], at))
    while waiting:
        at = next((one for one in waiting if not broken(racks, {**done, one: chosen[one]})), None)
        if at is None:
            break  # each waits for parts of the others: none of them can begin
        waiting.remove(at)
        done[at] = chosen[at]
        now = fits(racks, done)
        added[at] = Fit(now.skus - so_far.skus, now.volume_ml - so_far.volume_ml, now.worth - so_far.worth)
        so_far = now
    return Chosen(done, added, before, so_far, optimal)


def _rank(bay: Bay, cut: Cut, at: int) -> tuple[float, int]:
    """The most slots for the least work first."""
    return -(cut.slots - sum(bay.free)) / max(1, cut.cost), at


class _Model:
    """The choice as CP-SAT sees it; with `chosen` given, only what goes where is left to decide."""

    def __init__(self, racks: Racks, chosen: Mapping[int, int] | None = None) -> None:
        from ortools.sat.python import cp_model  # two seconds and 100 MB: loaded only when somebody plans

        self._cp, self._racks = cp_model, racks
        self._model = cp_model.CpModel()
        self._counts = self._cuts(chosen)
        kinds = range(len(racks.free))
        stay, made = self._slots()
        goods = self._goods()
        self._placed = [
            [self._model.new_int_var(0, want.count, "") if want.needs[kind] else 0 for kind in kinds]
            for want in racks.wants
        ]
        for want, placed in zip(racks.wants, self._placed, strict=True):
            self._model.add(sum(placed) <= want.count)
        for kind in kinds:
            moved = sum(each[kind] for each in goods)
            asked = sum(want.needs[kind] * placed[kind] for want, placed in zip(racks.wants, self._placed, strict=True))
            self._model.add(moved <= stay[kind])
            self._model.add(moved + asked <= stay[kind] + made[kind])
        self._worth = sum(want.worth * sum(placed) for want, placed in zip(racks.wants, self._placed, strict=True))
        self._cost = sum(
            cut.cost * count
            for bay, counts in zip(racks.alike, self._counts, strict=True)
            for cut, count in zip(bay.cuts, counts, strict=True)
        )
        self._model.maximize(MONTHS_MAX * self._worth - self._cost)

    def _cuts(self, chosen: Mapping[int, int] | None) -> list[list[Any]]:
        """For bays alike, how many are cut in each way; numbers where that is decided already."""
        racks = self._racks
        found: list[list[Any]] = []
        for bay, like in racks.alike.items():
            if chosen is None:
                counts: list[Any] = [self._model.new_int_var(0, len(like), "") for _ in bay.cuts]
                self._model.add(sum(counts) <= len(like))
            else:
                decided = Counter(chosen[at] for at in like if at in chosen)
                counts = [decided[number] for number in range(len(bay.cuts))]
            found.append(counts)
        if chosen is None:
            self._model.add(sum(count for counts in found for count in counts) <= racks.bays_max)
            for size, spare in enumerate(racks.spare):
                for part, ready in zip(("beams", "dividers"), spare, strict=True):
                    self._model.add(self._parts(found, size, part) <= ready)
        return found

    def _parts(self, counts: Sequence[Sequence[Any]], size: int, part: str) -> Any:
        return sum(
            getattr(cut, part) * count
            for bay, each in zip(self._racks.alike, counts, strict=True)
            if bay.parts == size
            for cut, count in zip(bay.cuts, each, strict=True)
        )

    def _slots(self) -> tuple[list[Any], list[Any]]:
        """By kind: empty slots in bays that stay, and slots made."""
        stay: list[Any] = list(self._racks.free)
        made: list[Any] = [0] * len(stay)
        for (bay, like), counts in zip(self._racks.alike.items(), self._counts, strict=True):
            for kind, free in enumerate(bay.free):
                if free:
                    stay[kind] = stay[kind] + free * (len(like) - sum(counts))
            for cut, count in zip(bay.cuts, counts, strict=True):
                made[cut.kind] = made[cut.kind] + cut.slots * count
        return stay, made

    def _goods(self) -> list[list[Any]]:
        """For each kind of goods that may have to leave, how many go into each kind of slot."""
        found = []
        for kind, fits in enumerate(self._racks.fits):
            most = sum(bay.leaving[kind] * len(like) for bay, like in self._racks.alike.items())
            goes = [self._model.new_int_var(0, most, "") if one else 0 for one in fits]
            gone = sum(
                bay.leaving[kind] * sum(counts)
                for bay, counts in zip(self._racks.alike, self._counts, strict=True)
                if bay.leaving[kind]
            )
            if most:
                self._model.add(sum(goes) == gone)
            found.append(goes)
        return found

    def solve(self, hint: Mapping[int, int], think_s: float) -> tuple[dict[int, int] | None, bool]:
        """Bay -> cut, and whether it is proved best; None when nothing was found in time."""
        for (bay, like), counts in zip(self._racks.alike.items(), self._counts, strict=True):
            given = Counter(hint[at] for at in like if at in hint)
            for number in range(len(bay.cuts)):
                self._model.add_hint(counts[number], given[number])
        solver, status = self._run(think_s)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return None, False
        found: dict[int, int] = {}
        for like, counts in zip(self._racks.alike.values(), self._counts, strict=True):
            free = iter(like)
            for number, count in enumerate(counts):
                found.update({next(free): number for _ in range(solver.value(count))})
        return found, status == self._cp.OPTIMAL

    def fit(self, known: Fit) -> Fit:
        """What fits; what is `known` to fit when the solver has no better answer in time."""
        solver, status = self._run(FIT_THINK_S)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return known
        counts = [sum(solver.value(one) for one in placed) for placed in self._placed]
        wants = list(zip(self._racks.wants, counts, strict=True))
        return Fit(
            sum(count for _, count in wants),
            sum(want.volume_ml * count for want, count in wants),
            sum(want.worth * count for want, count in wants),
        )

    def _run(self, think_s: float) -> tuple[Any, Any]:
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = think_s
        return solver, solver.solve(self._model)
