"""The runner of the proofs tells the truth: about what broke, what fell over, and what a sabotage did not break."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.proofs import frame, table
from tests.proofs.__main__ import main
from tests.proofs.frame import SQLITE, Ground, Outcome, Proof, Twin
from tests.proofs.table import Line

HELD, BROKE = Outcome("2 rounds", (), 3.0, "rounds/s", {"lost": 0}), Outcome("2 rounds", ("one was lost",))


def held(ground: Ground) -> Outcome:
    return HELD


def broke(ground: Ground) -> Outcome:
    return BROKE


def fell(ground: Ground) -> Outcome:
    raise ZeroDivisionError("nothing to divide")


def a_proof(experiment: frame.Experiment) -> Proof:
    return Proof("storm", (2,), (SQLITE,), {}, {}, "nothing is lost", experiment)


def a_twin(experiment: frame.Experiment) -> Twin:
    return Twin("no_key", "storm", "no key", (SQLITE,), {}, experiment)


@pytest.fixture
def only(monkeypatch: pytest.MonkeyPatch) -> object:
    """These are all the proofs there are. What the machine can do is looked at briefly."""
    frame.gather()
    monkeypatch.setattr("tests.proofs.__main__.CALIBRATION_S", 0.05)

    def set_up(proof: Proof, twin: Twin) -> None:
        for known, one in ((frame.PROOFS, proof), (frame.TWINS, twin)):
            for name in list(known):
                monkeypatch.delitem(known, name)
            monkeypatch.setitem(known, one.name, one)

    return set_up


@pytest.mark.parametrize(
    ("proof", "twin", "code", "results"),
    [
        (held, broke, 0, ["holds", "breaks, as it must"]),
        (broke, broke, 1, ["BROKEN", "breaks, as it must"]),
        (held, held, 1, ["holds", "NOT SEEN"]),
        (fell, broke, 1, ["FELL OVER: ZeroDivisionError: nothing to divide", "breaks, as it must"]),
        (held, fell, 1, ["holds", "FELL OVER: ZeroDivisionError: nothing to divide"]),
    ],
)
def test_only_a_proof_that_holds_and_a_sabotage_that_is_seen_are_good(
    only: object,
    capsys: pytest.CaptureFixture[str],
    proof: frame.Experiment,
    twin: frame.Experiment,
    code: int,
    results: list[str],
) -> None:
    only(a_proof(proof), a_twin(twin))  # type: ignore[operator]
    assert main(["--json"]) == code
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [line["result"] for line in lines] == results
    assert all(line["raw_commits_per_s"] > 0 for line in lines), "no rate without its machine"


def test_an_unknown_proof_is_named(only: object, capsys: pytest.CaptureFixture[str]) -> None:
    only(a_proof(held), a_twin(broke))  # type: ignore[operator]
    assert main(["stor"]) == 2
    assert "stor; there are: storm" in capsys.readouterr().err


def test_rows_of_what_was_not_run_stay_on_the_page(
    only: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proof, twin = a_proof(held), a_twin(broke)
    only(proof, twin)  # type: ignore[operator]
    monkeypatch.setattr(table, "PAGE", tmp_path / "proofs.md")
    table.write([Line(proof, SQLITE, HELD, "", 1.0, 500.0), Line(twin, SQLITE, BROKE, "", 1.0, 500.0)])
    table.write([Line(proof, SQLITE, HELD, "", 1.0, 700.0)])
    page = table.PAGE.read_text(encoding="utf-8")
    assert "| `storm` | sqlite | 2 rounds | holds | lost 0 | 3 rounds/s | 700 | 1 s |" in page
    assert "| — `no_key`: no key | sqlite | 2 rounds | breaks, as it must |" in page
    assert "500" in page
    assert "Promise 2. Goal: nothing is lost. Made by `python3 scripts/prove.py storm --full --write`." in page


def test_a_row_of_a_page_with_fewer_columns_is_kept_and_filled_up(
    only: object, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(a_proof(held), a_twin(broke))  # type: ignore[operator]
    monkeypatch.setattr(table, "PAGE", tmp_path / "proofs.md")
    table.PAGE.write_text("| `storm` | sqlite | a \\| b | holds | lost 0 | 3 rounds/s | 500 |\n", encoding="utf-8")
    table.write([])
    assert "| `storm` | sqlite | a \\| b | holds | lost 0 | 3 rounds/s | 500 |  |\n" in table.PAGE.read_text("utf-8")
    table.write([])
    assert table.PAGE.read_text("utf-8").count("500 |  |\n") == 1
    assert table.took("storm", SQLITE) == ""


def test_a_run_that_was_ended_goes_on_where_it_was(
    only: object, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """What came out well is not run again; what broke is."""
    journal = tmp_path / "journal.jsonl"
    only(a_proof(held), a_twin(held))  # type: ignore[operator]
    assert main(["--json", "--resume", str(journal)]) == 1
    only(a_proof(fell), a_twin(broke))  # type: ignore[operator]
    capsys.readouterr()
    assert main(["--json", "--resume", str(journal)]) == 0
    (again,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert (again["name"], again["result"]) == ("no_key", "breaks, as it must")


def test_the_list_tells_goals_and_how_long_each_took(
    only: object, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    proof = a_proof(fell)
    only(proof, a_twin(broke))  # type: ignore[operator]
    monkeypatch.setattr(table, "PAGE", tmp_path / "proofs.md")
    assert main(["--list"]) == 0
    assert capsys.readouterr().out == "storm: nothing is lost (full: sqlite never measured; sabotages: 1)\n"
    table.write([Line(proof, SQLITE, HELD, "", 90.0, 500.0)])
    assert main(["--list"]) == 0
    assert "full: sqlite 90 s" in capsys.readouterr().out
