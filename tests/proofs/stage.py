"""What several proofs begin with: rows of stock in a park, and many askers who begin at the same moment."""

from __future__ import annotations

import json
import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

from sqlalchemy import text

from tests.builders import MORNING, Park, a_merchant, a_park, a_sku
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.perform import Outcome, perform
from wms.ledger import service as ledger
from wms.ledger.values import Movement, MovementKind, Virtual
from wms.site import queries as site_queries

T = TypeVar("T")

GATE_TIMEOUT_S = 120
PROCESSES = 4
LEVELS_BAYS = [(bay, level, side) for bay in range(1, 13) for level in (1, 2) for side in "AB"]
SLOTS = tuple(f"A01-{bay:02d}-{level}{side}" for bay, level, side in LEVELS_BAYS)
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of stock with all it takes to move it; plain, so that it can be told to another process."""

    warehouse_id: int
    merchant_id: int
    stock_id: int
    place_id: int
    sku_id: int
    lot_id: int
    customer_id: int

    def going_to(self, target_id: int, quantity: int, kind: MovementKind = MovementKind.MOVE) -> Movement:
        """A movement out of this row."""
        return Movement(kind, self.merchant_id, self.place_id, target_id, self.sku_id, self.lot_id, quantity)


def rows_of_stock(park: Park, number: int, quantity: int, *, slots: Sequence[str] = SLOTS[:1]) -> list[Row]:
    """`number` lots of one SKU, `quantity` pieces each, laid round the slots in turn."""
    return park.act(lambda call: _rows(call, number, quantity, slots))


def _rows(call: Call, number: int, quantity: int, slots: Sequence[str]) -> list[Row]:
    sku = _goods(call)
    lots = [catalog.ensure_lot(call, sku, f"L{turn}", None, None) for turn in range(number)]
    return [_laid(call, sku, lot, slots[turn % len(slots)], quantity) for turn, lot in enumerate(lots)]


def one_lot_in(park: Park, slots: Sequence[str], quantity: int) -> list[Row]:
    """One lot of one SKU lying in each of these slots; rows of stock are numbered in this order."""
    return park.act(lambda call: _spread(call, slots, quantity))


def _spread(call: Call, slots: Sequence[str], quantity: int) -> list[Row]:
    sku = _goods(call)
    lot_id = catalog.ensure_lot(call, sku, "L", None, None)
    return [_laid(call, sku, lot_id, slot, quantity) for slot in slots]


def _goods(call: Call) -> SkuFacts:
    code = f"M{next(_numbers)}"
    a_merchant(call, code)
    return a_sku(call, merchant_code=code)


def _laid(call: Call, sku: SkuFacts, lot_id: int, slot: str, quantity: int) -> Row:
    virtual = ledger.virtual_ids(call.session, call.warehouse_id)
    place_id = site_queries.slot_by_code(call.session, call.warehouse_id, slot).place_id
    supplier, customer = virtual[Virtual.SUPPLIER], virtual[Virtual.CUSTOMER]
    goods = Movement(MovementKind.RECEIPT, sku.merchant_id, supplier, place_id, sku.id, lot_id, quantity)
    ledger.post(call, [goods])
    query = text("SELECT id FROM stock WHERE place_id = :p AND lot_id = :l")
    stock_id = call.session.execute(query, {"p": place_id, "l": lot_id}).scalar_one()
    return Row(call.warehouse_id, sku.merchant_id, stock_id, place_id, sku.id, lot_id, customer)


def park_of(database: Database) -> Park:
    """A small park in an empty database."""
    return a_park(database)


def asked(
    database: Database, warehouse_id: int, asker: str, request_id: str, work: Callable[[Call], Any], content: str = ""
) -> Outcome:
    """One command from outside, asked as the edges ask it."""
    return perform(database, HandClock(MORNING), Who(asker, warehouse_id), request_id, content, work)


def reason_of(outcome: Outcome) -> str:
    """The reason of a refusal; empty for an answer that is none."""
    content = json.loads(outcome.body)
    return str(content["error"]["reason"]) if outcome.status >= 400 else ""


def in_threads(askers: int, rounds: int, ask: Callable[[int, int], T]) -> list[list[T]]:
    """`ask(asker, round)` by every asker at once, round after round; the answers by round, then asker."""
    return _by_round(_lives(Barrier(askers), range(askers), rounds, ask))


def in_processes(askers: int, rounds: int, make: Callable[..., Callable[[int, int], T]], *given: Any) -> list[list[T]]:
    """As `in_threads`, the askers spread over processes that first call `make(*given)` to get what they ask with.

    `make` is a function of a module, and what is given and answered can be pickled.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([make.__module__])
    shares = [range(first, askers, PROCESSES) for first in range(PROCESSES)]
    with ProcessPoolExecutor(PROCESSES, context, _keep, (context.Barrier(askers),)) as pool:
        parts = [pool.submit(_live_here, make, given, share, rounds) for share in shares]
        return _by_round([life for part in parts for life in part.result()])


_gate_here: list[Any] = []


def _keep(gate: Any) -> None:
    _gate_here.append(gate)


def _live_here(
    make: Callable[..., Callable[[int, int], T]], given: tuple[Any, ...], askers: Sequence[int], rounds: int
) -> list[list[T]]:
    gate = _gate_here[0]
    with _aborting(gate):
        return _lives(gate, askers, rounds, make(*given))


def _lives(gate: Any, askers: Sequence[int], rounds: int, ask: Callable[[int, int], T]) -> list[list[T]]:
    def live(asker: int) -> list[T]:
        with _aborting(gate):
            return [_through(gate, ask, asker, turn) for turn in range(rounds)]

    with ThreadPoolExecutor(len(askers)) as pool:
        futures = [pool.submit(live, asker) for asker in askers]
    fell = [error for error in (each.exception() for each in futures) if error is not None]
    for error in sorted(fell, key=lambda each: isinstance(each, BrokenBarrierError)):
        raise error  # whoever fell over by himself, before those who only waited for him
    return [each.result() for each in futures]


def _through(gate: Any, ask: Callable[[int, int], T], asker: int, turn: int) -> T:
    gate.wait(GATE_TIMEOUT_S)
    return ask(asker, turn)


@contextmanager
def _aborting(gate: Any) -> Iterator[None]:
    """One who falls over must not leave the others waiting at the gate."""
    try:
        yield
    except BaseException:
        gate.abort()
        raise


def _by_round(lives: Sequence[Sequence[T]]) -> list[list[T]]:
    return [list(answers) for answers in zip(*lives, strict=True)]
