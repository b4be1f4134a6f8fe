"""A receiving dock in a line each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Park
from wms.catalog.values import SkuFacts
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.inbound import queries, service
from wms.inbound.values import AsnFacts, PutAway, Received
from wms.ledger.promises import PROMISES
from wms.work import queries as work
from wms.work.values import TaskFacts


def refusal(work: Callable[[], object]) -> Reason:
    with pytest.raises(Refused) as no:
        work()
    return no.value.reason


def announced(park: Park, no: str, *lines: tuple[SkuFacts, int], merchant_code: str = "M1") -> int:
    """An ASN; its id."""
    wanted = [(sku.code, quantity) for sku, quantity in lines]
    return park.act(lambda call: service.create_asn(call, no=no, merchant_code=merchant_code, lines=wanted))


def received(park: Park, sku: SkuFacts, quantity: int, box: str | None = None, **facts: Any) -> Received:
    def take(call: Call) -> Received:
        return service.receive(call, sku=sku, quantity=quantity, container=service.lpn(call, box, named=True), **facts)

    return park.act(take)


def put_away(park: Park, box: str, slot: str | None = None, **facts: Any) -> list[PutAway]:
    return park.act(lambda call: service.put_away(call, container=service.box(call, box), slot_code=slot, **facts))


def asn(park: Park, asn_id: int) -> AsnFacts:
    return park.read(lambda session: queries.asn_by_id(session, park.warehouse_id, asn_id))


def lies_in(park: Park, place_id: int) -> list[tuple[str, int]]:
    """SKU code and quantity of what lies in a place."""
    rows = park.read(lambda session: queries.in_container(session, park.warehouse_id, place_id))
    return [(row.sku_code, row.on_hand) for row in rows]


def broken_promises(park: Park) -> list[str]:
    return park.read(
        lambda session: [f"{promise.name}: {broken}" for promise in PROMISES for broken in promise.check(session)]
    )


def open_putaways(park: Park) -> list[TaskFacts]:
    """Putaway tasks nobody has done yet."""
    return park.read(lambda session: work.tasks(session, park.warehouse_id, kinds=["putaway"]))
