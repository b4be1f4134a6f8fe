"""The mutation script breaks what decides, one thing at a time, and leaves alone what only tells."""

from __future__ import annotations

import ast
import textwrap

import pytest

from scripts import mutation
from scripts.mutations.mutants import Mutant, mutants_of
from scripts.mutations.trial import ROOT, Verdict


def broken(source: str) -> set[str]:
    """The mutants of a small source, each as its changed lines."""
    text = textwrap.dedent(source)
    whole = set(ast.unparse(ast.parse(text)).splitlines())
    return {line.strip() for mutant in mutants_of(text) for line in mutant.source.splitlines() if line not in whole}


@pytest.mark.parametrize(
    ("source", "among"),
    [
        (
            "def f(a):\n    return a >= 3",
            {"return a > 3", "return a < 3", "return a >= 4", "return a >= 2", "return None"},
        ),
        ("def f(a, b):\n    return a + b", {"return a - b"}),
        ("def f(a, b):\n    return a and b", {"return a or b", "return a", "return b"}),
        ("def f(a):\n    if not a:\n        raise ValueError", {"if a:", "if True:", "if False:", "pass"}),
        ("def f(a):\n    g(a)", {"pass"}),
        ("q = update(t).where(t.a == 1, t.b.is_(None))", {"q = update(t).where(t.a == 1)", "q = update(t)"}),
        ("q = t.b.is_(None)", {"q = t.b.is_not(None)"}),
        ("def f():\n    try:\n        g()\n    except KeyError:\n        return 1", {"raise"}),
    ],
)
def test_every_small_mistake_is_made(source: str, among: set[str]) -> None:
    assert among <= broken(source)


@pytest.mark.parametrize(
    "source",
    [
        '"""A docstring."""',
        "from a import b",
        "def f(a: int | None = None) -> str | None: ...",
        "Answer = dict[str, int] | list[int]",
    ],
)
def test_what_decides_nothing_is_left_alone(source: str) -> None:
    assert mutants_of(source) == []


def test_each_mutant_is_another_source_that_can_be_compiled() -> None:
    for target in mutation.TARGETS:
        mutants = mutants_of((ROOT / target.path).read_text(encoding="utf-8"))
        assert len({mutant.source for mutant in mutants}) == len(mutants) > 5, target.path
        for mutant in mutants:
            compile(mutant.source, target.path, "exec")


def test_a_survivor_without_a_reason_fails_the_run(capsys: pytest.CaptureFixture[str]) -> None:
    odd = Mutant(1, "never written", "anywhere", "")
    noticed = [Verdict("x.py", odd, "test")] * 99
    assert mutation._tell([*noticed, Verdict("x.py", odd, "")], json_too=False) == 1
    assert "not explained: x.py:1" in capsys.readouterr().out
    assert mutation._tell(noticed, json_too=False) == 0


def test_too_few_noticed_fails_the_run() -> None:
    odd = Mutant(1, "a", "b", "")
    assert mutation._tell([Verdict("x.py", odd, "test"), Verdict("x.py", odd, "")], json_too=False) == 1
