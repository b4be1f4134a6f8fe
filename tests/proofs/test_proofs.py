"""Every proof holds at its small size, and every sabotage of it is seen."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.proofs import frame
from tests.proofs.frame import POSTGRESQL, PROOFS, TWINS, Ground, Proof, Twin

frame.gather()


def _cases(known: dict[str, Any]) -> list[Any]:
    return [
        pytest.param(kind, each, id=f"{each.name}-{kind}", marks=[pytest.mark.postgres] * (kind == POSTGRESQL))
        for each in known.values()
        for kind in each.on
    ]


@pytest.fixture
def ground(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ground]:
    """A database of its own and an empty folder; skips where there is no such database."""
    folder = tmp_path / "ground"
    folder.mkdir()
    if kind == POSTGRESQL:
        server, template = request.getfixturevalue("pg_server"), request.getfixturevalue("pg_template")
        with frame.standing_on_postgresql(server, template, folder) as made:
            yield made
        return
    empty: Path = request.getfixturevalue("sqlite_template")
    with frame.standing_on_sqlite(lambda: empty, folder) as made:
        yield made


@pytest.mark.parametrize(("kind", "proof"), _cases(PROOFS))
def test_it_holds(kind: str, proof: Proof, ground: Ground) -> None:
    outcome = proof.experiment(ground, **proof.small)
    assert outcome.broken == (), f"{outcome.size}: {dict(outcome.facts)}"


@pytest.mark.parametrize(("kind", "twin"), _cases(TWINS))
def test_its_sabotage_is_seen(kind: str, twin: Twin, ground: Ground) -> None:
    outcome = twin.experiment(ground, **twin.small)
    assert outcome.broken, f"{twin.sabotage}, and nobody noticed ({outcome.size}: {dict(outcome.facts)})"


def test_every_proof_has_a_sabotage() -> None:
    assert [name for name in PROOFS if not frame.twins_of(name)] == []


def test_every_sabotage_runs_where_its_proof_does() -> None:
    assert [one.name for one in TWINS.values() if not set(one.on) <= set(PROOFS[one.of].on)] == []
