"""The lines in which the figures of proofs are told: for people, for programs, for docs/reference/proofs.md."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tests.proofs.frame import PROOFS, TWINS, Outcome, Proof, Twin

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "proofs.md"
BROKEN_SHOWN_MAX = 3

_HEAD = """# Proofs

<!-- made by scripts/prove.py --full --write; rows of proofs that were not run stay as they were -->

What the [promises](promises.md) survived, in figures that were measured, not hoped for. Each proof stands in
`tests/proofs/` and runs small with every test run; the sizes here are those of `scripts/prove.py --full`. Under each
stand its sabotages: the same experiment with one guard taken away. They have to break, or the proof sees nothing.

A rate means little without its machine: beside each stands what a bare connection could commit per second just before
(eight statements a commit, on the disk before it is answered), and how long the whole of it took.

"""
_COLUMNS = (
    "| proof | database | size | result | seen | rate | raw commits/s | took |\n|---|---|---|---|---|---|---|---|\n"
)
_CELLS = 8


@dataclass(frozen=True)
class Line:
    """One run of a proof or a sabotage on one kind of database. `fell` says what made it fall over, if it did."""

    what: Proof | Twin
    kind: str
    outcome: Outcome
    fell: str
    seconds: float
    raw_commits_per_s: float

    @property
    def good(self) -> bool:
        """A proof that held, or a sabotage that was seen."""
        return not self.fell and bool(self.outcome.broken) is isinstance(self.what, Twin)

    @property
    def result(self) -> str:
        if self.fell:
            return f"FELL OVER: {self.fell}"
        if isinstance(self.what, Twin):
            return "breaks, as it must" if self.good else "NOT SEEN"
        return "holds" if self.good else "BROKEN"

    def sentence(self) -> str:
        """The line for who watches."""
        said = [each.splitlines()[0] if self.good else each for each in self.outcome.broken[:BROKEN_SHOWN_MAX]]
        broken = "".join(f"\n    {each}" for each in said)
        more = len(self.outcome.broken) - BROKEN_SHOWN_MAX
        facts = " ".join(f"{name}={value}" for name, value in self.outcome.facts.items())
        return (
            f"{self.what.name} on {self.kind}: {self.result} ({self.outcome.size}; {facts}; {self._rate()}; "
            f"{self.seconds:.1f} s){broken}" + (f"\n    and {more} more" if more > 0 else "")
        )

    def json(self) -> str:
        """The line for programs."""
        outcome = self.outcome
        line = {
            "name": self.what.name,
            "sabotage_of": self.what.of if isinstance(self.what, Twin) else None,
            "database": self.kind,
            "size": outcome.size,
            "result": self.result,
            "good": self.good,
            "broken": outcome.broken[:BROKEN_SHOWN_MAX],
            "broken_count": len(outcome.broken),
            "rate": outcome.rate,
            "unit": outcome.unit,
            "raw_commits_per_s": round(self.raw_commits_per_s),
            "facts": dict(outcome.facts),
            "seconds": round(self.seconds, 1),
        }
        return json.dumps(line, ensure_ascii=False, default=str)

    def row(self) -> str:
        """The line of the page."""
        name = f"`{self.what.name}`"
        if isinstance(self.what, Twin):
            name = f"— `{self.what.name}`: {self.what.sabotage}"
        facts = ", ".join(f"{key} {value}" for key, value in self.outcome.facts.items())
        raw, took = f"{self.raw_commits_per_s:,.0f}", f"{self.seconds:,.0f} s"
        cells = (name, self.kind, self.outcome.size, self.result, facts, self._rate(), raw, took)
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def _rate(self) -> str:
        return "" if self.outcome.rate is None else f"{self.outcome.rate:,.0f} {self.outcome.unit}"


def markdown(lines: Iterable[Line]) -> str:
    """All lines as one table."""
    return _COLUMNS + "".join(f"{line.row()}\n" for line in lines)


def write(lines: Iterable[Line]) -> None:
    """Put these rows into the page; rows of what was not run stay, rows of what is no more go."""
    rows = rows_there() | {(line.what.name, line.kind): line.row() for line in lines}
    page = [_HEAD]
    for name in sorted(PROOFS):
        known = [f"{rows[key]}\n" for key in _keys_of(name) if key in rows]
        if known:
            page += [f"## {name}\n\n{_goal(PROOFS[name])}\n\n{_COLUMNS}", *known, "\n"]
    PAGE.write_text("".join(page).rstrip() + "\n", encoding="utf-8")


def _goal(proof: Proof) -> str:
    numbers = ", ".join(map(str, proof.promises))
    command = f"`python3 scripts/prove.py {proof.name} --full --write`"
    return f"Promise{'s' * (len(proof.promises) > 1)} {numbers}. Goal: {proof.goal}. Made by {command}."


def _keys_of(name: str) -> list[tuple[str, str]]:
    family: list[Proof | Twin] = [PROOFS[name], *(each for each in TWINS.values() if each.of == name)]
    return [(each.name, kind) for each in family for kind in each.on]


def rows_there() -> dict[tuple[str, str], str]:
    """The rows the page has, by name and database."""
    if not PAGE.exists():
        return {}
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith(("| `", "| — `"))]
    return {(row.split("`")[1], row.split(" | ")[1]): _whole(row) for row in rows}


def _whole(row: str) -> str:
    """A row of when pages had fewer columns."""
    return row + "  |" * (_CELLS + 1 - row.replace("\\|", "").count("|"))


def took(name: str, kind: str) -> str:
    """How long the page says this took on this kind of database; empty when it does not say."""
    row = rows_there().get((name, kind), "")
    return row.rsplit("|", 2)[1].strip() if row else ""
