"""Whatever a person types wrong: one clear line on stderr, exit 2, and nothing half done."""

from __future__ import annotations

import shutil
import socket
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.cli.conftest import Wms
from wms.core.db import Database
from wms.settings import Settings


def digest(folder: Path) -> dict[str, bytes]:
    """Every file in a folder and what is in it; SQLite's side files come and go by themselves."""
    return {
        str(path): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.endswith(("-wal", "-shm"))
    }


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "COMMAND"),
        (["dance"], "dance"),
        (["serve", "--prot", "1"], "--prot"),
        (["serve", "--port", "many"], "many"),
        (["serve", "--port", "70000"], "WMS_PORT"),
        (["db"], "ACTION"),
        (["db", "backup"], "FILE"),
        (["keys", "create"], "--role"),
        (["keys", "create", "--role", "emperor"], "emperor"),
        (["import", "elephants", "x.csv"], "elephants"),
        (["import", "orders"], "FILE"),
        (["bench", "route"], "FILE"),
        (["bench", "batch", "x.txt"], "--time-limit"),
        (["demo", "--days", "0", "--orders", "x.csv"], "--days"),
        (["demo", "--seed", "one"], "one"),
        (["demo", "--port", "99999"], "--port"),
    ],
)
def test_a_wrong_word_is_named(wms: Wms, tmp_path: Path, words: list[str], said: str) -> None:
    assert said in wms(*words).line
    assert not digest(tmp_path)


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["audit"],
        ["audit", "--json"],
        ["db", "check"],
        ["db", "downgrade"],
        ["db", "backup", "copy.db"],
        ["keys", "create", "--role", "admin"],
        ["gateways", "invite", "--station", "PK-01", "--name", "x"],
    ],
)
def test_a_database_that_is_not_there_is_not_made(wms: Wms, tmp_path: Path, words: list[str]) -> None:
    assert "no database at" in wms(*words, "--db", "none.db").line
    assert not digest(tmp_path)


def test_a_database_that_cannot_be_opened_is_named(wms: Wms, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Sir or Madam, this is not a database.\n" * 50)
    for words in (["audit"], ["serve"], ["db", "upgrade"], ["db", "check"], ["db", "downgrade"]):
        assert "letter.db" in wms(*words, "--db", "letter.db").line
    assert "cannot open the database" in wms("audit", "--db", "martian://nowhere/x").line
    assert "cannot open the database" in wms("db", "upgrade", "--db", tmp_path / "no" / "such" / "folder.db").line


@pytest.mark.parametrize(
    "words", [["serve"], ["audit"], ["keys", "create", "--role", "admin"], ["db", "backup", "b.db"]]
)
def test_an_empty_file_is_told_to_be_upgraded(wms: Wms, tmp_path: Path, words: list[str]) -> None:
    sqlite3.connect(tmp_path / "empty.db").close()
    (tmp_path / "empty.db").touch()
    assert "wms db upgrade" in wms(*words, "--db", "empty.db").line


@pytest.mark.parametrize(
    "words",
    [
        ["serve"],
        ["audit"],
        ["db", "upgrade"],
        ["db", "downgrade"],
        ["db", "check"],
        ["db", "backup", "b.db"],
        ["keys", "create", "--role", "admin"],
        ["import", "merchants", "m.csv"],
    ],
)
def test_a_database_of_a_newer_program_is_left_alone(wms: Wms, db: Path, words: list[str]) -> None:
    db.with_name("m.csv").write_text("code,name\nM9,x\n")
    with sqlite3.connect(db) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    before = digest(db.parent)
    line = wms(*words, "--db", db).line
    assert "(9999) is newer than this program" in line
    assert digest(db.parent) == before


@pytest.mark.parametrize("kind", ["merchants", "skus", "slots", "stock", "asn", "orders", "couriers", "routes"])
def test_a_file_to_import_that_is_not_there_is_named(wms: Wms, db: Path, kind: str) -> None:
    assert "no such file: none.csv" in wms("import", kind, "none.csv", "--db", db).line


def test_a_broken_row_is_named_and_the_database_is_as_before(wms: Wms, db: Path) -> None:
    file = db.with_name("skus.csv")
    file.write_text("merchant,code,name,weight_g\nM1,N1,good,1\nM1,N2,bad,heavy\nM7,N3,whose,1\n")
    dump = list(sqlite3.connect(db).iterdump())
    done = wms("import", "skus", file, "--db", db)
    assert (done.code, done.out) == (2, "")
    rows = done.err.splitlines()
    assert [row.partition(": ")[2].partition(":")[0] for row in rows[:2]] == ["row 3", "row 4"]
    assert "2 bad rows, nothing was imported" in rows[-1]
    assert list(sqlite3.connect(db).iterdump()) == dump


def test_a_dry_run_says_what_would_happen_and_changes_nothing(wms: Wms, db: Path) -> None:
    file = db.with_name("skus.csv")
    file.write_text("merchant,code,name\nM1,N1,good\n")
    dump = list(sqlite3.connect(db).iterdump())
    done = wms("import", "skus", file, "--dry-run", "--db", db)
    assert (done.code, done.err) == (0, "")
    assert "1 skus would be imported" in done.out
    assert list(sqlite3.connect(db).iterdump()) == dump
    assert "1 skus imported" in wms("import", "skus", file, "--db", db).out


def test_a_file_with_a_steering_code_does_not_steer_the_terminal(wms: Wms, db: Path) -> None:
    file = db.with_name("x.csv")
    file.write_text("code,name,\x1b[2Jevil\nA,B,C\n")
    done = wms("import", "merchants", file, "--db", db)
    assert done.code == 2
    assert "\x1b" not in done.err


def test_nothing_but_slots_makes_a_warehouse(wms: Wms, empty_db: Path) -> None:
    file = empty_db.with_name("m.csv")
    file.write_text("code,name\nM1,x\n")
    assert "import slots" in wms("import", "merchants", file, "--db", empty_db).line
    file.write_text("code,width_mm,depth_mm,height_mm,weight_max_g\nA01-01-1,980,600,450,60000\n")
    assert "no such zone" in wms("import", "slots", file, "--time-zone", "Mars/Base", "--db", empty_db).line
    assert wms("import", "slots", file, "--dry-run", "--db", empty_db).code == 0
    assert "no warehouse" in wms("keys", "create", "--role", "admin", "--db", empty_db).line
    assert wms("import", "slots", file, "--db", empty_db).code == 0
    assert wms("keys", "create", "--role", "admin", "--db", empty_db).code == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["keys", "create", "--role", "merchant"], "merchant"),
        (["keys", "create", "--role", "merchant", "--merchant", "NOBODY"], "NOBODY"),
        (["keys", "create", "--role", "admin", "--warehouse", "77"], "77"),
        (["gateways", "invite", "--station", "XX-99", "--name", "x"], "XX-99"),
    ],
)
def test_an_unknown_code_is_named(wms: Wms, db: Path, words: list[str], said: str) -> None:
    assert said in wms(*words, "--db", db).line


def test_a_port_that_is_taken_is_named(wms: Wms, db: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = wms("serve", "--port", port, "--db", db).line
    assert f"port {port}" in line
    assert "taken" in line


def test_an_open_door_needs_to_be_wanted(wms: Wms, db: Path) -> None:
    line = wms("serve", "--host", "0.0.0.0", "--port", "0", "--db", db).line
    assert "--allow-http" in line


def test_a_demonstration_never_touches_a_database_it_did_not_make(wms: Wms, db: Path) -> None:
    before = digest(db.parent)
    line = wms("demo", "--no-serve", "--db", db).line
    assert str(db) in line
    assert digest(db.parent) == before


def test_an_order_file_that_cannot_be_read_is_named(wms: Wms, tmp_path: Path) -> None:
    assert "none.csv" in wms("demo", "--no-serve", "--orders", "none.csv", "--db", "d.db").line
    (tmp_path / "bad.csv").write_text("a,b\n1,2\n")
    assert "bad.csv" in wms("demo", "--no-serve", "--orders", "bad.csv", "--db", "d.db").line
    assert not (tmp_path / "d.db").exists()


@pytest.mark.parametrize(("name", "value"), [("WMS_PROT", "1"), ("WMS_PORT", "many"), ("WMS_THREADS", "1")])
def test_a_wrong_setting_refuses_to_start(
    wms: Wms, db: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    assert name in wms("serve", "--db", db).line
    assert Settings.model_fields


def test_a_backup_never_overwrites_and_a_broken_one_is_not_restored(wms: Wms, db: Path) -> None:
    kept = db.with_name("kept.db")
    kept.write_bytes(b"mine")
    assert "exists" in wms("db", "backup", kept, "--db", db).line
    assert kept.read_bytes() == b"mine"
    before = db.read_bytes()
    assert "kept.db" in wms("db", "restore", kept, "--replace", "--db", db).line
    assert "no such backup" in wms("db", "restore", "none.db", "--db", db).line
    broken = Path(shutil.copyfile(db, db.with_name("broken.db")))
    with sqlite3.connect(broken) as raw:
        raw.execute("UPDATE stock SET on_hand = on_hand + 1")
    raw.close()
    assert "nothing was restored" in wms("db", "restore", broken, "--replace", "--db", db).line
    assert db.read_bytes() == before


def test_a_file_is_not_swapped_under_a_running_server(wms: Wms, db: Path) -> None:
    assert wms("db", "backup", "backup.db", "--db", db).code == 0
    running = Database.open(str(db))
    running.read(lambda session: session.execute(text("SELECT 1")).all())
    assert "in use" in wms("db", "restore", "backup.db", "--db", db).line
    running.dispose()
    assert wms("db", "restore", "backup.db", "--replace", "--db", db).code == 0


def test_a_damaged_file_is_what_a_restore_is_for(wms: Wms, db: Path) -> None:
    assert wms("db", "backup", "backup.db", "--db", db).code == 0
    db.write_bytes(b"nothing that SQLite knows" * 400)
    assert wms("db", "restore", "backup.db", "--replace", "--db", db).code == 0
    assert wms("audit", "--db", db).code == 0
