"""Runs proofs and their sabotages outside of pytest and prints the table: what `scripts/prove.py` becomes.

Exit code 1 when a proof broke or fell over, or when a sabotage went unseen; 2 when there is no proof of that name.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from scripts.benches.calibration import postgresql_commits_per_s, sqlite_commits_per_s
from tests import postgres, schema
from tests.proofs import frame, table
from tests.proofs.frame import BOTH, PROOFS, SQLITE, Ground, Proof, Twin
from tests.proofs.table import Line


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
            with frame.standing_on_sqlite(self._folder / "template.db", folder, seed) as ground:
                yield ground
        else:
            assert self._server is not None
            with frame.standing_on_postgresql(self._server, self._template, folder, seed) as ground:
                yield ground

    def commits_per_s(self, kind: str) -> float:
        """Commits per second of a bare connection to this kind, measured in this run."""
        if kind not in self._commits_per_s:
            self._commits_per_s[kind] = self._sqlite() if kind == SQLITE else self._postgresql()
        return self._commits_per_s[kind]

    def _sqlite(self) -> float:
        schema.build(f"sqlite:///{self._folder / 'template.db'}")
        return sqlite_commits_per_s(self._folder / "raw.db")

    def _postgresql(self) -> float:
        self._server = self._stack.enter_context(postgres.server(fsync="WMS_TEST_PG_URL" not in os.environ))
        self._template = self._server.create("template")
        self._stack.callback(self._server.drop, self._template)
        schema.build(self._server.url(self._template))
        raw = self._server.create("raw")
        self._stack.callback(self._server.drop, raw)
        return postgresql_commits_per_s(self._server.url(raw))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for."""
    given = _parser().parse_args(arguments)
    frame.gather()
    unknown = [name for name in given.names if name not in PROOFS]
    if unknown:
        print(f"no proof is called {', '.join(unknown)}; there are: {', '.join(sorted(PROOFS))}", file=sys.stderr)
        return 2
    lines = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="chuwei-proofs-")))
        for line in _run(Grounds(folder, stack), given):
            print(line.json() if given.json else line.sentence(), flush=True)
            lines.append(line)
            if given.write:
                table.write([line])  # at once: a long run may be ended
    if not given.json:
        print(f"\n{table.markdown(lines)}")
    return 0 if all(line.good for line in lines) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="prove.py", description="Prove the promises under fire.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="proofs to run, each with its sabotages (all)")
    parser.add_argument("--full", action="store_true", help="the sizes of the goals instead of those of the tests")
    parser.add_argument("--on", choices=BOTH, help="one kind of database only (both)")
    parser.add_argument("--seed", type=int, default=frame.SEED, help="another seed for whatever is left to chance")
    parser.add_argument("--no-twins", action="store_true", help="leave the sabotages out")
    parser.add_argument("--json", action="store_true", help="JSON Lines instead of a table")
    parser.add_argument("--write", action="store_true", help="put the figures into docs/reference/proofs.md")
    return parser


def _run(grounds: Grounds, given: argparse.Namespace) -> Iterator[Line]:
    for name in given.names or sorted(PROOFS):
        known = PROOFS[name]
        sizes = known.full if given.full else known.small
        yield from _on_each(grounds, known, sizes, given)
        for twin in [] if given.no_twins else frame.twins_of(name):
            yield from _on_each(grounds, twin, twin.small, given)


def _on_each(grounds: Grounds, what: Proof | Twin, sizes: frame.Sizes, given: argparse.Namespace) -> Iterator[Line]:
    for kind in what.on:
        if given.on not in (None, kind):
            continue
        lacking = frame.why_not(kind)
        if lacking:
            print(f"{what.name} on {kind} is left out: {lacking}", file=sys.stderr)
            continue
        yield _line(grounds, what, kind, sizes, given.seed)


def _line(grounds: Grounds, what: Proof | Twin, kind: str, sizes: frame.Sizes, seed: int) -> Line:
    raw = grounds.commits_per_s(kind)
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
