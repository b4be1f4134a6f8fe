"""Which cells to take from, improved cell by cell: every change is judged by the exact tour over what is then taken.

All drops and replacements of single cells are priced in one call. Of those that shorten the tour as many are made, best
first, as together shorten it most.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wms.optimise.batching.pricing import TourPricer
from wms.optimise.geometry import Stop
from wms.optimise.routing.rect import Frame

Ints = NDArray[np.int64]

NOTHING = -1


class Change(NamedTuple):
    """Supply `gone` is left out and supply `come` (NOTHING: none) is taken instead."""

    gone: int
    come: int


class Cells:
    """Supplies by number: where each lies, which article it is and how much of it; and how much of each is needed."""

    def __init__(self, base: Frame, stops: Sequence[Stop], article: Ints, quantity: Ints, need: Ints) -> None:
        self._article, self._quantity, self._need = article, quantity, need
        self._tours = TourPricer(base, [[stop] for stop in stops])
        self._of_article = [np.flatnonzero(article == number).tolist() for number in range(len(need))]

    def _more_than_needed(self, taken: frozenset[int]) -> Ints:
        """By article, how much more is taken than needed."""
        chosen = sorted(taken)
        return np.bincount(self._article[chosen], self._quantity[chosen], len(self._need)).astype(np.int64) - self._need

    def completed(self, taken: frozenset[int]) -> frozenset[int]:
        """With what is missing added: of each article that is short the cell that alone lengthens the tour least."""
        while True:
            short = np.flatnonzero(self._more_than_needed(taken) < 0).tolist()
            if not short:
                return taken
            cells = [cell for number in short for cell in self._of_article[number] if cell not in taken]
            length = dict(zip(cells, self._tours.lengths([taken | {cell} for cell in cells]), strict=True))
            best = (
                min(set(self._of_article[number]) - taken, key=lambda cell: (length[cell], cell)) for number in short
            )
            taken |= frozenset(best)

    def improved(self, taken: frozenset[int], rounds: int) -> tuple[frozenset[int], int]:
        """What is taken when no drop or replacement helps any more, or the rounds are over; and its tour's length."""
        length = self._tours.length(taken)
        for _ in range(rounds):
            changes = self._changes(taken)
            after = np.array(self._tours.lengths([_made(taken, change) for change in changes]), dtype=np.int64)
            better = [changes[k] for k in np.argsort(after, kind="stable").tolist() if after[k] < length]
            if not better:
                break
            steps = self._together(taken, better)
            lengths = self._tours.lengths(steps)
            best = int(np.argmin(lengths))
            taken, length = steps[best], lengths[best]
        return taken, length

    def _changes(self, taken: frozenset[int]) -> list[Change]:
        spare = self._more_than_needed(taken)
        changes = []
        for gone in sorted(taken):
            number = int(self._article[gone])
            short = int(self._quantity[gone] - spare[number])
            if short <= 0:
                changes.append(Change(gone, NOTHING))
                continue
            others = (cell for cell in self._of_article[number] if cell not in taken and self._quantity[cell] >= short)
            changes += [Change(gone, come) for come in others]
        return changes

    def _together(self, taken: frozenset[int], better: Sequence[Change]) -> list[frozenset[int]]:
        """What is taken after the first change, after the first two that go together, and so on."""
        steps: list[frozenset[int]] = []
        touched: set[int] = set()
        for change in better:
            number = int(self._article[change.gone])
            if number not in touched:
                touched.add(number)
                taken = _made(taken, change)
                steps.append(taken)
        return steps


def _made(taken: frozenset[int], change: Change) -> frozenset[int]:
    rest = taken - {change.gone}
    return rest if change.come == NOTHING else rest | {change.come}
