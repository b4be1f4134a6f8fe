"""The only writers of stock: `post` movements; `hold`, `release` and `consume` promises.

Every statement guards itself (`on_hand - promised >= quantity`), so two askers of the last unit are told apart by the
database, not by what one of them read before. Rows are locked ids ascending, as everywhere in the house; those that are
not there yet are made in key order.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import bindparam, case, func, insert, select, tuple_, update
from sqlalchemy.orm import Session

from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.core.sql import dialect_of, insert_for, insert_of, is_postgresql, touched
from wms.ledger.rules import changes
from wms.ledger.tables import Hold, MovementRow, Stock
from wms.ledger.values import Movement, Purpose, StockKey, Virtual
from wms.site.tables import Place

_stock = table_of(Stock)
_movement = table_of(MovementRow)
_hold = table_of(Hold)
_KEY = ("merchant_id", "place_id", "sku_id", "lot_id", "condition", "book")
_NATURAL_KEY = ("warehouse_id", *_KEY)
_virtual_places: WeakKeyDictionary[Any, dict[int, dict[str, int]]] = WeakKeyDictionary()

_these_goods = (
    _stock.c.merchant_id == bindparam("m"),
    _stock.c.place_id == bindparam("p"),
    _stock.c.sku_id == bindparam("s"),
    _stock.c.lot_id == bindparam("l"),
    _stock.c.condition == bindparam("c"),
    _stock.c.book == bindparam("b"),
)
_take_free = (
    update(_stock)
    .where(
        _stock.c.warehouse_id == bindparam("w"),
        *_these_goods,
        _stock.c.on_hand - _stock.c.promised >= bindparam("q"),
        _stock.c.frozen_reason.is_(None),
    )
    .values(on_hand=_stock.c.on_hand - bindparam("q"))
)
_promise = (
    update(_stock)
    .where(
        _stock.c.id == bindparam("row"),
        _stock.c.on_hand - _stock.c.promised >= bindparam("q"),
        _stock.c.frozen_reason.is_(None),
    )
    .values(promised=_stock.c.promised + bindparam("q"))
)
_unpromise = (
    update(_stock)
    .where(_stock.c.id == bindparam("row"), _stock.c.promised >= bindparam("q"))
    .values(promised=_stock.c.promised - bindparam("q"))
)
_lessen_hold = (
    update(_hold)
    .where(_hold.c.id == bindparam("row"), _hold.c.stock_id == bindparam("stock"), _hold.c.quantity >= bindparam("q"))
    .values(
        quantity=_hold.c.quantity - bindparam("q"),
        closed_at=case((_hold.c.quantity == bindparam("q"), bindparam("now", type_=_hold.c.made_at.type)), else_=None),
    )
)
_insert_hold = insert(_hold).returning(_hold.c.id)
_insert_movements = insert(_movement)


def virtual_id(session: Session, warehouse_id: int, place: Virtual) -> int:
    """The id of a virtual place. They are made with the warehouse and never change, so they are remembered."""
    return virtual_ids(session, warehouse_id)[place.value]


def virtual_ids(session: Session, warehouse_id: int) -> dict[str, int]:
    """Code -> id of the warehouse's virtual places."""
    known = _virtual_places.setdefault(session.get_bind().engine, {})
    if warehouse_id not in known:
        rows = session.execute(
            select(Place.code, Place.id).where(Place.warehouse_id == warehouse_id, Place.kind == "virtual")
        )
        found = {row.code: row.id for row in rows}
        if not found:
            return found
        known[warehouse_id] = found
    return known[warehouse_id]


def post(call: Call, movements: Sequence[Movement]) -> None:
    """Book `movements`: all or, by a refusal that rolls back, none.

    Raises STOCK_INSUFFICIENT when a source has too little that is not promised, STOCK_FROZEN when a row is frozen.
    """
    virtual = set(virtual_ids(call.session, call.warehouse_id).values())
    net = changes(movements, virtual)
    _lock(call, list(net))
    for key, change in net.items():
        if change < 0:
            _take(call, key, -change)
        else:
            put_down(call, key, change)
    write_movements(call, movements)


def hold(
    call: Call,
    stock_id: int,
    merchant_id: int,
    quantity: int,
    purpose: Purpose,
    reference_id: int,
    *,
    follows: bool = False,
) -> int:
    """Promise `quantity` of a stock row; the id of the hold. Raises STOCK_INSUFFICIENT.

    One that `follows` goes along when the goods are carried to another slot, until it is pinned (see `following`).
    """
    if touched(call.session, _promise, {"row": stock_id, "q": quantity}) != 1:
        raise _why_not(call.session, Stock.id == stock_id, quantity)
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": merchant_id,
        "stock_id": stock_id,
        "purpose": purpose.value,
        "reference_id": reference_id,
        "quantity": quantity,
        "follows": follows,
        "made_at": call.now,
    }
    return int(call.session.execute(_insert_hold, row).scalar_one())


def release(call: Call, hold_id: int, stock_id: int, quantity: int) -> None:
    """Give back `quantity` of a hold. Raises HOLD_CLOSED when so much is not held any more."""
    if touched(call.session, _unpromise, {"row": stock_id, "q": quantity}) != 1:
        raise Refused(Reason.HOLD_CLOSED, hold=hold_id)
    lessen_hold(call, hold_id, stock_id, quantity)


def consume(call: Call, hold_id: int, stock_id: int, movement: Movement) -> None:
    """Book a movement out of promised stock: the promise and the goods go together.

    Raises HOLD_CLOSED when the hold has less left or is of other goods, STOCK_FROZEN when the row is frozen.
    """
    virtual = virtual_ids(call.session, call.warehouse_id).values()
    to_place = None if movement.target_id in virtual else movement.target_id
    rows = [] if movement.source_id in virtual else _move_promised(call, stock_id, movement, to_place)
    if stock_id not in rows:
        raise _why_not(call.session, Stock.id == stock_id, movement.quantity, promised=True)
    if to_place is not None and len(rows) < 2:
        raise Refused(Reason.STOCK_FROZEN, place=to_place)
    lessen_hold(call, hold_id, stock_id, movement.quantity)
    write_movements(call, [movement])


def _move_promised(call: Call, stock_id: int, movement: Movement, to_place: int | None) -> Sequence[int]:
    """The ids of the rows that were changed: all of them, or the movement is refused."""
    goods = {"s": movement.sku_id, "l": movement.lot_id, "c": str(movement.condition), "b": movement.book}
    values: dict[str, Any] = {"w": call.warehouse_id, "m": movement.merchant_id, **goods, "now": call.now}
    values["from_place"] = movement.source_id
    if to_place is not None:
        values["to_place"] = to_place
    statement = _moving(dialect_of(call.session), into_row=to_place is not None)
    rows = call.session.execute(statement, {**values, "row": stock_id, "q": movement.quantity})
    return list(rows.scalars())


def keep_in_order(call: Call, stock_ids: Collection[int]) -> None:
    """Keep these rows from others until the commit, for commands that touch them in another order than their ids'."""
    if len(stock_ids) > 1 and is_postgresql(call.session):
        rows = select(_stock.c.id).where(_stock.c.id.in_(sorted(stock_ids))).order_by(_stock.c.id)
        call.session.execute(rows.with_for_update())


def freeze(session: Session, stock_id: int, reason: str) -> None:
    """Nothing moves from or to this row until a person has looked."""
    session.execute(update(_stock).where(_stock.c.id == stock_id).values(frozen_reason=reason))


def thaw(session: Session, stock_id: int) -> None:
    """A person has looked: the row may move again."""
    session.execute(update(_stock).where(_stock.c.id == stock_id).values(frozen_reason=None))


_lock_in_order = (
    select(_stock.c.id)
    .where(
        _stock.c.warehouse_id == bindparam("w"),
        tuple_(*(_stock.c[name] for name in _KEY)).in_(bindparam("keys", expanding=True)),
    )
    .order_by(_stock.c.id)
    .with_for_update()
)


def _lock(call: Call, keys: Sequence[StockKey]) -> None:
    """Of several rows lock those that are there, ids ascending. SQLite has one writer: nobody is in his way."""
    if len(keys) > 1 and is_postgresql(call.session):
        values = [tuple(getattr(key, name) for name in _KEY) for key in keys]
        call.session.execute(_lock_in_order, {"w": call.warehouse_id, "keys": values})


def _take(call: Call, key: StockKey, quantity: int) -> None:
    values = {"w": call.warehouse_id, "m": key.merchant_id, "p": key.place_id, "s": key.sku_id, "l": key.lot_id}
    if touched(call.session, _take_free, {**values, "c": key.condition, "b": key.book, "q": quantity}) != 1:
        raise _why_not(call.session, _is(call.warehouse_id, key), quantity)


def put_down(call: Call, key: StockKey, quantity: int, promised: int = 0) -> int:
    """For this room: goods come to a row, `promised` of them with their promise; the row's id. Raises STOCK_FROZEN."""
    row = {
        "warehouse_id": call.warehouse_id,
        "merchant_id": key.merchant_id,
        "place_id": key.place_id,
        "sku_id": key.sku_id,
        "lot_id": key.lot_id,
        "condition": key.condition,
        "book": key.book,
        "on_hand": quantity,
        "promised": promised,
        "first_in_at": call.now,
    }
    row_id = call.session.execute(_upsert(call.session), row).scalar()
    if row_id is None:
        raise Refused(Reason.STOCK_FROZEN, place=key.place_id)
    return int(row_id)


_upserts: dict[str, Any] = {}


def _upsert(session: Session) -> Any:
    """INSERT, or add to what lies there. Goods in an empty row begin a new stay: `first_in_at` starts again."""
    dialect = session.get_bind().dialect.name
    if dialect not in _upserts:
        fresh = insert_for(session, _stock)
        _upserts[dialect] = fresh.on_conflict_do_update(
            index_elements=_NATURAL_KEY,
            set_={
                "on_hand": _stock.c.on_hand + fresh.excluded.on_hand,
                "promised": _stock.c.promised + fresh.excluded.promised,
                "first_in_at": case((_stock.c.on_hand == 0, fresh.excluded.first_in_at), else_=_stock.c.first_in_at),
            },
            where=_stock.c.frozen_reason.is_(None),
        ).returning(_stock.c.id)
    return _upserts[dialect]


_movings: dict[tuple[str, bool], Any] = {}


def _moving(dialect: str, *, into_row: bool) -> Any:
    """Promised goods out of row `row` (and into another), in one statement that tells the ids of the rows it changed.

    It is an INSERT which adds to what is there, since the other row may be new: only the row named loses goods, if so
    many are promised in it, and a row that is made instead of it has another id. PostgreSQL locks those that are there
    first, ids ascending, before the first quantity is known.
    """
    if (dialect, into_row) not in _movings:
        quantity: Any = bindparam("q", type_=_stock.c.on_hand.type)
        first = bindparam("now", type_=_stock.c.first_in_at.type)
        places: list[Any] = [bindparam("from_place"), bindparam("to_place")][: 2 if into_row else 1]
        fresh = insert_of(dialect, _stock)
        if dialect == "postgresql" and into_row:
            locked = _kept_first(places).cte("locked")
            fresh = fresh.add_cte(locked)
            quantity = case((select(func.count()).select_from(locked).scalar_subquery() >= 0, quantity))
        rows = [
            {**_same_goods, "place_id": place, "on_hand": quantity, "promised": 0, "first_in_at": first}
            for place in places
        ]
        added = fresh.values(rows)
        is_source, moved = _stock.c.id == bindparam("row"), added.excluded.on_hand
        _movings[dialect, into_row] = added.on_conflict_do_update(
            index_elements=_NATURAL_KEY,
            set_={
                "on_hand": _stock.c.on_hand + case((is_source, -moved), else_=moved),
                "promised": _promised_after(is_source, moved),
                "first_in_at": case((_stock.c.on_hand == 0, added.excluded.first_in_at), else_=_stock.c.first_in_at),
            },
            where=_stock.c.frozen_reason.is_(None) & (~is_source | (_stock.c.promised >= moved)),
        ).returning(_stock.c.id)
    return _movings[dialect, into_row]


_same_goods: dict[str, Any] = {
    "warehouse_id": bindparam("w"),
    "merchant_id": bindparam("m"),
    "sku_id": bindparam("s"),
    "lot_id": bindparam("l"),
    "condition": bindparam("c"),
    "book": bindparam("b"),
}


def _kept_first(places: Sequence[Any]) -> Any:
    same = (_stock.c[name] == value for name, value in _same_goods.items())
    return select(_stock.c.id).where(*same, _stock.c.place_id.in_(places)).order_by(_stock.c.id).with_for_update()


def _promised_after(is_source: Any, moved: Any) -> Any:
    """The promise goes with the goods."""
    return _stock.c.promised - case((is_source, moved), else_=0)


def lessen_hold(call: Call, hold_id: int, stock_id: int, quantity: int) -> None:
    """For this room: so much of a hold is over. Raises HOLD_CLOSED."""
    values = {"row": hold_id, "stock": stock_id, "q": quantity, "now": call.now}
    if touched(call.session, _lessen_hold, values) != 1:
        raise Refused(Reason.HOLD_CLOSED, hold=hold_id)


def write_movements(call: Call, movements: Iterable[Movement]) -> None:
    """For this room: the facts of what was booked."""
    rows = [
        {
            "warehouse_id": call.warehouse_id,
            "merchant_id": movement.merchant_id,
            "kind": movement.kind.value,
            "source_id": movement.source_id,
            "target_id": movement.target_id,
            "sku_id": movement.sku_id,
            "lot_id": movement.lot_id,
            "condition": str(movement.condition),
            "book": movement.book,
            "quantity": movement.quantity,
            "reference": movement.reference,
            "actor": call.actor,
            "request_key": f"{call.actor}:{call.request_id}",
            "line": number,
            "at": call.now,
        }
        for number, movement in enumerate(movements, _lines_so_far(call))
    ]
    _count_lines(call, len(rows))
    call.session.execute(_insert_movements, rows)


def _lines_so_far(call: Call) -> int:
    """A command may post more than once: its movements are numbered through."""
    return int(call.session.info.get(("movement lines", call.request_id), 0))


def _count_lines(call: Call, more: int) -> None:
    call.session.info[("movement lines", call.request_id)] = _lines_so_far(call) + more


def _is(warehouse_id: int, key: StockKey) -> Any:
    return (
        (Stock.warehouse_id == warehouse_id)
        & (Stock.merchant_id == key.merchant_id)
        & (Stock.place_id == key.place_id)
        & (Stock.sku_id == key.sku_id)
        & (Stock.lot_id == key.lot_id)
        & (Stock.condition == key.condition)
        & (Stock.book == key.book)
    )


def _why_not(session: Session, which: Any, wanted: int, *, promised: bool = False) -> Refused:
    """The refusal that fits: only read after the guarded statement said no."""
    row = session.execute(select(Stock.on_hand, Stock.promised, Stock.frozen_reason).where(which)).one_or_none()
    if row is None:
        return Refused(Reason.STOCK_INSUFFICIENT, wanted=wanted, free=0, shortage=wanted)
    if row.frozen_reason is not None:
        return Refused(Reason.STOCK_FROZEN, why=row.frozen_reason)
    if promised:
        return Refused(Reason.HOLD_CLOSED, wanted=wanted, promised=row.promised)
    free = row.on_hand - row.promised
    reason = Reason.STOCK_PROMISED if row.on_hand >= wanted else Reason.STOCK_INSUFFICIENT
    return Refused(reason, wanted=wanted, free=free, shortage=wanted - free)
