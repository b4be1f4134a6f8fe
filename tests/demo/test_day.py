"""A small day lived for real: server, gateways, simulated machines and people, all as processes and over sockets."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from wms.cli import main
from wms.demo.plan import plan_day

COUNT, SEED = 25, 5
END_S = 180.0
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


@dataclass(frozen=True)
class Lived:
    """What a run left: its folder, what it told, what it said, what its open house answered, how it ended."""

    folder: Path
    told: dict[str, Any]
    said: str
    served: dict[str, int]
    code: int


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """One day and the open house after it, looked at by all tests of this file; ended by Ctrl+C."""
    folder = tmp_path_factory.mktemp("day")
    words = [sys.executable, "-m", "wms.cli", "demo", "--json", "--port", "0", "--db", "park.db", "--keep", "kept"]
    with (folder / "said").open("w+", encoding="utf-8") as said:
        process = subprocess.Popen(
            [*words, "--count", str(COUNT), "--seed", str(SEED)],
            cwd=folder,
            env=environment(),
            stdout=subprocess.PIPE,
            stderr=said,
            text=True,
        )
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            open_house = card(folder / "said", process)
            served = visit(open_house) if open_house else {}
            process.send_signal(signal.SIGINT)
            process.stdout.read()
            code = process.wait(END_S)
        finally:
            process.terminate()
            process.wait(END_S)
    return Lived(folder, json.loads(line or "{}"), (folder / "said").read_text("utf-8"), served, code)


def environment() -> dict[str, str]:
    """As a stranger's shell: no settings, this checkout, a wide window."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("WMS_")}
    return {**kept, "PYTHONPATH": str(Path(__file__).parents[2]), "COLUMNS": "160"}


def card(said: Path, process: subprocess.Popen[str]) -> str:
    """The log-in card that is shown when the house is open; nothing when it never opens."""
    until_s = time.monotonic() + END_S
    while time.monotonic() < until_s and process.poll() is None:
        text = said.read_text("utf-8")
        if "Ctrl+C" in text:
            return text[text.index("打开 open") :]
        time.sleep(0.1)
    return ""


def visit(open_house: str) -> dict[str, int]:
    """HTTP status of the doors the card names, and of a PDA's log-in with its badge and PIN and of the API's key."""
    pda = urlsplit(found(r"(http://\S+/pda/\S*)", open_house))
    terminal = urlsplit(found(r"(http://\S+/terminal/)", open_house))
    badge, pin = found(r"badge (W\d+)", open_house), found(r"PIN (\d+)", open_house)
    login = {"device": "PDA-01", "badge": badge, "pin": pin}
    key = {"Authorization": f"Bearer {found(r'key.*?([A-Za-z0-9_.-]{20,})', open_house)}"}
    return {
        "terminal": asked(terminal.netloc, "GET", terminal.path),
        "pda": asked(pda.netloc, "GET", f"{pda.path}?{pda.query}"),
        "login": asked(pda.netloc, "POST", "/pda/login", json.dumps(login), {"Content-Type": "application/json"}),
        "api": asked(pda.netloc, "GET", "/api/v1/bags", None, key),
        "stranger": asked(pda.netloc, "GET", "/api/v1/bags"),
        "order left": asked(pda.netloc, "GET", f"/api/v1/codes/{found(r'(EVE-[0-9]+)', open_house)}", None, key),
        "delivery left": asked(pda.netloc, "GET", f"/api/v1/codes/{found(r'ASN ([A-Z0-9-]+)', open_house)}", None, key),
    }


def found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, f"{pattern} is not in:\n{text}"
    return match[1]


def asked(netloc: str, method: str, path: str, body: str | None = None, headers: dict[str, str] | None = None) -> int:
    connection = http.client.HTTPConnection(netloc, timeout=END_S)
    try:
        connection.request(method, path, body, headers or {})
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_day_ends_well_and_says_so_in_one_object(lived: Lived) -> None:
    told = lived.told
    assert lived.code == 0, lived.said
    assert {name: type(told[name]) for name in NEEDED} == NEEDED
    assert told["orders"] == COUNT
    assert told["lines"] == sum(len(order.lines) for order in plan_day(SEED, COUNT).orders)
    assert told["shipped"] + told["explained"] == told["orders"]
    assert told["wrong_diverts"] == 0
    assert told["audit_ok"] is True
    assert 0 < told["walk_m"] <= told["walk_sshape_m"]
    assert told["troubles"] == []


def test_what_was_to_go_wrong_went_wrong_and_ended_well(lived: Lived) -> None:
    told = lived.told
    assert set(told["faults"]) >= FAULTS
    assert told["reasons"]["cancelled by the buyer"] == 1
    assert told["explained"] == sum(told["reasons"].values())


def test_all_parcels_left_by_signed_manifests_but_the_stopped_one(lived: Lived) -> None:
    folder, told = lived.folder, lived.told
    with sqlite3.connect(folder / "park.db") as database:
        states = dict(database.execute("SELECT state, count(*) FROM parcel GROUP BY state"))
        unsigned = database.execute(
            "SELECT count(*) FROM manifest WHERE signed_by IS NULL OR signed_by = ''"
        ).fetchone()
    assert states == {"handed_over": told["parcels"] - 1, "cancelled": 1}
    assert unsigned == (0,)


def test_each_label_was_printed_on_paper_once(lived: Lived) -> None:
    folder, told = lived.folder, lived.told
    assert len(list((folder / "kept" / "labels").rglob("*.png"))) >= told["parcels"]


def test_the_house_is_open_afterwards_to_whom_the_card_names(lived: Lived) -> None:
    assert {name: status for name, status in lived.served.items() if name != "terminal"} == {
        "pda": 200,
        "login": 200,
        "api": 200,
        "stranger": 401,
        "order left": 200,
        "delivery left": 200,
    }
    assert lived.served["terminal"] in (200, 302, 303), "a page, or the way to the log-in"


def test_no_process_is_left(lived: Lived) -> None:
    folder = lived.folder
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
