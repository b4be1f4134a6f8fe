"""From column to column over partial tours, keeping those the prices do not rule out."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wms.optimise.routing.ladder import NEVER
from wms.optimise.routing.prices import Priced, Prices, Step
from wms.optimise.routing.states import AISLE_WAYS

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

OPTIONS_MAX = 24  # ways of walking one aisle that are followed


@dataclass(frozen=True)
class Partial:
    """Partial tours at one step: state, what is still missing, length so far, and a bound on the whole."""

    state: Ints
    missing: NDArray[np.float32]
    length: Floats
    bound: Floats

    def take(self, which: Ints) -> Partial:
        return Partial(self.state[which], self.missing[which], self.length[which], self.bound[which])


@dataclass(frozen=True)
class Found:
    """Options of the shortest tour found, one per piece; empty when none is shorter than asked.

    `complete`: nothing was dropped that the prices do not rule out, so no tour is shorter than what is known.
    """

    options: list[int]
    complete: bool


class Search:
    """Looks for a tour at least `unit` shorter than `known`, keeping at most `width` partial tours per step.

    Those kept are taken in turn from about `groups` groups, by how much they still miss.
    """

    def __init__(self, prices: Prices, priced: Priced, known: float, width: int, groups: int, unit: int) -> None:
        self._prices, self._priced, self._width = prices, priced, width
        self._target = known - unit + 0.5 if np.isfinite(known) else np.inf
        self._value = priced.price
        self._groups = groups
        self._complete = True
        self._alive = self._options_alive()
        self._ahead = self._passable_ahead()
        self._trace: list[tuple[Ints, Ints]] = []
        self._hash = np.random.default_rng(1).integers(1, 1 << 40, prices.options.units.shape[1])

    def run(self) -> Found:
        need = self._prices.need.astype(np.float32)
        begin = np.array([self._prices.begin])
        partial = Partial(begin, need[None], np.zeros(1), np.array([self._priced.bound]))
        for index, step in enumerate(self._prices.steps):
            grown = self._aisle(partial, step, index) if step.kind == "aisle" else self._walk(partial, step, index)
            partial = self._kept(*grown, self._ahead[index + 1])
            if not len(partial.state):
                return Found([], self._complete)
        done = np.flatnonzero((partial.missing.max(axis=1) <= 0) & (partial.bound < NEVER))
        if not len(done):
            return Found([], self._complete)
        return Found(self._read(int(done[partial.length[done].argmin()])), self._complete)

    def _options_alive(self) -> list[Ints]:
        """Per piece and way the options that no bound rules out: the best way to and from them is short enough."""
        prices, priced = self._prices, self._priced
        reached = np.full_like(priced.togo[0], NEVER)
        reached[prices.begin] = 0.0
        best = np.full(priced.way_cost.shape, float(NEVER))
        for index, step in enumerate(prices.steps):
            cost = priced.way_cost[step.piece] if step.kind == "aisle" else step.cost
            if step.kind == "aisle":
                through = reached[:, None] + priced.togo[index + 1][step.leaving.dense]
                best[step.piece] = through.min(axis=0)
            reached = np.minimum.reduceat(reached[step.table.source] + cost[step.table.choice], step.table.first)
        first = prices.options.first
        pair = np.repeat(best.ravel(), np.diff(first))
        bound = pair + priced.reduced + priced.price @ prices.need
        alive = (bound <= self._target) & (prices.options.cost < NEVER)
        for begin, end in zip(first[:-1:AISLE_WAYS], first[AISLE_WAYS::AISLE_WAYS], strict=True):
            open_options = begin + np.flatnonzero(alive[begin:end])
            if len(open_options) > OPTIONS_MAX:  # too many to follow: those of least promise are left out
                self._complete = False
                alive[open_options[np.argsort(bound[open_options], kind="stable")[OPTIONS_MAX:]]] = False
        return [first[k] + np.flatnonzero(alive[first[k] : first[k + 1]]) for k in range(len(first) - 1)]

    def _passable_ahead(self) -> list[NDArray[np.float32]]:
        """How much of each article the open options of all later pieces pass together, for each step."""
        units = self._prices.options.units
        ahead = [np.zeros(units.shape[1], dtype=np.float32)]
        for step in reversed(self._prices.steps):
            more = ahead[-1]
            if step.kind == "aisle":
                open_options = np.concatenate(self._alive[step.piece * AISLE_WAYS : (step.piece + 1) * AISLE_WAYS])
                more = more + units[open_options].max(axis=0, initial=0.0)
            ahead.append(more)
        return ahead[::-1]

    def _walk(self, partial: Partial, step: Step, index: int) -> tuple[Partial, Ints, Ints]:
        """A step without picking: every choice for every partial tour."""
        targets = step.leaving.dense[partial.state]
        togo = self._priced.togo[index + 1]
        parent, choice = np.nonzero((targets != len(togo) - 1) & (step.cost[: targets.shape[1]] < NEVER))
        state = targets[parent, choice]
        length = partial.length[parent] + step.cost[choice]
        missing = partial.missing[parent]
        bound = length + togo[state] + missing @ self._value
        return Partial(state, missing, length, bound), parent, np.full_like(parent, -1)

    def _aisle(self, partial: Partial, step: Step, index: int) -> tuple[Partial, Ints, Ints]:
        parts: list[tuple[Partial, Ints, Ints]] = []
        options, togo = self._prices.options, self._priced.togo[index + 1]
        targets = step.leaving.dense[partial.state]
        for way in range(AISLE_WAYS):
            open_options = self._alive[step.piece * AISLE_WAYS + way]
            able = np.flatnonzero(targets[:, way] != len(togo) - 1)
            if not len(open_options) or not len(able):
                continue
            parent = np.repeat(able, len(open_options))
            option = np.tile(open_options, len(able))
            state = targets[parent, way]
            missing = np.maximum(partial.missing[parent] - options.units[option], 0)
            length = partial.length[parent] + options.cost[option]
            bound = length + togo[state] + missing @ self._value
            parts.append((Partial(state, missing, length, bound), parent, option))
        if not parts:
            return partial.take(np.zeros(0, dtype=np.int64)), np.zeros(0, np.int64), np.zeros(0, np.int64)
        joined = Partial(
            *(np.concatenate([getattr(part[0], name) for part in parts]) for name in Partial.__dataclass_fields__)
        )
        return joined, np.concatenate([part[1] for part in parts]), np.concatenate([part[2] for part in parts])

    def _kept(self, partial: Partial, parent: Ints, option: Ints, ahead: NDArray[np.float32]) -> Partial:
        """Drop what is ruled out, all but the shortest of those alike, and what exceeds the width."""
        short = partial.bound <= min(self._target, NEVER / 2)
        live = np.flatnonzero(short & (partial.missing <= ahead).all(axis=1))
        alike = partial.missing[live].astype(np.int64) @ self._hash + partial.state[live]
        order = np.lexsort((partial.length[live], alike))
        fresh = np.ones(len(order), dtype=np.bool_)
        fresh[1:] = np.diff(alike[order]) != 0
        live = live[order[fresh]]
        if len(live) > self._width:
            self._complete = False
            live = live[self._fairly(partial, live)]
        self._trace.append((parent[live], option[live]))
        return partial.take(live)

    def _fairly(self, partial: Partial, live: Ints) -> Ints:
        """As many as the width allows, in turn from those that miss alike: who has picked much looks long too soon."""
        missing = partial.missing[live] @ self._value
        share = missing / max(1e-9, float(self._prices.need @ self._value))
        group = np.round(share * self._groups).astype(np.int64)
        order = np.lexsort((partial.bound[live] + missing, group))
        starts = np.flatnonzero(np.diff(group[order], prepend=-1))
        rank = np.arange(len(order)) - np.repeat(starts, np.diff([*starts, len(order)]))
        return order[np.argsort(rank, kind="stable")[: self._width]]

    def _read(self, last: int) -> list[int]:
        picked: list[int] = []
        for parent, option in reversed(self._trace):
            if option[last] >= 0:
                picked.append(int(option[last]))
            last = int(parent[last])
        return picked[::-1]
