"""The sort plan: hubs to chutes, heavy hubs on several, neighbours of one courier together. Decided without the
database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wms.sorting.values import HubLoad

CHUTES_PER_HUB_MAX = 3


def share_chutes(loads: Sequence[HubLoad], chutes: Sequence[int]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Chutes of each (courier, hub). Every hub gets one while there are any; more go where the load per chute is
    highest.

    When there are more hubs than chutes, the lightest hubs are left out: their parcels go to reject and onto a
    worklist, where a person sorts them by hand. Couriers keep their chutes side by side.
    """
    counts = _counts(loads, len(chutes))
    plan: dict[tuple[str, str], tuple[int, ...]] = {}
    free = iter(chutes)
    for load in sorted(loads, key=lambda load: (load.courier, -load.parcels, load.hub)):
        mine = tuple(next(free) for _ in range(counts.get((load.courier, load.hub), 0)))
        if mine:
            plan[load.courier, load.hub] = mine
    return plan


def _counts(loads: Sequence[HubLoad], chutes: int) -> Mapping[tuple[str, str], int]:
    """How many chutes each hub gets: one each by falling load, then the highest load per chute first."""
    by_load = sorted(loads, key=lambda load: (-load.parcels, load.courier, load.hub))
    counts = {(load.courier, load.hub): 1 for load in by_load[:chutes]}
    parcels = {(load.courier, load.hub): load.parcels for load in by_load}
    for _ in range(chutes - len(counts)):
        open_hubs = [hub for hub, count in counts.items() if count < CHUTES_PER_HUB_MAX and parcels[hub] > count]
        if not open_hubs:
            break
        heaviest = max(open_hubs, key=lambda hub: (parcels[hub] / counts[hub], hub))
        counts[heaviest] += 1
    return counts


def group_of(chutes: str) -> frozenset[int]:
    """The chutes of a group as written: "5/6" -> {5, 6}."""
    return frozenset(int(part) for part in chutes.split("/") if part)
