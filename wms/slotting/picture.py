"""The slots of a warehouse in memory, good enough to propose: what is proposed is checked against the rows before it
is used.

Building the picture reads every slot; it is kept for half a minute per process and learns of our own proposals at once.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.catalog.tables import Sku
from wms.ledger.tables import Stock
from wms.optimise.geometry import distance_mm, stop_point
from wms.site import queries as site
from wms.site.tables import Slot
from wms.site.values import slot_stop
from wms.slotting.rules import Flags, Ints, Occupied, Slots

PICTURE_KEPT_S = 30.0


@dataclass(slots=True)
class Picture:
    """Slots and what lay in them at `drawn_s` (monotonic)."""

    slots: Slots
    index: dict[int, int]
    taken: Flags
    blocked: Flags
    under_count: Flags
    used_volume: Ints
    used_weight: Ints
    drawn_s: float

    def occupied(self, same_sku_places: set[int], leased_places: set[int]) -> Occupied:
        """As seen by one SKU: where it lies already, and which slots are promised to others."""
        return Occupied(
            self.taken,
            self.blocked,
            self.under_count,
            self._flags(leased_places),
            self.used_volume,
            self.used_weight,
            self._flags(same_sku_places),
        )

    def _flags(self, places: set[int]) -> Flags:
        flags = np.zeros(len(self.taken), dtype=np.bool_)
        flags[[self.index[place] for place in places if place in self.index]] = True
        return flags

    def note_taken(self, place_id: int, volume_mm3: int, weight_g: int) -> None:
        """Goods went there: the next proposal knows."""
        at = self.index[place_id]
        self.taken[at] = True
        self.used_volume[at] += volume_mm3
        self.used_weight[at] += weight_g


_pictures: WeakKeyDictionary[Any, dict[int, Picture]] = WeakKeyDictionary()
_drawing = threading.Lock()


def picture_of(session: Session, warehouse_id: int, *, fresh: bool = False) -> Picture:
    """The picture kept for this warehouse, drawn anew when it is old or `fresh` is asked for."""
    with _drawing:
        kept = _pictures.setdefault(session.get_bind(), {})
        known = kept.get(warehouse_id)
        if known is None or fresh or time.monotonic() - known.drawn_s > PICTURE_KEPT_S:
            slots = known.slots if known is not None and not fresh else _slots(session, warehouse_id)
            known = kept[warehouse_id] = _draw(session, warehouse_id, slots)
        return known


def _slots(session: Session, warehouse_id: int) -> Slots:
    rows = site.slots(session, warehouse_id)
    hall = site.hall(session, warehouse_id)
    positions = {slot_stop(row) for row in rows}
    walks = {stop: distance_mm(hall.hall, hall.depot, stop_point(hall.hall, stop)) for stop in positions}
    sizes = np.sort(
        np.array([[row.width_mm, row.depth_mm, row.height_mm] for row in rows], dtype=np.int64).reshape(-1, 3)
    )
    return Slots(
        place_id=np.array([row.place_id for row in rows], dtype=np.int64),
        codes=tuple(row.code for row in rows),
        zone_kind=np.array([str(row.zone_kind) for row in rows]),
        bonded=np.array([row.bonded for row in rows], dtype=np.bool_),
        sizes=sizes,
        volume=sizes.prod(axis=1),
        weight_max=np.array([row.weight_max_g for row in rows], dtype=np.int64),
        level=np.array([row.level for row in rows], dtype=np.int64),
        walk_mm=np.array([walks[slot_stop(row)] for row in rows], dtype=np.int64),
    )


def _draw(session: Session, warehouse_id: int, slots: Slots) -> Picture:
    index = {int(place): number for number, place in enumerate(slots.place_id)}
    size = len(index)
    volume, weight = np.zeros(size, dtype=np.int64), np.zeros(size, dtype=np.int64)
    taken = np.zeros(size, dtype=np.bool_)
    for row in session.execute(_contents(warehouse_id)):
        if (at := index.get(row.place_id)) is not None:
            taken[at], volume[at], weight[at] = True, int(row.volume), int(row.weight)
    flags = {
        row.place_id: row
        for row in session.execute(
            select(Slot.place_id, Slot.blocked, Slot.under_count, Slot.retired).where(
                Slot.warehouse_id == warehouse_id, Slot.blocked | Slot.under_count | Slot.retired
            )
        )
    }
    blocked, counted = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
    for place, row in flags.items():
        if (at := index.get(place)) is not None:
            blocked[at], counted[at] = row.blocked or row.retired, row.under_count
    return Picture(slots, index, taken, blocked, counted, volume, weight, time.monotonic())


def _contents(warehouse_id: int) -> Any:
    piece = Sku.length_mm * Sku.width_mm * Sku.height_mm
    return (
        select(
            Stock.place_id,
            func.sum(Stock.on_hand * piece).label("volume"),
            func.sum(Stock.on_hand * Sku.weight_g).label("weight"),
        )
        .join(Sku, Sku.id == Stock.sku_id)
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0)
        .group_by(Stock.place_id)
    )
