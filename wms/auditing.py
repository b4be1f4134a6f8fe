"""Every promise of every room, and asking them all. What the rooms promise stands in their `promises.py`."""

from __future__ import annotations

from collections.abc import Iterator, Set
from functools import partial
from itertools import islice

from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.core.promises import Broken, Promise
from wms.core.promises_kept import PROMISES as CORE
from wms.ledger.findings import close_mended
from wms.ledger.promises import PROMISES as LEDGER
from wms.printing.promises import PROMISES as PRINTING
from wms.shipping.promises import PROMISES as SHIPPING
from wms.site.queries import warehouses
from wms.slotting.promises import PROMISES as SLOTTING

PROMISES = tuple(
    sorted((*CORE, *LEDGER, *PRINTING, *SHIPPING, *SLOTTING), key=lambda promise: (promise.number, promise.name))
)
BREAKS_MAX = 1_000  # of one promise; who has more is not helped by the list


def broken_promises(database: Database) -> Iterator[tuple[Promise, list[Broken]]]:
    """Each promise with what breaks it (empty: it holds). Reads only."""
    for promise in PROMISES:
        yield promise, breaks_of(database, promise)


def breaks_of(database: Database, promise: Promise) -> list[Broken]:
    """What breaks this one promise now, at most `BREAKS_MAX` rows."""
    return database.read(lambda session: list(islice(promise.check(session), BREAKS_MAX)))


def breaks_since(database: Database, promise: Promise, mark: int) -> list[Broken]:
    """What movements after `mark` broke; nothing of a promise that waits for a full audit."""
    ask = promise.check_since
    if ask is None:
        return []
    return database.read(lambda session: list(islice(ask(session, mark), BREAKS_MAX)))


def close_what_was_mended(database: Database, clock: Clock, still_broken: Set[tuple[str, str]], actor: str) -> int:
    """Close findings that a full audit, just done, no longer shows, in every warehouse; how many."""
    work = partial(close_mended, still_broken=still_broken)
    return sum(
        system_call(database, clock, one.id, work, request_id=new_id(), actor=actor)
        for one in database.read(warehouses)
    )
