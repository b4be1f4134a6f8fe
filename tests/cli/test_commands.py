"""What the command does when it is used rightly: schema up and down, backup and restore, audit, keys, benches."""

from __future__ import annotations

import json
import re
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Wms
from wms.core.db import Database
from wms.people.queries import who_has_key
from wms.people.values import Role, rights_of

TOUR = {
    "format": "tour/1",
    "layout": {"kind": "rect", "aisle_x_mm": [0, 4000], "cross_y_mm": [0, 10000], "depot_mm": [0, 0]},
    "stops": [[0, 4000], [1, 5000]],
}


def changed(db: Path, statement: str, *, without_triggers: tuple[str, ...] = ()) -> None:
    """Change a row by hand, as somebody with the file and bad intentions would."""
    with sqlite3.connect(db) as raw:
        for trigger in without_triggers:
            raw.execute(f"DROP TRIGGER {trigger}")
        assert raw.execute(statement).rowcount > 0
    raw.close()


def triggers(db: Path) -> tuple[str, ...]:
    with sqlite3.connect(db) as raw:
        found = tuple(row[0] for row in raw.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'"))
    raw.close()
    return found


def test_the_schema_goes_up_and_down_and_is_checked(wms: Wms, tmp_path: Path) -> None:
    assert wms("db", "upgrade", "--db", "new.db").code == 0
    assert wms("db", "upgrade", "--db", "new.db").code == 0
    assert wms("db", "check", "--db", "new.db").code == 0
    assert wms("db", "downgrade", "--db", "new.db").code == 0
    found = wms("db", "check", "--db", "new.db")
    assert found.code == 1
    assert "wms db upgrade" in found.err
    assert wms("db", "upgrade", "--db", "new.db").code == 0
    with sqlite3.connect(tmp_path / "new.db") as raw:
        raw.execute("DROP TABLE hold")
    raw.close()
    found = wms("db", "check", "--db", "new.db")
    assert found.code == 1
    assert "hold" in found.err


def test_the_database_is_named_by_option_by_setting_or_lies_here(
    wms: Wms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert wms("db", "upgrade").code == 0
    assert (tmp_path / "chuwei.db").is_file()
    monkeypatch.setenv("WMS_DB_URL", f"sqlite:///{tmp_path / 'set.db'}")
    assert wms("db", "upgrade").code == 0
    assert (tmp_path / "set.db").is_file()
    assert wms("db", "upgrade", "--db", "told.db").code == 0
    assert (tmp_path / "told.db").is_file()


def rows(db: Path) -> list[str]:
    """All rows but the counters' and the trail's, which a restore moves on."""
    return [line for line in sqlite3.connect(db).iterdump() if not re.search("sqlite_sequence|audit_entry", line)]


def test_a_backup_restores_to_the_same_rows(wms: Wms, db: Path) -> None:
    before = rows(db)
    assert wms("db", "backup", "backup.db", "--db", db).code == 0
    changed(db, "UPDATE merchant SET name = 'somebody else'")
    assert "--replace" in wms("db", "restore", "backup.db", "--db", db).line
    done = wms("db", "restore", "backup.db", "--replace", "--db", db)
    assert (done.code, done.err) == (0, "")
    assert "last movement: 2026-11-07 00:00:00 UTC" in done.out
    assert "is kept as" in done.out
    assert rows(db) == before
    assert wms("db", "restore", "backup.db", "--db", "elsewhere.db").code == 0
    assert wms("audit", "--db", "elsewhere.db").code == 0


def test_an_audit_of_a_sound_park_holds_promise_by_promise(wms: Wms, db: Path) -> None:
    done = wms("audit", "--json", "--db", db)
    told = [json.loads(line) for line in done.out.splitlines()]
    assert done.code == 0
    assert all(one["holds"] for one in told)
    assert {3, 4, 5, 6, 7, 11} <= {one["promise"] for one in told}


@pytest.mark.parametrize(
    ("statement", "promise"),
    [
        ("UPDATE stock SET on_hand = on_hand - 1", 4),
        ("UPDATE stock SET promised = 1", 6),
        ("UPDATE movement SET quantity = quantity + 1", 4),
        ("DELETE FROM movement", 4),
        ("UPDATE audit_entry SET what = 'nothing happened'", 11),
        ("DELETE FROM audit_entry WHERE number = 1", 11),
    ],
)
def test_a_row_changed_by_hand_breaks_a_promise_that_the_audit_names(
    wms: Wms, db: Path, statement: str, promise: int
) -> None:
    changed(db, statement, without_triggers=triggers(db))
    done = wms("audit", "--json", "--db", db)
    assert done.code == 1
    broken = [json.loads(line) for line in done.out.splitlines() if not json.loads(line)["holds"]]
    assert promise in [one["promise"] for one in broken]
    assert all(one["breaks"] for one in broken)
    said = wms("audit", "--db", db)
    assert said.code == 1
    assert any(one["name"] in said.out or str(one["promise"]) in said.out for one in broken)


def test_heads_kept_elsewhere_show_an_end_that_was_cut_off(wms: Wms, db: Path, tmp_path: Path) -> None:
    for number in range(3):
        assert wms("gateways", "invite", "--station", "PK-01", "--name", f"bench {number}", "--db", db).code == 0
    kept = wms("audit", "--heads", "--db", db)
    assert kept.code == 0
    (tmp_path / "heads").write_text(kept.out)
    assert wms("audit", "--check-heads", "heads", "--db", db).code == 0
    changed(db, "DELETE FROM audit_entry WHERE id = (SELECT MAX(id) FROM audit_entry)")
    assert wms("audit", "--db", db).code == 0  # what is left is a sound chain
    done = wms("audit", "--check-heads", "heads", "--db", db)
    assert done.code == 1
    assert "is gone or was written anew" in done.out
    (tmp_path / "letter").write_text("Dear Sir")
    assert "no heads" in wms("audit", "--check-heads", "letter", "--db", db).line


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.MERCHANT])
def test_a_key_is_printed_once_and_has_the_rights_of_its_role(wms: Wms, db: Path, role: Role) -> None:
    done = wms("keys", "create", "--role", role.value, "--db", db)
    assert (done.code, done.err) == (0, "")
    (key,) = done.out.splitlines()
    database = Database.open(str(db))
    who = database.read(lambda session: who_has_key(session, key))
    database.dispose()
    assert who.rights == rights_of(role)
    assert key.encode() not in db.read_bytes()


def test_a_merchants_key_sees_that_merchant_only(wms: Wms, db: Path) -> None:
    key = wms("keys", "create", "--role", "merchant", "--merchant", "M1", "--db", db).out.strip()
    database = Database.open(str(db))
    who = database.read(lambda session: who_has_key(session, key))
    database.dispose()
    assert who.merchant_id == 1


def test_a_gateway_is_invited_to_a_station(wms: Wms, db: Path) -> None:
    done = wms("gateways", "invite", "--station", "PK-01", "--name", "table one", "--db", db)
    assert (done.code, done.err) == (0, "")
    assert len(done.out.strip()) >= 6


def test_bench_route_answers_the_good_files_names_the_bad_ones_and_exits_2(wms: Wms, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text(json.dumps(TOUR))
    (tmp_path / "bad.json").write_text('{"format": "tour/1"}')
    done = wms("bench", "route", "good.json", "bad.json", "none.json", "--json")
    assert done.code == 2
    (answer,) = [json.loads(line) for line in done.out.splitlines()]
    assert (answer["file"], answer["length"], answer["optimal"]) == ("good.json", 26_000, True)
    assert sorted(line.partition(":")[0] for line in done.err.splitlines()) == ["bad.json", "none.json"]
    assert wms("bench", "route", "good.json", "--json").code == 0


def test_bench_batch_reaches_the_planner(wms: Wms, tmp_path: Path) -> None:
    done = wms("bench", "batch", "none.txt", "--time-limit", "1", "--seed", "1", "--end-gap", "1.5", "--json")
    assert done.code == 2
    assert done.err.startswith("none.txt: ")
