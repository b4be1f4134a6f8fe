"""Runs proofs and their sabotages outside of pytest and prints the table: what `scripts/prove.py` becomes.

Exit code 1 when a proof broke or fell over, or when a sabotage went unseen; 2 when there is no proof of that name.
One after the other; a row is written as soon as its run is over, so that one that was ended leaves the earlier row.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence, Set
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.benches.calibration import postgresql_commits_per_s, sqlite_commits_per_s
from tests import postgres, schema
from tests.proofs import frame, table
from tests.proofs.frame import BOTH, PROOFS, SQLITE, Ground, Proof, Twin
from tests.proofs.table import Line

CALIBRATION_S = 2.0


class Grounds:
    """Makes grounds of both kinds; each kind is prepared and its bare machine measured when first asked for.

    PostgreSQL is the server of WMS_TEST_PG_URL, else a cluster of its own with fsync on: the rates are to be honest.
    """

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder = folder
        self._stack = stack
        self._server: postgres.Server | None = None
        self._template = ""
        self._commits_per_s: dict[str, float] = {}

    @contextmanager
    def ground(self, kind: str, seed: int) -> Iterator[Ground]:
        """A ground of this kind in an empty folder of its own."""
        self.commits_per_s(kind)
        folder = Path(tempfile.mkdtemp(prefix="ground-", dir=self._folder))
        if kind == SQLITE:
            with frame.standing_on_sqlite(self._sqlite_template, folder, seed) as ground:
                yield ground
        else:
            assert self._server is not None
            with frame.standing_on_postgresql(self._server, self._template, folder, seed) as ground:
                yield ground

    def commits_per_s(self, kind: str, *, again: bool = False) -> float:
        """Commits per second of a bare connection to this kind, measured in this run; `again`: just now."""
        if again or kind not in self._commits_per_s:
            self._commits_per_s[kind] = self._sqlite() if kind == SQLITE else self._postgresql()
        return self._commits_per_s[kind]

    def _sqlite(self) -> float:
        for left in self._folder.glob("raw.db*"):
            left.unlink()
        return sqlite_commits_per_s(self._folder / "raw.db", CALIBRATION_S)

    def _sqlite_template(self) -> Path:
        template = self._folder / "template.db"
        if not template.exists():
            schema.build(f"sqlite:///{template}")
        return template

    def _postgresql(self) -> float:
        server = self._server or self._started()
        raw = server.create("raw")
        try:
            return postgresql_commits_per_s(server.url(raw), CALIBRATION_S)
        finally:
            server.drop(raw)

    def _started(self) -> postgres.Server:
        server = self._stack.enter_context(postgres.server(fsync="WMS_TEST_PG_URL" not in os.environ))
        self._template = server.create("template")
        self._stack.callback(server.drop, self._template)
        schema.build(server.url(self._template))
        self._server = server
        return server


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    given = _parser().parse_args(arguments)
    frame.gather()
    unknown = [name for name in given.names if name not in PROOFS]
    if unknown:
        print(f"no proof is called {', '.join(unknown)}; there are: {', '.join(sorted(PROOFS))}", file=sys.stderr)
        return 2
    if given.list:
        _tell_what_there_is(given)
        return 0
    lines = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chuwei-proofs-")))
        for line in _run(Grounds(folder, stack), given):
            print(line.json() if given.json else line.sentence(), flush=True)
            lines.append(line)
            _keep(line, given)
    if not given.json:
        print(f"\n{table.markdown(lines)}")
    return 0 if all(line.good for line in lines) else 1


def _keep(line: Line, given: argparse.Namespace) -> None:
    """At once: a long run may be ended."""
    if given.write:
        table.write([line])
    if given.resume:
        with given.resume.open("a", encoding="utf-8") as journal:
            journal.write(f"{line.json()}\n")


def _over(journal: Path | None) -> set[tuple[str, str]]:
    """Name and database of what a journal says came out well."""
    if journal is None or not journal.exists():
        return set()
    lines = [json.loads(line) for line in journal.read_text(encoding="utf-8").splitlines()]
    return {(line["name"], line["database"]) for line in lines if line["good"]}


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="prove.py",
        description="Prove the promises under fire.",
        epilog="All small sizes take some minutes, all full ones some hours; --list says how long each full one took.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="proofs to run, each with its sabotages (all)")
    parser.add_argument("--full", action="store_true", help="the sizes of the goals instead of those of the tests")
    parser.add_argument("--on", choices=BOTH, help="one kind of database only (both)")
    parser.add_argument("--seed", type=int, default=frame.SEED, help="another seed for whatever is left to chance")
    parser.add_argument("--no-twins", action="store_true", help="leave the sabotages out")
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of a table")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reference/proofs.md")
    parser.add_argument(
        "--resume", type=Path, metavar="FILE", help="keep a journal; what stands there is not run again"
    )
    parser.add_argument("--list", action="store_true", help="only tell the proofs, their goals and how long they took")
    return parser


def _tell_what_there_is(given: argparse.Namespace) -> None:
    for name in given.names or sorted(PROOFS):
        known = PROOFS[name]
        times = ", ".join(f"{kind} {table.took(name, kind) or 'never measured'}" for kind in known.on)
        print(f"{name}: {known.goal} (full: {times}; sabotages: {len(frame.twins_of(name))})")


def _run(grounds: Grounds, given: argparse.Namespace) -> Iterator[Line]:
    over = _over(given.resume)
    for name in given.names or sorted(PROOFS):
        known = PROOFS[name]
        sizes = known.full if given.full else known.small
        yield from _on_each(grounds, known, sizes, given, over)
        for twin in [] if given.no_twins else frame.twins_of(name):
            yield from _on_each(grounds, twin, twin.small, given, over)


def _on_each(
    grounds: Grounds,
    what: Proof | Twin,
    sizes: frame.Sizes,
    given: argparse.Namespace,
    over: Set[tuple[str, str]],
) -> Iterator[Line]:
    for kind in what.on:
        if given.on not in (None, kind) or (what.name, kind) in over:
            continue
        lacking = frame.why_not(kind)
        if lacking:
            print(f"{what.name} on {kind} is left out: {lacking}", file=sys.stderr)
            continue
        raw = grounds.commits_per_s(kind, again=given.full and isinstance(what, Proof))
        yield _line(grounds, what, kind, sizes, given.seed, raw)


def _line(grounds: Grounds, what: Proof | Twin, kind: str, sizes: frame.Sizes, seed: int, raw: float) -> Line:
    began_s = time.monotonic()
    try:
        with grounds.ground(kind, seed) as ground:
            outcome, fell = what.experiment(ground, **sizes), ""
    except Exception as error:  # noqa: BLE001 - one experiment that falls over must not hide the others; the line says so
        traceback.print_exc()
        outcome, fell = frame.Outcome("", ()), f"{type(error).__name__}: {error}".splitlines()[0]
    return Line(what, kind, outcome, fell, time.monotonic() - began_s, raw)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # whoever is told to stop still cleans up behind himself
    sys.exit(main())
