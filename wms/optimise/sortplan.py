"""The sort plan: which chutes of a line take which hub.

A chute serves one hub, a hub may have several chutes that lie side by side. CP-SAT finds, in this order of weight: as
few parcels as possible without a chute; the fullest chute as empty as can be, for a full chute sends parcels round
again; few hubs moved away from the chute where people know them; each courier's chutes in few blocks along the line.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

CHUTES_PER_HUB_MAX = 3
THINK_S = 2.0  # of the solver's own deterministic time: the same on every machine
SEED = 1
# Steps between the goals: one parcel without a chute outweighs any change of balance, one parcel in the fullest chute
# outweighs a hub moved, a hub moved outweighs a courier's block.
MOVED_WEIGHT = 4
BLOCK_WEIGHT = 1


@dataclass(frozen=True, slots=True)
class Hub:
    """What falls into a group of chutes: a courier's hub and the parcels expected for it. `key` is unique."""

    key: str
    courier: str
    parcels: int


@dataclass(frozen=True, slots=True)
class Line:
    """Chutes that can be used, in their order along the line, and what each hub has now (chute numbers)."""

    chutes: tuple[int, ...]
    now: Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, slots=True)
class SortPlan:
    """Chutes of each hub, in line order; a hub that is not there has none. `optimal` when no plan is better."""

    chutes: Mapping[str, tuple[int, ...]]
    optimal: bool


@dataclass(frozen=True, slots=True)
class Worth:
    """What a plan comes to: parcels expected without a chute, in the fullest chute; hubs moved; blocks of couriers."""

    unserved: int
    fullest: int
    moved: int
    blocks: int


def solve(hubs: Sequence[Hub], line: Line, think_s: float = THINK_S) -> SortPlan:
    """The best plan found within `think_s` of deterministic time; never worse than `by_load`.

    The same input gives the same plan. Raises ValueError where two hubs have one key or two chutes one number.
    """
    if len({hub.key for hub in hubs}) != len(hubs) or len(set(line.chutes)) != len(line.chutes):
        raise ValueError("hubs and chutes are named once each")
    quick = SortPlan(by_load(hubs, line), optimal=not hubs or not line.chutes)
    if quick.optimal:
        return quick
    found = _Model(hubs, line).solve(quick, think_s)
    if found is None or cost(hubs, line, found.chutes) > cost(hubs, line, quick.chutes):
        return quick
    return found


def by_load(hubs: Sequence[Hub], line: Line) -> dict[str, tuple[int, ...]]:
    """At once, without a solver: one chute each by falling load, the next where the load per chute is highest;
    couriers side by side.
    """
    counts = _counts(hubs, len(line.chutes))
    free = iter(line.chutes)
    plan: dict[str, tuple[int, ...]] = {}
    for hub in sorted(hubs, key=lambda hub: (hub.courier, -hub.parcels, hub.key)):
        mine = tuple(next(free) for _ in range(counts.get(hub.key, 0)))
        if mine:
            plan[hub.key] = mine
    return plan


def _counts(hubs: Sequence[Hub], chutes: int) -> dict[str, int]:
    by_falling_load = sorted(hubs, key=lambda hub: (-hub.parcels, hub.courier, hub.key))
    counts = {hub.key: 1 for hub in by_falling_load[:chutes]}
    parcels = {hub.key: hub.parcels for hub in by_falling_load}
    for _ in range(chutes - len(counts)):
        growing = [key for key, count in counts.items() if count < CHUTES_PER_HUB_MAX and parcels[key] > count]
        if not growing:
            break
        counts[max(growing, key=lambda key: (parcels[key] / counts[key], key))] += 1
    return counts


def repair(hubs: Sequence[Hub], line: Line) -> dict[str, tuple[int, ...]]:
    """After a chute closed or a hub came: everybody keeps his open chutes; who has none gets a free one, else one of
    the group that has most, the heaviest hub first.
    """
    open_ones = set(line.chutes)
    plan = {
        hub.key: tuple(chute for chute in line.now.get(hub.key, ()) if chute in open_ones)
        for hub in sorted(hubs, key=lambda hub: hub.key)
    }
    taken = {chute for mine in plan.values() for chute in mine}
    free = [chute for chute in line.chutes if chute not in taken]
    for hub in sorted(hubs, key=lambda hub: (-hub.parcels, hub.key)):
        if plan[hub.key]:
            continue
        if free:
            plan[hub.key] = (free.pop(0),)
            continue
        richest = max(plan, key=lambda key: (len(plan[key]), key))
        if len(plan[richest]) > 1:
            *kept, given = plan[richest]
            plan[richest], plan[hub.key] = tuple(kept), (given,)
    return {key: mine for key, mine in plan.items() if mine}


def worth(hubs: Sequence[Hub], line: Line, plan: Mapping[str, tuple[int, ...]]) -> Worth:
    """The four goals of a plan, each in its own unit."""
    served = [hub for hub in hubs if plan.get(hub.key)]
    owner = {chute: hub.courier for hub in served for chute in plan[hub.key]}
    along = [owner.get(chute, "") for chute in line.chutes]
    return Worth(
        unserved=sum(hub.parcels for hub in hubs if not plan.get(hub.key)),
        fullest=max((math.ceil(hub.parcels / len(plan[hub.key])) for hub in served), default=0),
        moved=sum(_moved(hub, line, plan) for hub in hubs),
        blocks=sum(1 for before, here in zip(["", *along], along, strict=False) if here and here != before),
    )


def _moved(hub: Hub, line: Line, plan: Mapping[str, tuple[int, ...]]) -> bool:
    """A hub whose people would look for it elsewhere: none of the open chutes it has now is its own any more."""
    before = set(line.now.get(hub.key, ())) & set(line.chutes)
    return bool(before) and not before & set(plan.get(hub.key, ()))


def cost(hubs: Sequence[Hub], line: Line, plan: Mapping[str, tuple[int, ...]]) -> int:
    """The goals as one number, each outweighing all after it."""
    fullest_weight, unserved_weight = _weights(hubs, line)
    found = worth(hubs, line, plan)
    return (
        unserved_weight * found.unserved
        + fullest_weight * found.fullest
        + MOVED_WEIGHT * len(line.chutes) * found.moved
        + BLOCK_WEIGHT * found.blocks
    )


def _weights(hubs: Sequence[Hub], line: Line) -> tuple[int, int]:
    chutes = len(line.chutes)
    fullest = MOVED_WEIGHT * chutes * len(hubs) + BLOCK_WEIGHT * chutes + 1
    heaviest = max((hub.parcels for hub in hubs), default=0)
    return fullest, fullest * (heaviest + 1)


class _Model:
    """The plan as CP-SAT sees it: which hub has which chute, where a hub and a courier begin along the line."""

    def __init__(self, hubs: Sequence[Hub], line: Line) -> None:
        from ortools.sat.python import cp_model  # two seconds and 100 MB: loaded only when somebody plans

        self._cp = cp_model
        self._model = cp_model.CpModel()
        self._hubs, self._line = hubs, line
        self._has = [[self._model.new_bool_var("") for _ in line.chutes] for _ in hubs]
        for chute in range(len(line.chutes)):
            self._model.add_at_most_one(mine[chute] for mine in self._has)
        for mine in self._has:
            self._side_by_side(mine)
        fullest_weight, unserved_weight = _weights(hubs, line)
        unserved, fullest = self._loads()
        self._model.minimize(
            unserved_weight * sum(unserved)
            + fullest_weight * fullest
            + MOVED_WEIGHT * len(line.chutes) * sum(self._moves())
            + BLOCK_WEIGHT * sum(self._blocks())
        )

    def _side_by_side(self, mine: Sequence[Any]) -> None:
        """At most one place where the hub's chutes begin, and at most three of them."""
        begins = [self._begins(mine, at) for at in range(len(mine))]
        self._model.add_at_most_one(begins)
        self._model.add(sum(mine) <= CHUTES_PER_HUB_MAX)

    def _begins(self, mine: Sequence[Any], at: int) -> Any:
        if at == 0:
            return mine[0]
        begins = self._model.new_bool_var("")
        self._model.add(begins >= mine[at] - mine[at - 1])
        return begins

    def _loads(self) -> tuple[list[Any], Any]:
        """Parcels of the hubs without a chute, and a bound on the parcels of the fullest chute."""
        heaviest = max(hub.parcels for hub in self._hubs)
        fullest = self._model.new_int_var(0, heaviest, "")
        unserved = []
        for hub, mine in zip(self._hubs, self._has, strict=True):
            several = [self._model.new_bool_var("") for _ in range(CHUTES_PER_HUB_MAX + 1)]
            self._model.add_exactly_one(several)
            self._model.add(sum(mine) == sum(count * has for count, has in enumerate(several)))
            for count, has in enumerate(several[1:], start=1):
                self._model.add(fullest >= math.ceil(hub.parcels / count)).only_enforce_if(has)
            unserved.append(hub.parcels * several[0])
        return unserved, fullest

    def _moves(self) -> list[Any]:
        at = {chute: place for place, chute in enumerate(self._line.chutes)}
        moves = []
        for hub, mine in zip(self._hubs, self._has, strict=True):
            before = [mine[at[chute]] for chute in self._line.now.get(hub.key, ()) if chute in at]
            if before:
                moved = self._model.new_bool_var("")
                self._model.add_bool_or([*before, moved])
                moves.append(moved)
        return moves

    def _blocks(self) -> list[Any]:
        begins = []
        for courier in sorted({hub.courier for hub in self._hubs}):
            theirs = [mine for hub, mine in zip(self._hubs, self._has, strict=True) if hub.courier == courier]
            along = [sum(column) for column in zip(*theirs, strict=True)]
            begins += [self._begins(along, at) for at in range(len(along))]
        return begins

    def solve(self, hint: SortPlan, think_s: float) -> SortPlan | None:
        for hub, mine in zip(self._hubs, self._has, strict=True):
            given = hint.chutes.get(hub.key, ())
            for chute, has in zip(self._line.chutes, mine, strict=True):
                self._model.add_hint(has, chute in given)
        solver = self._cp.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = think_s
        status = solver.solve(self._model)
        if status not in (self._cp.OPTIMAL, self._cp.FEASIBLE):
            return None
        plan = {}
        for hub, mine in zip(self._hubs, self._has, strict=True):
            chutes = tuple(
                number for number, has in zip(self._line.chutes, mine, strict=True) if solver.boolean_value(has)
            )
            if chutes:
                plan[hub.key] = chutes
        return SortPlan(plan, optimal=status == self._cp.OPTIMAL)
