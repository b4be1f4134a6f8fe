"""`wms bench slot`: every policy over the same weeks, one JSON line each."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np

from wms.optimise.bench.slot.hall import HALL, SLOTS
from wms.optimise.bench.slot.orders import Season, read_columns, read_orders, season_of
from wms.optimise.bench.slot.policies import MEAN_OF_SEEDS, POLICIES, START_WEEK, Layout
from wms.optimise.bench.text import FileError
from wms.optimise.twin import tour_lengths_mm

WORK_DAYS = 6
MOVE_M = 120
DUMPED_SEED = 1


@dataclass(frozen=True)
class Weeks:
    """The weeks that are summed, both included."""

    first: int
    last: int

    def __contains__(self, week: int) -> bool:
        return self.first <= week <= self.last

    @property
    def count(self) -> int:
        return self.last - self.first + 1


@dataclass(frozen=True)
class Walked:
    """What a policy walked and moved in the weeks that are summed."""

    metres: float
    moves: float
    tours: int


@dataclass(frozen=True)
class Asked:
    """The experiment somebody asked for: the weeks to sum (to the file's last without `last`), a folder to dump to."""

    file: str
    first: int = START_WEEK
    last: int | None = None
    small_orders: bool = False
    shuffle: bool = False
    seed: int = 1
    dump: str | None = None
    columns: str | None = None


def bench_slot(asked: Asked, out: TextIO, err: TextIO) -> int:
    """Run the experiment; 0, or 2 with one line on `err` when file, weeks or folder are no good."""
    try:
        if asked.seed < 0:
            raise FileError(0, "the seed must be a whole number from 0")
        orders = read_orders(Path(asked.file), read_columns(asked.columns))
        shuffle_from = 0 if asked.shuffle else None
        season = season_of(orders, small_orders=asked.small_orders, shuffle_from=shuffle_from, seed=asked.seed)
        weeks = _weeks(season, asked.first, asked.last)
        folder = _folder(asked.dump)
    except FileError as error:
        print(f"{asked.file}: {error}", file=err)
        return 2
    base: float | None = None
    for name in POLICIES:
        walked = run_policy(season, name, weeks, asked.seed, folder)
        base = walked.metres if base is None else base
        print(json.dumps(_answer(name, walked, base, weeks)), file=out, flush=True)
    return 0


def _folder(name: str | None) -> Path | None:
    if name is None:
        return None
    try:
        Path(name).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileError(0, f"--dump {name}: {error.strerror}") from error
    return Path(name)


def _weeks(season: Season, first: int, last: int | None) -> Weeks:
    weeks = Weeks(first, len(season.weeks) - 1 if last is None else last)
    if not START_WEEK <= weeks.first <= weeks.last < len(season.weeks):
        raise FileError(0, f"weeks must lie between {START_WEEK} and {len(season.weeks) - 1}, the last of the file")
    return weeks


def _answer(name: str, walked: Walked, base: float, weeks: Weeks) -> dict[str, object]:
    return {
        "policy": name,
        "metres": round(walked.metres),
        "ratio": round(walked.metres / base, 4),
        "net_ratio": round((walked.metres + MOVE_M * walked.moves) / base, 4),
        "moves_per_day": round(walked.moves / (WORK_DAYS * weeks.count), 2),
        "tours": walked.tours,
    }


def run_policy(season: Season, name: str, weeks: Weeks, seed: int, dump: Path | None = None) -> Walked:
    """Walk one policy from week 8 on; sums over `weeks` only. Dumps the layouts of seed 1 where seeds are averaged."""
    seeds = MEAN_OF_SEEDS.get(name, (seed,))
    runs = []
    for one in seeds:
        layouts = POLICIES[name](season, weeks.last, one)
        if dump is not None and (one == DUMPED_SEED or len(seeds) == 1):
            layouts = _dumped(layouts, season, dump / f"{name}.csv")
        runs.append(_walk(season, layouts, weeks))
    return Walked(
        float(np.mean([run.metres for run in runs])), float(np.mean([run.moves for run in runs])), runs[0].tours
    )


def _walk(season: Season, layouts: Iterator[Layout], weeks: Weeks) -> Walked:
    metres, moves, tours = 0.0, 0, 0
    for layout in layouts:
        if layout.week in weeks:
            metres += week_metres(season, layout)
            moves += layout.moves
            tours += season.weeks[layout.week].tours
    return Walked(metres, moves, tours)


def week_metres(season: Season, layout: Layout) -> float:
    """Metres of all tours of a week under a layout."""
    stops = season.weeks[layout.week].stops(layout.place)
    return float(tour_lengths_mm(HALL, stops).sum()) / 1000.0


def _dumped(layouts: Iterator[Layout], season: Season, path: Path) -> Iterator[Layout]:
    with path.open("w", encoding="utf-8", newline="") as text:
        rows = csv.writer(text, lineterminator="\n")
        rows.writerow(["week", "sku", "aisle", "side", "bay", "level"])
        for layout in layouts:
            rows.writerows(_rows(layout, season.codes))
            yield layout


def _rows(layout: Layout, codes: Sequence[str]) -> Iterator[list[object]]:
    for code, slot in zip(codes, SLOTS[layout.place].tolist(), strict=True):
        yield [layout.week, code, *slot]
