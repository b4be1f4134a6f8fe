"""Layouts as they stand: which slots are free, and how bands become slots."""

from __future__ import annotations

import numpy as np

from wms.optimise.slotting.values import Flags, Floats, Ground, Ints


def ranked(ground: Ground, speed: Floats) -> Ints:
    """A first guess: the band of each SKU when the fastest lie in the lanes nearest to the depot, from the front."""
    order = np.lexsort((ground.band_depth_m, ground.band_lane, ground.lane_reach_m[ground.band_lane]))
    places = np.repeat(order, ground.band_slots[order])
    band = np.empty(len(speed), dtype=np.int64)
    band[np.argsort(-speed, kind="stable")] = places[: len(speed)]
    return band


def into_slots(ground: Ground, wanted: Ints, speed: Floats, place: Ints) -> Ints:
    """Bands as a layout: who lies in his band stays, the others take its free slots, the fastest the shallowest."""
    stays = ground.slot_band[place] == wanted
    free = Free(ground, place[stays])
    place = place.copy()
    leavers = np.flatnonzero(~stays)
    for sku in leavers[np.argsort(-speed[leavers], kind="stable")].tolist():
        place[sku] = free.take(int(wanted[sku]))
    return place


class Free:
    """Free slots by band, the shallowest first."""

    def __init__(self, ground: Ground, place: Ints) -> None:
        self._band = ground.slot_band
        self._depth = ground.slot_depth_m
        empty = np.ones(len(ground.slot_band), dtype=np.bool_)
        empty[place] = False
        self._slots: list[list[int]] = [[] for _ in ground.band_slots]
        for slot in np.flatnonzero(empty).tolist():
            self._slots[self._band[slot]].append(slot)
        for slots in self._slots:
            slots.sort(key=self._order)
        self.count = np.array([len(slots) for slots in self._slots], dtype=np.int64)

    def _order(self, slot: int) -> tuple[float, int]:
        return float(self._depth[slot]), slot

    def leave(self, slot: int) -> None:
        """The slot is free from now on."""
        slots = self._slots[self._band[slot]]
        slots.append(int(slot))
        slots.sort(key=self._order)
        self.count[self._band[slot]] += 1

    def take(self, band: int, wanted: int = -1) -> int:
        """A free slot of the band: the wanted one if it is free, else the shallowest."""
        slots = self._slots[band]
        slot = int(wanted) if wanted in slots else slots[0]
        slots.remove(slot)
        self.count[band] -= 1
        return slot

    def take_lawful(self, band: int, lawful: Flags | None) -> int | None:
        """The shallowest free slot of the band among the lawful ones (all without); None when there is none."""
        slot = next((each for each in self._slots[band] if lawful is None or lawful[each]), None)
        if slot is not None:
            self.take(band, slot)
        return slot
