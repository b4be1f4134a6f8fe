#!/usr/bin/env python3
"""How much would the tests notice? `scripts/mutation.py [--only PATH] [--limit N] [--json] [--postgresql URL]`.

Breaks the ledger, its holds and the idempotent runner in every small way and runs their tests on each. What survives on
SQLite is tried again on PostgreSQL when `--postgresql` names a server (as WMS_TEST_PG_URL does). The survivors that are
known, each with its reason, stand in docs/reference/mutation.md; exit code 1 when one survives that is not there, or
when
fewer than 90 % are noticed.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from scripts.mutations import trial
from scripts.mutations.mutants import mutants_of
from scripts.mutations.trial import ROOT, Target, Verdict

GOAL = 0.9
KNOWN = ROOT / "docs" / "reference" / "mutation.md"
PROMISES = tuple(f"tests/ledger/test_{name}.py" for name in ("promise_facts", "touched", "promises"))
LOCKS = "tests/ledger/test_known_races.py::TestLocksInARing"
STOCK = ("tests/ledger/test_guards.py", "tests/ledger/test_stock.py")
TARGETS = (
    Target("wms/ledger/rules.py", STOCK),
    Target("wms/ledger/values.py", STOCK),
    Target("wms/ledger/service.py", STOCK, (LOCKS,)),
    Target("wms/ledger/promises.py", PROMISES),
    Target("wms/ledger/findings.py", ("tests/ledger/test_findings.py",)),
    Target("wms/core/perform.py", ("tests/core/test_perform.py",)),
)


def main(arguments: list[str] | None = None) -> int:
    """Try every mutant; 0 when enough are noticed and every survivor is explained."""
    given = _given(arguments)
    targets = [target for target in TARGETS if not given.only or given.only in target.path]
    trial.warm_up()
    with trial.built_schema() as schema:
        unsound = trial.sound(targets, schema)
        if unsound:
            print(f"the tests of {', '.join(unsound)} fail on the unbroken source", file=sys.stderr)
            return 2
        verdicts = [verdict for target in targets for verdict in _try(target, schema, given)]
    return _tell(verdicts, json_too=given.json)


def _given(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="mutation.py", description="Break the code in small ways; do tests notice?")
    parser.add_argument("--only", default="", help="only files whose path has this in it")
    parser.add_argument("--limit", type=int, default=0, help="every n-th mutant only, so that about N are tried")
    parser.add_argument("--postgresql", default=os.environ.get("WMS_TEST_PG_URL", ""), help="try survivors there too")
    parser.add_argument("--json", action="store_true", help="one line of JSON for each mutant on stdout")
    return parser.parse_args(arguments)


def _try(target: Target, schema: Path, given: argparse.Namespace) -> list[Verdict]:
    mutants = mutants_of((ROOT / target.path).read_text(encoding="utf-8"))
    step = max(1, len(mutants) // given.limit) if given.limit else 1
    found = []
    for mutant in mutants[::step]:
        began_s = time.monotonic()
        how = trial.notices(target, mutant.source, schema)
        if not how and given.postgresql:
            os.environ["WMS_TEST_PG_URL"] = given.postgresql
            how = trial.notices(target, mutant.source, schema, trial.ONLY_ON_POSTGRESQL)
        found.append(Verdict(target.path, mutant, how))
        took = f"{time.monotonic() - began_s:.1f} s"
        print(f"{how or 'SURVIVED':8} {took:>7} {target.path}:{mutant.name}", file=sys.stderr, flush=True)
    return found


def _tell(verdicts: list[Verdict], *, json_too: bool) -> int:
    known = KNOWN.read_text(encoding="utf-8") if KNOWN.exists() else ""
    survivors = [one for one in verdicts if not one.how]
    unexplained = [one for one in survivors if f"{one.mutant.before}` -> `{one.mutant.after}" not in known]
    for path in dict.fromkeys(one.path for one in verdicts):
        mine = [one for one in verdicts if one.path == path]
        print(f"{path:28} {sum(bool(one.how) for one in mine):4} of {len(mine):4} noticed")
    share = 1 - len(survivors) / len(verdicts) if verdicts else 1.0
    print(f"{'all':28} {len(verdicts) - len(survivors):4} of {len(verdicts):4} noticed: {share:.1%} (goal {GOAL:.0%})")
    for one in unexplained:
        print(f"survived, not explained: {one.path}:{one.mutant.name}")
    if json_too:
        for one in verdicts:
            print(json.dumps({"path": one.path, "mutant": one.mutant.name, "how": one.how}, ensure_ascii=False))
    return 0 if share >= GOAL and not unexplained else 1


if __name__ == "__main__":
    sys.exit(main())
