"""A small day lived for real: server, gateways, simulated machines and people, all as processes and over sockets."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from wms.cli import main
from wms.demo.plan import plan_day

COUNT = 25
DAY_S_MAX = 400
NEEDED = {
    "orders": int,
    "lines": int,
    "parcels": int,
    "shipped": int,
    "explained": int,
    "wrong_diverts": int,
    "audit_ok": bool,
    "walk_m": int,
    "walk_sshape_m": int,
    "seconds": float,
}
FAULTS = {
    "cancelled after its label",
    "full chute",
    "gateway killed",
    "no-read",
    "printer out of paper",
    "short pick",
}

pytestmark = pytest.mark.slow


def live(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the last object on standard output, standard error."""
    words = [sys.executable, "-m", "wms.cli", "demo", "--no-serve", "--json", *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("WMS_")}
    environment["PYTHONPATH"] = str(Path(__file__).parents[2])
    done = subprocess.run(
        words, cwd=folder, env=environment, capture_output=True, text=True, timeout=DAY_S_MAX, check=False
    )
    lines = done.stdout.strip().splitlines()
    return done.returncode, json.loads(lines[-1]) if lines else {}, done.stderr


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, dict[str, Any], str]:
    """One day, looked at by all tests of this file."""
    folder = tmp_path_factory.mktemp("day")
    return folder, *live(folder, "--count", str(COUNT), "--seed", "5", "--db", "park.db", "--keep", "kept")


def test_a_day_ends_well_and_says_so_in_one_object(lived: tuple[Path, int, dict[str, Any], str]) -> None:
    _folder, code, told, said = lived
    assert code == 0, said
    assert {name: type(told[name]) for name in NEEDED} == NEEDED
    assert told["orders"] == COUNT
    assert told["lines"] == sum(len(order.lines) for order in plan_day(5, COUNT).orders)
    assert told["shipped"] + told["explained"] == told["orders"]
    assert told["wrong_diverts"] == 0
    assert told["audit_ok"] is True
    assert 0 < told["walk_m"] <= told["walk_sshape_m"]
    assert told["troubles"] == []


def test_what_was_to_go_wrong_went_wrong_and_ended_well(lived: tuple[Path, int, dict[str, Any], str]) -> None:
    _folder, _code, told, _said = lived
    assert set(told["faults"]) >= FAULTS
    assert told["reasons"]["cancelled by the buyer"] == 1
    assert told["explained"] == sum(told["reasons"].values())


def test_everything_left_by_a_courier_s_signed_manifest_but_the_stopped_parcel(
    lived: tuple[Path, int, dict[str, Any], str],
) -> None:
    folder, _code, told, _said = lived
    with sqlite3.connect(folder / "park.db") as database:
        states = dict(database.execute("SELECT state, count(*) FROM parcel GROUP BY state"))
        unsigned = database.execute(
            "SELECT count(*) FROM manifest WHERE signed_by IS NULL OR signed_by = ''"
        ).fetchone()
    assert states == {"handed_over": told["parcels"] - 1, "cancelled": 1}
    assert unsigned == (0,)


def test_each_label_was_printed_on_paper_once(lived: tuple[Path, int, dict[str, Any], str]) -> None:
    folder, _code, told, _said = lived
    assert len(list((folder / "kept" / "labels").rglob("*.png"))) >= told["parcels"]


def test_no_process_is_left(lived: tuple[Path, int, dict[str, Any], str]) -> None:
    folder, *_ = lived
    if not Path("/proc/self/cmdline").exists():
        pytest.skip("looks into /proc")
    left = [
        text for path in Path("/proc").glob("[0-9]*/cmdline") if str(folder) in (text := _read(path)) and "demo" in text
    ]
    assert left == []


def _read(path: Path) -> str:
    try:
        return path.read_text(errors="replace").replace("\0", " ")
    except OSError:
        return ""


def test_a_database_of_somebody_else_is_refused_and_left_alone(
    tmp_path: Path, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["demo", "--no-serve", "--db", database_url, "--keep", str(tmp_path / "kept")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "was not made by wms demo" in said


def test_a_file_that_is_no_database_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear customer, " * 500, "utf-8")
    assert main(["demo", "--no-serve", "--db", str(letter), "--keep", str(tmp_path / "kept")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "cannot open the database" in said
    assert letter.read_text("utf-8").startswith("Dear customer")


def test_a_server_that_is_not_there_is_said_in_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    url = f"postgresql://nobody@/none?host={tmp_path}"
    assert main(["demo", "--no-serve", "--db", url, "--keep", str(tmp_path / "kept")]) == 2
    said = capsys.readouterr().err.strip()
    assert "\n" not in said
    assert "cannot open the database" in said
