"""Every promise of every room, and asking them all. What the rooms promise stands in their `promises.py`."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from wms.core.db import Database
from wms.core.promises import Broken, Promise
from wms.core.promises_kept import PROMISES as CORE
from wms.ledger.promises import PROMISES as LEDGER
from wms.printing.promises import PROMISES as PRINTING
from wms.shipping.promises import PROMISES as SHIPPING

PROMISES = tuple(sorted((*CORE, *LEDGER, *PRINTING, *SHIPPING), key=lambda promise: (promise.number, promise.name)))
BREAKS_MAX = 1_000  # of one promise; who has more is not helped by the list


def broken_promises(database: Database) -> Iterator[tuple[Promise, list[Broken]]]:
    """Each promise with what breaks it (empty: it holds). Reads only."""
    for promise in PROMISES:
        yield promise, breaks_of(database, promise)


def breaks_of(database: Database, promise: Promise) -> list[Broken]:
    """What breaks this one promise now, at most `BREAKS_MAX` rows."""
    return database.read(lambda session: list(islice(promise.check(session), BREAKS_MAX)))
