"""Published problems: unpacked from their archives, solved by the commands people use, beside best values."""

from __future__ import annotations

import csv
import io
import json
import random
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from wms.optimise.bench.route import bench_route

Row = dict[str, Any]

SAME = 1e-9  # relative: lengths are compared as decimal numbers of the file


class Published:
    """The sets of one folder; of each set at most `sample` files, drawn from a fixed seed, when one is given."""

    def __init__(self, data: Path, folder: Path, sample: int | None) -> None:
        self._data, self._folder, self._sample = data, folder, sample

    def best(self, name: str, part: str = "") -> dict[str, float]:
        """Best known length by unpacked file, of those whose path holds `part`; empty where the set is not there."""
        table = self._data / f"{name}_bks.csv"
        if not table.is_file():
            print(f"{name}: left out, {table} is not there", file=sys.stderr)
            return {}
        with table.open(encoding="utf-8") as text:
            rows = [row for row in csv.DictReader(text) if row["best_known"] and part in row["file"]]
        if self._sample is not None and len(rows) > self._sample:
            rows = random.Random(7).sample(rows, self._sample)
        self._unpack(name)
        return {str(self._folder / name / row["file"]): float(row["best_known"]) for row in rows}

    def _unpack(self, name: str) -> None:
        if not (self._folder / name).is_dir():
            with tarfile.open(self._data / f"{name}.tar.gz") as archive:
                archive.extractall(self._folder / name, filter="data")

    def routes(self, figure: str) -> Iterator[Row]:
        """R1: every tour optimal. R2: cells and tour chosen together."""
        best = self.best("sprp" if figure == "R1" else "sprp_scattered")
        if best:
            answers = routed(list(best))
            yield _single(best, answers) if figure == "R1" else _scattered(best, answers)


def routed(files: list[str]) -> list[Row]:
    """What `wms bench route` answers to the files."""
    out = io.StringIO()
    if bench_route(files, out, sys.stderr) != 0:
        raise SystemExit("a published file could not be read")
    return [json.loads(line) for line in out.getvalue().splitlines()]


def _gaps(best: dict[str, float], answers: list[Row]) -> list[float]:
    gaps = [answer["length"] / best[answer["file"]] - 1 for answer in answers]
    for answer, gap in zip(answers, gaps, strict=True):
        if (
            gap < -SAME
            or (answer["optimal"] and gap > SAME)
            or answer["lower_bound"] > best[answer["file"]] * (1 + SAME)
        ):
            raise SystemExit(f"{answer['file']}: the answer contradicts the proved best value")
    return gaps


def spread(values: list[float]) -> tuple[float, float]:
    """Mean and 95th percentile."""
    return sum(values) / len(values), sorted(values)[min(len(values) - 1, round(0.95 * len(values)))]


def _single(best: dict[str, float], answers: list[Row]) -> Row:
    gaps = _gaps(best, answers)
    optimal = sum(gap <= SAME for gap in gaps)
    mean_ms, p95_ms = spread([answer["cpu_ms"] for answer in answers])
    return {
        "figure": "R1",
        "what": "published single tours (SPRP)",
        "goal": "all optimal",
        "files": len(gaps),
        "optimal": optimal,
        "mean_gap_pct": round(100 * sum(gaps) / len(gaps), 3),
        "mean_cpu_ms": round(mean_ms, 2),
        "p95_cpu_ms": round(p95_ms, 2),
        "reached": optimal == len(gaps),
    }


def _scattered(best: dict[str, float], answers: list[Row]) -> Row:
    gaps = _gaps(best, answers)
    share, mean = sum(gap <= SAME for gap in gaps) / len(gaps), 100 * sum(gaps) / len(gaps)
    mean_ms, p95_ms = spread([answer["cpu_ms"] for answer in answers])
    return {
        "figure": "R2",
        "what": "published tours with several slots per SKU (SPRP-SS)",
        "goal": "mean <= 0.5 %, >= 80 % optimal, <= 100 ms",
        "files": len(gaps),
        "optimal": sum(gap <= SAME for gap in gaps),
        "proved": sum(answer["optimal"] for answer in answers),
        "mean_gap_pct": round(mean, 3),
        "worst_gap_pct": round(100 * max(gaps), 2),
        "mean_cpu_ms": round(mean_ms, 1),
        "p95_cpu_ms": round(p95_ms, 1),
        "reached": mean <= 0.5 and share >= 0.8 and mean_ms <= 100,
    }
