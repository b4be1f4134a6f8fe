"""What proofs stand on and are written in.

A proof is a function of a `Ground` (a database of its own, a folder, a seed) and of its sizes; it comes back with an
`Outcome`, whose `broken` names every broken promise. A twin is the same experiment with one guard taken away from
outside: it must come back broken, or the proof could not have seen what it was written to see.

    @proof(name="last_unit_race", promises=(3, 6), on=BOTH, small={"rounds": 10}, full={"rounds": 200}, goal="...")
    def last_unit_race(ground: Ground, *, rounds: int) -> Outcome: ...


    @twin(of="last_unit_race", sabotage="reads before it locks")
    def read_before_lock(ground: Ground, *, rounds: int) -> Outcome: ...

Every module of this package is imported; small sizes run with the tests, full ones by `scripts/prove.py --full`.
"""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from itertools import count
from pathlib import Path
from pkgutil import iter_modules

from tests import postgres
from wms.auditing import broken_promises
from wms.core.db import Database

SQLITE, POSTGRESQL = "sqlite", "postgresql"
BOTH = (SQLITE, POSTGRESQL)
SEED = 1


@dataclass(frozen=True)
class Outcome:
    """What an experiment showed.

    `size` in words for the table; `broken` one sentence per broken promise (empty: all held); `rate` per second of
    `unit` ("scans/s"); `facts` counted figures (acknowledged, lost, doubled ...).
    """

    size: str
    broken: tuple[str, ...]
    rate: float | None = None
    unit: str = ""
    facts: Mapping[str, object] = field(default_factory=dict)


class Ground:
    """What one run of a proof stands on: `kind` "sqlite" or "postgresql", an empty `folder`, a `seed`."""

    def __init__(self, kind: str, folder: Path, seed: int, copy: Callable[[], str]) -> None:
        self.kind = kind
        self.folder = folder
        self.seed = seed
        self._copy = copy
        self._opened: Database | None = None

    @cached_property
    def url(self) -> str:
        """The address of the ground's own database: migrated, at first without a row."""
        return self._copy()

    def another_url(self) -> str:
        """The address of one more empty database, for experiments that need several."""
        return self._copy()

    def database(self) -> Database:
        """The ground's own database, opened; the frame closes it."""
        if self._opened is None:
            self._opened = Database.open(self.url)
        return self._opened

    def random(self) -> random.Random:
        """Chance that is the same for the same seed."""
        return random.Random(self.seed)

    def audit(self) -> tuple[str, ...]:
        """Every promise of the house asked of the ground's own database: a sentence per break."""
        return audit(self.database())

    def close(self) -> None:
        """Close the database if it was opened."""
        if self._opened is not None:
            self._opened.dispose()
            self._opened = None


def audit(database: Database) -> tuple[str, ...]:
    """Every promise of the house asked of `database`: a sentence per break."""
    return tuple(
        f"{promise.name}: {broken.subject}: {broken.facts}"
        for promise, breaks in broken_promises(database)
        for broken in breaks
    )


Experiment = Callable[..., Outcome]
Sizes = Mapping[str, int]


@dataclass(frozen=True)
class Proof:
    """A proof as declared. `goal` is the figure to reach, in words."""

    name: str
    promises: tuple[int, ...]
    on: tuple[str, ...]
    small: Sizes
    full: Sizes
    goal: str
    experiment: Experiment


@dataclass(frozen=True)
class Twin:
    """A sabotage of the proof `of`, at its own small sizes."""

    name: str
    of: str
    sabotage: str
    on: tuple[str, ...]
    small: Sizes
    experiment: Experiment


PROOFS: dict[str, Proof] = {}
TWINS: dict[str, Twin] = {}
_pending: list[Callable[[], Twin]] = []


def proof(
    *, name: str, promises: tuple[int, ...], small: Sizes, full: Sizes, goal: str, on: tuple[str, ...] = BOTH
) -> Callable[[Experiment], Experiment]:
    """Declare a proof of the promises with these numbers (docs/reference/promises.md)."""

    def declare(experiment: Experiment) -> Experiment:
        assert name not in PROOFS, f"two proofs are called {name}"
        PROOFS[name] = Proof(name, promises, on, small, full, goal, experiment)
        return experiment

    return declare


def twin(
    *, of: str, sabotage: str, on: tuple[str, ...] | None = None, small: Sizes | None = None
) -> Callable[[Experiment], Experiment]:
    """Declare a sabotage of the proof `of`; where it runs and how big is the proof's, unless told."""

    def declare(experiment: Experiment) -> Experiment:
        name = str(getattr(experiment, "__name__", sabotage))

        def complete() -> Twin:
            known = PROOFS[of]
            return Twin(name, of, sabotage, on or known.on, known.small if small is None else small, experiment)

        _pending.append(complete)
        return experiment

    return declare


def gather() -> None:
    """Import every module of this package, so that all proofs and twins are known."""
    folder = Path(__file__).parent
    for module in iter_modules([str(folder)]):
        if not module.name.startswith(("test_", "__")):
            import_module(f"{__package__}.{module.name}")
    while _pending:
        each = _pending.pop(0)()
        assert each.name not in TWINS, f"two twins are called {each.name}"
        TWINS[each.name] = each


def twins_of(name: str) -> list[Twin]:
    """The sabotages of one proof."""
    return [each for each in TWINS.values() if each.of == name]


def why_not(kind: str) -> str | None:
    """Why this kind of database is not to be had here; None when it is."""
    given = kind == SQLITE or os.environ.get("WMS_TEST_PG_URL")
    return None if given else postgres.why_not()


@contextmanager
def standing_on_sqlite(template: Callable[[], Path], folder: Path, seed: int = SEED) -> Iterator[Ground]:
    """A ground whose databases are copies of the file that `template` gives, asked when one is wanted."""
    numbers = count(1)

    def copy() -> str:
        path = folder / f"chuwei-{next(numbers)}.db"
        shutil.copyfile(template(), path)
        return f"sqlite:///{path}"

    ground = Ground(SQLITE, folder, seed, copy)
    try:
        yield ground
    finally:
        ground.close()


@contextmanager
def standing_on_postgresql(server: postgres.Server, template: str, folder: Path, seed: int = SEED) -> Iterator[Ground]:
    """A ground whose databases are copies of the database `template` and are dropped in the end."""
    made: list[str] = []

    def copy() -> str:
        made.append(server.create("proof", template))
        return server.url(made[-1])

    ground = Ground(POSTGRESQL, folder, seed, copy)
    try:
        yield ground
    finally:
        ground.close()
        for name in made:
            server.drop(name)
