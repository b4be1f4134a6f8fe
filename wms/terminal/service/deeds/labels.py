"""Labels: how they look, and one of them on a printer to see it."""

from __future__ import annotations

from collections.abc import Mapping

from wms.catalog import queries as catalog
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.exchange.reactions import language_at
from wms.people.values import Right
from wms.printing import designing
from wms.printing.queries import EVERYBODY
from wms.site import queries as site
from wms.terminal.service.deeds.deed import Args, Deed, Done, number, said, text


def _whose(call: Call, args: Args) -> int:
    """Raises NOT_FOUND for a merchant who is not in this building."""
    merchant = number(args, "of")
    known = {EVERYBODY, *(one.id for one in catalog.merchants(call.session, call.warehouse_id))}
    if merchant not in known:
        raise Refused(Reason.NOT_FOUND, what=f"merchant {merchant}")
    return merchant


def _save_design(call: Call, args: Args) -> Done:
    designing.save_design(call, text(args, "label"), args.get("elements"), _whose(call, args))
    return said("design_saved")


def _drop_design(call: Call, args: Args) -> Done:
    designing.drop_design(call, text(args, "label"), _whose(call, args))
    return said("design_dropped")


def _print_test(call: Call, args: Args) -> Done:
    station = site.station_by_code(call.session, call.warehouse_id, text(args, "station"))
    language = language_at(call.session, station.id)
    designing.print_test(call, text(args, "label"), station.id, language, _whose(call, args))
    return said("test_printed", station=station.name)


DEEDS: Mapping[str, Deed] = {
    "save_design": Deed(Right.MANAGE_MERCHANTS, _save_design),
    "drop_design": Deed(Right.MANAGE_MERCHANTS, _drop_design),
    "print_test": Deed(Right.PRINT, _print_test),
}
