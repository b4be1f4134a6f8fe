"""The power goes while SQLite writes: every answered command stands in the file that is left, whole.

Threads give commands to the program's own Database (its settings, its group of commits), which writes to a disk that
remembers (tests/proofs/fire/disk.py). Then the power is cut at many places of the record: right behind answers, and
anywhere between two writes. At each place three disks are left: one that lost everything no sync had made safe, one
that lost a random half of it, torn, and one that lost little. The program opens what is left; SQLite finds it sound,
every command that was answered by then is there, none is there by half, and every promise of the house holds. The log
is folded into the file every few commits here, so that cuts fall into that as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import event, func, select, text
from sqlalchemy.orm import Session

from tests.builders import MORNING
from tests.proofs.fire.disk import Cut, Disk, Event, recording
from tests.proofs.fire.park import ASN, FirePark, build
from tests.proofs.frame import SQLITE, Ground, Outcome, audit, proof, twin
from wms.catalog import queries as catalog
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.perform import perform
from wms.core.tables import RequestRow
from wms.inbound import queries as arrivals
from wms.inbound import service as inbound
from wms.ledger.tables import MovementRow

THREADS = 4
PIECES = 2
FOLD_EVERY_PAGES = 60
SHARES = (0.0, 0.5, 0.95)
SHOWN_MAX = 5
PROGRAM = "key:1"


@proof(
    name="power_cut",
    promises=(1, 4),
    on=(SQLITE,),
    small={"commands": 60, "cuts": 15},
    full={"commands": 600, "cuts": 300},
    goal="0 lost, 0 by half, whatever the disk kept",
)
def power_cut(ground: Ground, *, commands: int, cuts: int) -> Outcome:
    return _power_cut(ground, commands, cuts, "FULL")


@twin(of="power_cut", sabotage="synchronous = NORMAL: the log is not synced with each commit")
def commits_without_a_sync(ground: Ground, *, commands: int, cuts: int) -> Outcome:
    return _power_cut(ground, commands, cuts, "NORMAL")


@twin(of="power_cut", sabotage="synchronous = OFF: nothing is ever synced")
def no_sync_at_all(ground: Ground, *, commands: int, cuts: int) -> Outcome:
    return _power_cut(ground, commands, cuts, "OFF")


def _power_cut(ground: Ground, commands: int, cuts: int, synchronous: str) -> Outcome:
    park = build(ground.database(), 0)
    ground.close()
    path = Path(ground.url.removeprefix("sqlite:///"))
    before = {str(path): path.read_bytes()}
    with recording() as disk:
        _work(disk, path, park, commands, synchronous)
    _check_record(disk, before, path)
    chance = ground.random()
    checked = broken = 0
    sentences: list[str] = []
    for number, cut in enumerate(_cuts(disk.events, before, cuts, chance)):
        for share in SHARES:
            left = _Left(ground.folder / "left", path, cut.left(chance, share))
            found = list(left.broken(cut.told))
            checked, broken = checked + 1, broken + bool(found)
            sentences += [f"cut {number}, {share:.0%} of the unsynced kept: {one}" for one in found[:1]]
    folds = sum(one.kind == "sync" and one.path == str(path) for one in disk.events)
    facts = {"acknowledged": commands, "files checked": checked, "files with losses": broken, "folds": folds}
    return Outcome(f"{commands} commands, {cuts} cuts", tuple(sentences[:SHOWN_MAX]), facts=facts)


def _check_record(disk: Disk, before: dict[str, bytes], path: Path) -> None:
    """With nothing lost, the record leads to the very file that is there: nothing was written past it."""
    cut = Cut(before)
    for one in disk.events:
        cut.go_on(one)
    assert cut.left(Random(0), 1.0)[str(path)] == path.read_bytes(), "the disk's record is not whole"


def _work(disk: Disk, path: Path, park: FirePark, commands: int, synchronous: str) -> None:
    """Receive goods, each into a box of its own, from several threads; every answer is marked in the record."""
    database = Database.open(disk.url(path))

    @event.listens_for(database.write_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        if synchronous != "FULL":
            connection.execute(f"PRAGMA synchronous={synchronous}")
        connection.execute(f"PRAGMA wal_autocheckpoint={FOLD_EVERY_PAGES}")

    def command(number: int) -> None:
        who = Who(PROGRAM, park.warehouse_id)
        work = partial(_receive, park=park, number=number)
        done = perform(database, HandClock(MORNING), who, f"R{number}", f"receive {number}", work)
        assert done.status == 200, done.body
        disk.mark(f"R{number}")

    try:
        with ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(command, range(commands)))
    finally:
        database.dispose()


def _receive(call: Call, park: FirePark, number: int) -> dict[str, Any]:
    good = park.goods[number % len(park.goods)]
    asn = arrivals.asn_by_no(call.session, call.warehouse_id, ASN, None)
    sku = catalog.sku_by_code(call.session, call.warehouse_id, asn.merchant_id, good.code)
    box = inbound.lpn(call, f"B{number}", named=True)
    done = inbound.receive(call, sku=sku, quantity=PIECES, container=box, asn_id=asn.id)
    return {"receipt": done.receipt_id}


def _cuts(events: list[Event], before: dict[str, bytes], number: int, chance: Random) -> Iterator[Cut]:
    """Half of them right behind an answer, the others anywhere."""
    marks = [place for place, one in enumerate(events) if one.kind == "mark"]
    places = set(chance.sample(marks, min(len(marks), number // 2)))
    while len(places) < min(number, len(events)):
        places.add(chance.randrange(len(events)))
    cut = Cut(before)
    for place, one in enumerate(events):
        cut.go_on(one)
        if place in places:
            yield cut


@dataclass(frozen=True)
class _Left:
    """What a cut of power left of the files, looked at in `folder` by the program itself."""

    folder: Path
    path: Path
    files: dict[str, bytes]

    def broken(self, told: list[str]) -> Iterator[str]:
        """A sentence for each thing that is wrong when `told` are the commands answered by then."""
        self.folder.mkdir(exist_ok=True)
        for old in self.folder.iterdir():
            old.unlink()
        for name, content in self.files.items():
            (self.folder / Path(name).name).write_bytes(content)
        database = Database.open(f"sqlite:///{self.folder / self.path.name}")
        try:
            yield from _unsound(database) or _not_whole(database, told)
        finally:
            database.dispose()


def _unsound(database: Database) -> list[str]:
    """What SQLite itself says of the file."""
    try:
        found = database.transact(lambda session: session.scalars(text("PRAGMA integrity_check")).all())
    except Exception as error:  # noqa: BLE001 - a file that cannot even be read is a finding, whatever it raises
        return [f"SQLite cannot read it: {error}"]
    return [f"SQLite: {one}" for one in found if one != "ok"]


def _not_whole(database: Database, told: list[str]) -> Iterator[str]:
    remembered, moved = database.read(_rows)
    for lost in sorted(set(told) - remembered):
        yield f"lost: {lost} was acknowledged"
    for half in sorted(remembered ^ set(moved)):
        yield f"by half: {half} is {'remembered' if half in remembered else 'moved'} only"
    for request_id, pieces in moved.items():
        if pieces != PIECES:
            yield f"{request_id} moved {pieces} pieces instead of {PIECES}"
    yield from audit(database)


def _rows(session: Session) -> tuple[set[str], dict[str, int]]:
    """The ids of the answers that stand there, and id -> pieces of the movements."""
    remembered = set(session.scalars(select(RequestRow.request_id).where(RequestRow.actor == PROGRAM)))
    query = select(MovementRow.request_key, func.sum(MovementRow.quantity)).where(MovementRow.actor == PROGRAM)
    rows = session.execute(query.group_by(MovementRow.request_key)).all()
    return remembered, {key.removeprefix(f"{PROGRAM}:"): int(pieces) for key, pieces in rows}
