"""A wave on the floor in a line or two: what the tests of the aisles begin with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import func, select

from tests.builders import Park, a_park, a_sku, stock_in
from tests.outbound.orders import allocate, place
from wms.catalog.values import SkuFacts
from wms.core.db import Database
from wms.core.refusal import Refused
from wms.core.tables import OutboxRow
from wms.ledger.tables import Stock
from wms.outbound import service as outbound
from wms.people import service as people
from wms.people.values import Role
from wms.picking import queries, service
from wms.picking.values import Walk
from wms.site import queries as site

NEAR, MIDDLE, FAR, SPARE = "A01-01-1A", "A01-05-2A", "A02-09-1A", "A02-02-1A"


@dataclass
class Floor:
    """A small park with three goods in three slots: tea (10) near, nuts (10) in the middle, salt (20) far away."""

    park: Park
    tea: SkuFacts
    nuts: SkuFacts
    salt: SkuFacts

    def release(self, *orders: tuple[str, list[tuple[SkuFacts, int]]]) -> str:
        """Orders placed, allocated, gathered in one wave and released; the wave's number."""
        for no, lines in orders:
            place(self.park, no, *lines)
            allocate(self.park, no)
        (wave,) = self.park.act(lambda call: outbound.make_waves(call, hot_from=1_000))
        self.park.act(lambda call: outbound.release_wave(call, wave))
        return wave

    def batch(self, *orders: tuple[str, list[tuple[SkuFacts, int]]]) -> int:
        """One planned batch of these orders; its id."""
        wave = self.release(*orders)
        planned = self.park.act(lambda call: service.plan_wave(call, wave))
        assert len(planned.batches) == 1
        return planned.batches[0]

    def loaded(self, *orders: tuple[str, list[tuple[SkuFacts, int]]]) -> int:
        """A batch with cart C-01 and totes T-0001, T-0002, ... on it; its id."""
        batch_id = self.batch(*orders)
        self.park.act(lambda call: service.begin_batch(call, batch_id, "C-01"))
        for tote in self.walk(batch_id).totes:
            code = f"T-{tote.position:04d}"
            self.park.act(lambda call, p=tote.position, c=code: service.assign_tote(call, batch_id, p, c))  # type: ignore[misc]
        return batch_id

    def walk(self, batch_id: int) -> Walk:
        return self.park.read(lambda session: queries.walk_of_batch(session, self.park.warehouse_id, batch_id))

    def pick_all(self, batch_id: int) -> None:
        for pick in self.walk(batch_id).open_picks:
            self.park.act(lambda call, pick=pick: service.pick(call, pick.id, pick.left))  # type: ignore[misc]

    def on_hand(self, place: str) -> int:
        """Pieces in a slot or container of this code."""

        def ask(session: Any) -> int:
            place_id = self.place_id(session, place)
            return int(
                session.scalar(select(func.coalesce(func.sum(Stock.on_hand), 0)).where(Stock.place_id == place_id))
            )

        return self.park.read(ask)

    def place_id(self, session: Any, code: str) -> int:
        warehouse_id = self.park.warehouse_id
        if code.count("-") == 2:
            return site.slot_by_code(session, warehouse_id, code).place_id
        return site.container_by_code(session, warehouse_id, None, code).place_id

    def person(self, badge: str) -> int:
        return self.park.act(
            lambda call: people.add_person(call, badge=badge, name=f"工人 {badge}", role=Role.WORKER, pin="2468")
        )


def a_floor(database: Database) -> Floor:
    park = a_park(database)

    def stocked(code: str, slot: str, quantity: int) -> SkuFacts:
        sku = park.act(lambda call: a_sku(call, code, unit="罐", name=f"{code} 50 g"))
        park.act(lambda call: stock_in(call, sku, slot, quantity))
        return sku

    return Floor(park, stocked("TEA", NEAR, 10), stocked("NUTS", MIDDLE, 10), stocked("SALT", FAR, 20))


def refused(park: Park, work: Any) -> Refused:
    with pytest.raises(Refused) as no:
        park.act(work)
    return no.value


def topics(park: Park) -> list[str]:
    return park.read(lambda session: [row.topic for row in session.scalars(select(OutboxRow).order_by(OutboxRow.id))])
