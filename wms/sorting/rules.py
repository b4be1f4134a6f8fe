"""The sort plan in the words of the line: hubs by courier and name, chutes by number. Decided without the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from wms.optimise import sortplan
from wms.optimise.sortplan import CHUTES_PER_HUB_MAX
from wms.sorting.values import HubLoad, HubRow, Plan, PlanWorth, SortProposal, Switch

__all__ = ["CHUTES_PER_HUB_MAX", "group_of", "group_text", "keep_going", "propose", "share_chutes", "switch"]


def share_chutes(loads: Sequence[HubLoad], chutes: Sequence[int]) -> dict[tuple[str, str], tuple[int, ...]]:
    """Chutes of each (courier, hub), at once. Every hub gets one while there are any; more go where the load per chute
    is highest.

    When there are more hubs than chutes, the lightest hubs are left out: their parcels go to reject and onto a
    worklist, where a person sorts them by hand. Couriers keep their chutes side by side.
    """
    return _by_hub(sortplan.by_load(_hubs(loads), sortplan.Line(tuple(chutes), {})))


def keep_going(loads: Sequence[HubLoad], chutes: Sequence[int], now: Plan) -> dict[tuple[str, str], tuple[int, ...]]:
    """The running plan on the chutes that are left: who lost his last one gets another, nobody else moves."""
    return _by_hub(sortplan.repair(_hubs(loads), _line(chutes, now)))


def propose(loads: Sequence[HubLoad], chutes: Sequence[int], now: Plan) -> SortProposal:
    """The best plan for these chutes beside what runs now, hub by hub and in figures. Takes seconds."""
    hubs, line = _hubs(loads), _line(chutes, now)
    found = sortplan.solve(hubs, line)
    after = _by_hub(found.chutes)
    rows = [_row(one, now, after) for one in loads]
    running = {_key(courier, hub): mine for (courier, hub), mine in now.items()}
    return SortProposal(
        tuple(sorted(rows, key=lambda row: (row.courier, row.hub))),
        before=_worth(hubs, line, {key: tuple(set(mine) & set(chutes)) for key, mine in running.items()}),
        after=_worth(hubs, line, found.chutes),
        optimal=found.optimal,
    )


def _row(load: HubLoad, now: Plan, after: Plan) -> HubRow:
    hub = (load.courier, load.hub)
    return HubRow(*hub, load.parcels, now.get(hub, ()), after.get(hub, ()))


def _worth(hubs: Sequence[sortplan.Hub], line: sortplan.Line, plan: Mapping[str, tuple[int, ...]]) -> PlanWorth:
    found = sortplan.worth(hubs, line, plan)
    return PlanWorth(found.unserved, found.fullest, found.moved, found.blocks)


def _line(chutes: Sequence[int], now: Plan) -> sortplan.Line:
    return sortplan.Line(tuple(chutes), {_key(courier, hub): mine for (courier, hub), mine in now.items()})


def _hubs(loads: Sequence[HubLoad]) -> list[sortplan.Hub]:
    return [sortplan.Hub(_key(load.courier, load.hub), load.courier, load.parcels) for load in loads]


def _key(courier: str, hub: str) -> str:
    """One word for a hub; a courier's code holds no tab."""
    return f"{courier}\t{hub}"


def _by_hub(plan: Mapping[str, tuple[int, ...]]) -> dict[tuple[str, str], tuple[int, ...]]:
    split = {tuple(key.split("\t", 1)): mine for key, mine in plan.items()}
    return {(courier, hub): mine for (courier, hub), mine in split.items()}


def group_of(chutes: str) -> frozenset[int]:
    """The chutes of a group as written: "5/6" -> {5, 6}."""
    return frozenset(int(part) for part in chutes.split("/") if part)


def group_text(chutes: Sequence[int]) -> str:
    """A group as it is written: (5, 6) -> "5/6"."""
    return "/".join(map(str, chutes))


def switch(now: Plan, then: Plan, hanging: Mapping[int, tuple[str, str]]) -> Switch:
    """From the running plan to another without one parcel in a wrong sack.

    `hanging` says whose bag hangs at a chute. A chute with another hub's bag keeps its hub until that bag is changed;
    every other chute changes at once.
    """
    owners_now, owners_then = _owners(now), _owners(then)
    running, waiting = dict(owners_now), {}
    for chute in sorted(owners_now.keys() | owners_then.keys()):
        hub = owners_then.get(chute)
        if hub == owners_now.get(chute):
            continue
        if chute in hanging and hanging[chute] != hub and chute in owners_now:
            waiting[chute] = hub
        elif hub is None:
            running.pop(chute)
        else:
            running[chute] = hub
    return Switch(_plan_of(running), waiting)


def _owners(plan: Plan) -> dict[int, tuple[str, str]]:
    return {chute: hub for hub, mine in plan.items() for chute in mine}


def _plan_of(owners: Mapping[int, tuple[str, str]]) -> dict[tuple[str, str], tuple[int, ...]]:
    hubs = dict.fromkeys(owners[chute] for chute in sorted(owners))
    return {hub: tuple(chute for chute in sorted(owners) if owners[chute] == hub) for hub in hubs}
