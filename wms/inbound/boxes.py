"""The boxes goods are received into: found by their label, made for a new label."""

from __future__ import annotations

import re

from sqlalchemy import bindparam, select

from wms.core.call import Call
from wms.core.codes import Kind
from wms.core.codes import read as read_code
from wms.core.db.tables import table_of
from wms.core.refusal import Reason, Refused
from wms.ledger.tables import Stock
from wms.site import queries as site_queries
from wms.site import service as site
from wms.site.values import ContainerFacts, ContainerKind

LPN_CODE = re.compile(r"[0-9A-Z-]{1,40}")

_stock = table_of(Stock)
_own_goods = (
    select(_stock.c.id)
    .where(_stock.c.place_id == bindparam("p"), _stock.c.merchant_id == bindparam("m"), _stock.c.on_hand > 0)
    .limit(1)
)


def lpn(call: Call, scanned: str | None, *, named: bool = False) -> ContainerFacts:
    """The box goods are received into: a scanned label, made if it is new; without one, a new number.

    `named` says that a program names the box: a plain code is good too. A person's plain scan must be a box that is
    known, for it may be an item's bar code. Raises WRONG_KIND_SCANNED, CONTAINER_UNKNOWN.
    """
    if not scanned:
        return site.make_container(call, ContainerKind.LPN)
    code = read_code(scanned)
    if code.kind not in (Kind.CONTAINER, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=Kind.CONTAINER.value, scanned=scanned)
    known = site_queries.find_container(call.session, call.warehouse_id, None, code.body)
    if known is None and code.kind is Kind.PLAIN and not (named and LPN_CODE.fullmatch(code.body)):
        raise Refused(Reason.CONTAINER_UNKNOWN, container=code.body[:40])
    return _made(call, code.body) if known is None else _own(call, known)


def _made(call: Call, code: str) -> ContainerFacts:
    """A box for a new label. The other dock may have scanned it in the same second: then it is that one."""
    try:
        return site.make_container(call, ContainerKind.LPN, code)
    except Refused as taken:
        if taken.reason is not Reason.ALREADY_EXISTS:
            raise
    known = site_queries.find_container(call.session, call.warehouse_id, None, code)
    if known is None:
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=Kind.CONTAINER.value, scanned=code)
    return refuse_other_box(known)


def box(call: Call, scanned: str) -> ContainerFacts:
    """A box of received goods by its label or code. Raises WRONG_KIND_SCANNED, CONTAINER_UNKNOWN."""
    code = read_code(scanned)
    if code.kind not in (Kind.CONTAINER, Kind.PLAIN):
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=Kind.CONTAINER.value, scanned=scanned)
    return _own(call, site_queries.container_by_code(call.session, call.warehouse_id, None, code.body))


def _own(call: Call, container: ContainerFacts) -> ContainerFacts:
    """A merchant's program knows the boxes that hold goods of his; owners never mix in one by a guessed number."""
    if call.merchant_id is not None:
        given = {"p": container.place_id, "m": call.merchant_id}
        if call.session.execute(_own_goods, given).first() is None:
            raise Refused(Reason.CONTAINER_UNKNOWN, container=container.code)
    return refuse_other_box(container)


def refuse_other_box(container: ContainerFacts) -> ContainerFacts:
    """Totes and parcels belong to orders: nothing is received into them, and they are not put away."""
    if container.kind != ContainerKind.LPN:
        raise Refused(Reason.WRONG_KIND_SCANNED, expected=Kind.CONTAINER.value, scanned=container.code)
    return container
