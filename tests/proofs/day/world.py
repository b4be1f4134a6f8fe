"""Where the goods physically are: an account of its own, kept only from what hands were told on their screens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.core.db import Database
from wms.core.perform import to_json
from wms.core.tables import RequestRow
from wms.ledger.tables import MovementRow, Stock
from wms.packing.tables import Parcel
from wms.printing.tables import PrintJob
from wms.shipping.tables import Waybill
from wms.site.tables import Container, Place

CUSTOMER = "CUSTOMER"
_STORED = (Place.kind == "slot") | (func.coalesce(Container.kind, "") == "lpn")
Key = TypeVar("Key")
Goods = dict[tuple[str, str], int]  # (place, article) -> pieces


class World:
    """Pieces by place and article, and what was acknowledged. `picked` goods are in totes, parcels or gone."""

    def __init__(self) -> None:
        self.stored: Counter[tuple[str, str]] = Counter()
        self.picked: Counter[str] = Counter()
        self.scans = 0
        self.acknowledged: dict[tuple[str, str], str] = {}  # (person, id) -> the message he was told
        self.labelled: dict[str, str] = {}  # waybill -> order
        self.handed_over: set[str] = set()
        self.printed: Counter[int] = Counter()  # print job -> sheets that came out
        self.conflicts = 0
        self.broken: list[str] = []

    def take(self, place: str, article: str, pieces: int) -> None:
        """From a shelf into a tote."""
        self.stored[place, article] -= pieces
        self.picked[article] += pieces

    def put_into(self, box: str, article: str, pieces: int) -> None:
        """Into a box: what was carried away before the answer came is owed to it until then."""
        self.stored[box, article] += pieces

    def put_away(self, box: str, slot: str, article: str, pieces: int) -> None:
        """From a box into a slot."""
        self.stored[box, article] -= pieces
        self.stored[slot, article] += pieces

    def broke(self, what: str) -> None:
        """A promise that was seen to break."""
        self.broken.append(what)

    def look_around(self, database: Database) -> None:
        """What lies in the house before the day begins."""
        self.stored.update(database.read(_stored))


def _stored(session: Session) -> Goods:
    rows = session.execute(
        select(Place.code, Sku.name, func.sum(Stock.on_hand))
        .join(Stock, Stock.place_id == Place.id)
        .join(Sku, Sku.id == Stock.sku_id)
        .outerjoin(Container, Container.place_id == Place.id)
        .where(_STORED, Stock.on_hand > 0)
        .group_by(Place.code, Sku.name)
    )
    return {(place, article): int(pieces) for place, article, pieces in rows}


def _beyond(session: Session) -> Counter[str]:
    """Pieces by article in totes and parcels, and with customers."""
    inside = session.execute(
        select(Sku.name, func.sum(Stock.on_hand))
        .join(Stock, Stock.sku_id == Sku.id)
        .join(Place, Place.id == Stock.place_id)
        .outerjoin(Container, Container.place_id == Place.id)
        .where(~_STORED)
        .group_by(Sku.name)
    )
    gone = session.execute(
        select(Sku.name, func.sum(MovementRow.quantity))
        .join(MovementRow, MovementRow.sku_id == Sku.id)
        .join(Place, Place.id == MovementRow.target_id)
        .where(Place.code == CUSTOMER)
        .group_by(Sku.name)
    )
    pieces: Counter[str] = Counter()
    for name, count in [*inside, *gone]:
        pieces[name] += int(count)
    return pieces


def differences(world: World, database: Database) -> Iterator[str]:
    """Where the house's books and the world disagree, a sentence each."""
    yield from _compared("on the shelf", _non_zero(world.stored), _non_zero(database.read(_stored)))
    yield from _compared("picked", _non_zero(world.picked), _non_zero(database.read(_beyond)))
    yield from database.read(lambda session: list(_answers(world, session)))
    yield from database.read(lambda session: list(_parcels(world, session)))


def _non_zero(goods: Mapping[Key, int]) -> dict[Key, int]:
    return {key: pieces for key, pieces in goods.items() if pieces}


def _compared(where: str, world: Mapping[Key, int], book: Mapping[Key, int]) -> list[str]:
    wrong = [key for key in sorted({*world, *book}, key=str) if world.get(key) != book.get(key)]
    return [f"{where} {key}: there are {world.get(key, 0)}, the book says {book.get(key, 0)}" for key in wrong]


def _answers(world: World, session: Session) -> Iterator[str]:
    """Every acknowledged scan stands in the book once, with the answer its person was given."""
    rows = session.execute(select(RequestRow.actor, RequestRow.request_id, RequestRow.answer)).all()
    book = {(row.actor, row.request_id): row.answer for row in rows}
    for key, told in world.acknowledged.items():
        if key not in book:
            yield f"acknowledged and lost: {key}"
        elif told and told not in book[key]:
            yield f"answered differently: {key}: {told} against {book[key]}"


def _parcels(world: World, session: Session) -> Iterator[str]:
    """Each label has its parcel, one number and at most one first print; what left is handed over."""
    rows = session.execute(select(Parcel.waybill, Parcel.state).where(Parcel.waybill.is_not(None))).all()
    states = {row.waybill: row.state for row in rows}
    numbers = session.scalars(select(Waybill.number)).all()
    if len(numbers) != len(set(numbers)):
        yield "a waybill number was given twice"
    prints = Counter(session.scalars(select(PrintJob.job_key)).all())
    yield from (f"printed twice: {key}" for key, times in prints.items() if times > 1)
    for waybill in world.labelled:
        if waybill not in states:
            yield f"label {waybill} has no parcel"
    yield from (
        f"{waybill} was handed over, the book says {states.get(waybill)}"
        for waybill in sorted(world.handed_over)
        if states.get(waybill) != "handed_over"
    )


def told(message: Mapping[str, object] | None) -> str:
    """A message as the book of answers holds it."""
    return to_json(message) if message else ""
