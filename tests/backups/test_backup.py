"""A backup is taken while others work, and is checked beside before it takes the place of anything."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, make_url, text

from tests.builders import MORNING, Park, a_park, a_sku, stock_in
from wms import backups
from wms.auditing import broken_promises
from wms.backups import servers
from wms.core.db import Database
from wms.core.db.numbers import LEAP
from wms.migrations import commands
from wms.shipping import couriers
from wms.shipping.tables import WaybillPool
from wms.site import service as site
from wms.site.values import ContainerKind
from wms.trouble import Trouble

STAMP = (
    "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL, "
    "CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num))"
)


@pytest.fixture
def url(database_url: str) -> str:
    """A database that says on which step of its history it stands, as `wms db upgrade` leaves it."""
    database = Database.open(database_url)
    database.transact(lambda session: session.execute(text(STAMP)))
    stamp = text("INSERT INTO alembic_version VALUES (:newest)")
    database.transact(lambda session: session.execute(stamp, {"newest": commands.newest()}))
    database.dispose()
    return database_url


@pytest.fixture
def park(url: str) -> Iterator[Park]:
    database = Database.open(url)
    made = a_park(database)
    made.act(lambda call: stock_in(call, a_sku(call, "S1"), "A01-01-1A", 10))
    yield made
    database.dispose()


@pytest.fixture
def elsewhere(url: str, tmp_path: Path) -> Iterator[str]:
    """The address of a database that is not there yet."""
    if url.startswith("sqlite"):
        yield f"sqlite:///{tmp_path / 'elsewhere.db'}"
        return
    name = f"{make_url(url).database}_elsewhere"
    yield make_url(url).set(database=name).render_as_string(hide_password=False)
    drop_all(url, lambda known: known.startswith(name))


@pytest.fixture(autouse=True)
def tidy(request: pytest.FixtureRequest) -> Iterator[None]:
    """Databases that a restore kept go with the test."""
    url = request.getfixturevalue("url") if "url" in request.fixturenames else "sqlite"
    yield
    if not url.startswith("sqlite"):
        own = str(make_url(url).database)
        drop_all(url, lambda known: known.startswith(f"{own}_re"))


def databases(url: str) -> list[str]:
    return [str(name) for name in on_server(url, "SELECT datname FROM pg_database ORDER BY datname")]


def drop_all(url: str, which: Callable[[str], bool]) -> None:
    for name in filter(which, databases(url)):
        on_server(url, f'DROP DATABASE "{name}" WITH (FORCE)')


def on_server(url: str, statement: str) -> list[object]:
    engine = create_engine(make_url(url).set(database="postgres"), poolclass=NullPool, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        answer = connection.exec_driver_sql(statement)
        return list(answer.scalars()) if answer.returns_rows else []


def on_hand(url: str) -> int:
    database = Database.open(url)
    try:
        return int(database.read(lambda session: session.execute(text("SELECT sum(on_hand) FROM stock")).scalar_one()))
    finally:
        database.dispose()


def leftovers(url: str, folder: Path) -> list[str]:
    """What a restore that failed left beside."""
    if url.startswith("sqlite"):
        return [path.name for path in folder.iterdir() if "restoring" in path.name or "partial" in path.name]
    own = str(make_url(url).database)
    return [name for name in databases(url) if name.startswith(own) and "restoring" in name]


def receive_more(park: Park, pieces: int) -> None:
    park.act(lambda call: stock_in(call, a_sku(call), "A01-02-1A", pieces))


def test_what_was_there_at_the_backup_is_there_after_restoring_it(
    park: Park, url: str, elsewhere: str, tmp_path: Path
) -> None:
    file = tmp_path / "backup"
    backups.back_up(url, file)
    receive_more(park, 5)
    state = backups.restore(file, elsewhere, replace=False)
    assert (state.last_booked_at, state.kept_as) == (MORNING, "")
    assert (on_hand(elsewhere), on_hand(url)) == (10, 15)
    assert commands.check(elsewhere) == []


def test_a_backup_taken_under_load_keeps_every_promise(park: Park, url: str, elsewhere: str, tmp_path: Path) -> None:
    stop = threading.Event()

    def load() -> None:
        while not stop.is_set():
            receive_more(park, 1)

    others = [threading.Thread(target=load) for _ in range(3)]
    for other in others:
        other.start()
    try:
        backups.back_up(url, tmp_path / "backup")
    finally:
        stop.set()
        for other in others:
            other.join()
    backups.restore(tmp_path / "backup", elsewhere, replace=False)
    assert 10 <= on_hand(elsewhere) <= on_hand(url)


def test_a_backup_is_for_its_owner_only(park: Park, url: str, tmp_path: Path) -> None:
    backups.back_up(url, tmp_path / "backup")
    assert (tmp_path / "backup").stat().st_mode & 0o077 == 0


def test_a_database_with_something_in_it_is_not_replaced_unless_told(park: Park, url: str, tmp_path: Path) -> None:
    backups.back_up(url, tmp_path / "backup")
    receive_more(park, 5)
    park.database.dispose()
    with pytest.raises(Trouble, match="--replace"):
        backups.restore(tmp_path / "backup", url, replace=False)
    assert on_hand(url) == 15


def test_what_was_replaced_is_kept_beside(park: Park, url: str, tmp_path: Path) -> None:
    backups.back_up(url, tmp_path / "backup")
    receive_more(park, 5)
    park.database.dispose()
    kept_as = backups.restore(tmp_path / "backup", url, replace=True).kept_as
    kept = f"sqlite:///{kept_as}" if url.startswith("sqlite") else make_url(url).set(database=kept_as)
    assert on_hand(url) == 10
    assert on_hand(kept if isinstance(kept, str) else kept.render_as_string(hide_password=False)) == 15


def test_nothing_is_restored_under_a_running_server(park: Park, url: str, tmp_path: Path) -> None:
    backups.back_up(url, tmp_path / "backup")
    receive_more(park, 5)
    with pytest.raises(Trouble, match="in use"):
        backups.restore(tmp_path / "backup", url, replace=True)
    assert on_hand(url) == 15
    assert leftovers(url, tmp_path) == []


def test_a_backup_that_breaks_a_promise_takes_nobodys_place(park: Park, url: str, tmp_path: Path) -> None:
    park.database.transact(lambda session: session.execute(text("UPDATE stock SET on_hand = 9")))
    backups.back_up(url, tmp_path / "backup")
    park.database.transact(lambda session: session.execute(text("UPDATE stock SET on_hand = 10")))
    park.database.dispose()
    with pytest.raises(Trouble, match="breaks a promise"):
        backups.restore(tmp_path / "backup", url, replace=True)
    assert on_hand(url) == 10
    assert leftovers(url, tmp_path) == []


@pytest.mark.parametrize("bytes_kept", [100, 20_000])
def test_half_a_backup_takes_nobodys_place(park: Park, url: str, tmp_path: Path, bytes_kept: int) -> None:
    backups.back_up(url, tmp_path / "backup")
    (tmp_path / "half").write_bytes((tmp_path / "backup").read_bytes()[:bytes_kept])
    park.database.dispose()
    with pytest.raises(Trouble):
        backups.restore(tmp_path / "half", url, replace=True)
    assert on_hand(url) == 10
    assert leftovers(url, tmp_path) == []


def test_a_number_on_a_label_is_not_given_again_after_a_restore(
    park: Park, url: str, elsewhere: str, tmp_path: Path
) -> None:
    first = park.act(lambda call: site.make_container(call, ContainerKind.LPN)).place_id
    backups.back_up(url, tmp_path / "backup")
    lost = park.act(lambda call: site.make_container(call, ContainerKind.LPN)).place_id
    backups.restore(tmp_path / "backup", elsewhere, replace=False)
    database = Database.open(elsewhere)
    after = Park(database, park.warehouse_id).act(lambda call: site.make_container(call, ContainerKind.LPN)).place_id
    database.dispose()
    assert first < lost < first + LEAP <= after


@pytest.mark.parametrize(("numbers", "next_is"), [(5_000, 1_001), (300, 301)])
def test_waybill_numbers_given_since_the_backup_are_skipped(
    park: Park, url: str, elsewhere: str, tmp_path: Path, numbers: int, next_is: int
) -> None:
    park.act(lambda call: couriers.add_courier(call, code="YD", name="韵达", product="标快", cut_offs=["16:00"]))
    park.act(lambda call: couriers.add_pool(call, courier="YD", prefix="", first=1, last=numbers, digits=9))
    backups.back_up(url, tmp_path / "backup")
    backups.restore(tmp_path / "backup", elsewhere, replace=False)
    database = Database.open(elsewhere)
    assert database.read(lambda session: session.query(WaybillPool.next).scalar()) == next_is
    assert not [breaks for _promise, breaks in broken_promises(database) if breaks]
    database.dispose()


@pytest.fixture
def file_park(migrated: Path, tmp_path: Path) -> str:
    """A park in a file that nobody has open."""
    url = f"sqlite:///{shutil.copyfile(migrated, tmp_path / 'park.db')}"
    database = Database.open(url)
    a_park(database)
    database.dispose()
    return url


def test_a_damaged_database_is_replaced_when_told(file_park: str, tmp_path: Path) -> None:
    place = Path(file_park.removeprefix("sqlite:///"))
    backups.back_up(file_park, tmp_path / "backup")
    place.write_bytes(b"\0" * 9_000)
    place.with_name(place.name + "-wal").write_bytes(b"an old log")
    with pytest.raises(Trouble, match="--replace"):
        backups.restore(tmp_path / "backup", file_park, replace=False)
    kept = Path(backups.restore(tmp_path / "backup", file_park, replace=True).kept_as)
    assert commands.check(file_park) == []
    assert kept.read_bytes() == b"\0" * 9_000


def test_a_page_that_rotted_is_found_before_the_backup_is_used(file_park: str, tmp_path: Path) -> None:
    backups.back_up(file_park, tmp_path / "backup")
    with sqlite3.connect(tmp_path / "backup") as raw:
        (root,) = raw.execute("SELECT rootpage FROM sqlite_master WHERE name = 'warehouse'").fetchone()
    raw.close()
    with (tmp_path / "backup").open("rb+") as file:
        file.seek((root - 1) * 4_096 + 8)
        file.write(b"\xff" * 40)
    with pytest.raises(Trouble, match=r"damaged|not a sound database"):
        backups.restore(tmp_path / "backup", f"sqlite:///{tmp_path / 'new.db'}", replace=False)
    assert not (tmp_path / "new.db").exists()


def test_a_missing_program_of_postgresql_is_named_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(servers, "DEBIAN", tmp_path)
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    with pytest.raises(Trouble, match="pg_dump is not on this machine"):
        backups.back_up("postgresql://nobody@/nothing", tmp_path / "backup")
