"""Aisles and zones closed and opened from the map. What was planned follows after the commit."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime, timedelta

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.site import closing
from wms.site import queries as site
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said, text

_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)")


def _close(call: Call, args: Args) -> Done:
    """An aisle by its name (whole, or from one bay to another), or a zone by its letter."""
    name, why, until = text(args, "name"), text(args, "why"), _until(call, args)
    bays = _bays(args)
    if any(zone.code == name for zone in site.zones(call.session, call.warehouse_id)):
        closing.close_zone(call, name, why=why, until=until)
    else:
        closing.close_aisle(call, name, why=why, until=until, bays=bays)
    return said("floor_closed", name=name)


def _bays(args: Args) -> tuple[int, int] | None:
    """None for the whole aisle; one bay alone is that bay."""
    given = [number(args, name) for name in ("from", "to") if args.get(name) is not None]
    return (given[0], given[-1]) if given else None


def _until(call: Call, args: Args) -> datetime | None:
    """The next time the building's clock shows this; None when nothing was said."""
    if not args.get("until"):
        return None
    clock = _CLOCK.fullmatch(text(args, "until"))
    if clock is None:
        raise Refused(Reason.BAD_INPUT, what="until")
    here = site.warehouse(call.session, call.warehouse_id)
    local = here.local(call.now).replace(hour=int(clock[1]), minute=int(clock[2]), second=0, microsecond=0)
    return local if local > call.now else local + timedelta(days=1)


def _open(call: Call, args: Args) -> Done:
    return said("floor_opened", name=closing.open_again(call, number(args, "closure")).name)


DEEDS: Mapping[str, Deed] = {
    "close_floor": Deed(Right.BLOCK_SLOTS, _close),
    "open_floor": Deed(Right.BLOCK_SLOTS, _open),
}
