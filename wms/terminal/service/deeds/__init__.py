"""The deeds behind the buttons. Each goes through the service of its room; `DEEDS` says which right it takes.

A deed answers with words for who pressed, and with what the planner is to do after the commit, if anything.
"""

from __future__ import annotations

from collections.abc import Mapping

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.people.rules import require
from wms.terminal.service.deeds import (
    closing,
    gains,
    house,
    labels,
    line,
    orders,
    people,
    printing,
    refills,
    slots,
    waves,
)
from wms.terminal.service.deeds.deed import Args, Deed, Done

DEEDS: Mapping[str, Deed] = {
    **orders.DEEDS,
    **waves.DEEDS,
    **people.DEEDS,
    **printing.DEEDS,
    **line.DEEDS,
    **labels.DEEDS,
    **slots.DEEDS,
    **refills.DEEDS,
    **gains.DEEDS,
    **house.DEEDS,
    **closing.DEEDS,
}


def do(call: Call, name: str, args: Args) -> Done:
    """Do what a button says. Raises NOT_ALLOWED, BAD_INPUT for an unknown button, and what the rooms raise."""
    deed = DEEDS.get(name)
    if deed is None:
        raise Refused(Reason.BAD_INPUT, what=f"deed {name[:40]}")
    require(call.rights, deed.right)
    call.wakes.add("live")
    return deed.do(call, args)
