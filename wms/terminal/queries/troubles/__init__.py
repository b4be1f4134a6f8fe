"""What wants a person now, each with its cure. Troubles are found in the rows anew at each look: none is kept."""

from __future__ import annotations

from collections.abc import Sequence

from wms.terminal.queries.look import Look
from wms.terminal.queries.troubles import house, machines, orders, people
from wms.terminal.rules.order import in_turn
from wms.terminal.values import Flow, Tile, Trouble, Worker

TROUBLES_MAX = 60


def troubles(look: Look, flow: Flow, crew: Sequence[Worker], tiles: Sequence[Tile]) -> list[Trouble]:
    """Everything that wants a person, the gravest first."""
    labels = list(machines.labels_due(look, tiles))
    found = [
        *orders.late(look, flow),
        *orders.not_released(look, flow),
        *orders.short(look),
        *orders.stopped(look),
        *orders.stuck_planning(look),
        *orders.out_of_reach(look),
        *labels,
        *machines.uncertain_labels(look),
        *machines.taken_over(look),
        *machines.devices_down(tiles, labels),
        *machines.chutes(look),
        *machines.rejected(look),
        *people.idle(look, crew),
        *people.put_aside(look),
        *house.set_aside(look),
        *house.broken_promises(look),
        *house.counts_to_approve(look),
        *house.numbers_low(look),
        *house.weak_ground(look),
    ]
    return in_turn(found)[:TROUBLES_MAX]
