"""The wiring: rooms' doors on one application, reactions to the outbox, and the upkeep beside them."""

from __future__ import annotations

from dataclasses import dataclass

from apiflask import APIFlask

from wms.catalog.api import catalog_api
from wms.core import logs
from wms.core.clock import Clock
from wms.core.db import Database
from wms.core.jobs import Jobs
from wms.core.neighbours import Neighbours
from wms.core.outbox import Deliverer
from wms.core.web import Edge, make_flask
from wms.exchange.api import exchange_api
from wms.exchange.floor_api import floor_api
from wms.exchange.gateways.api import gateways
from wms.exchange.reactions import reactions
from wms.handheld.pages import handheld_pages
from wms.inbound.api import inbound_api
from wms.outbound.api import outbound_api
from wms.people.queries import who_holds
from wms.picking.api import picking_api
from wms.settings import Settings
from wms.shipping.api import shipping_api
from wms.shipping.queries import cut_offs, usual_courier
from wms.terminal.pages import front_door, terminal_pages
from wms.upkeep import upkeep

BLUEPRINTS = (
    catalog_api,
    inbound_api,
    outbound_api,
    picking_api,
    shipping_api,
    exchange_api,
    floor_api,
    gateways,
    handheld_pages,
    terminal_pages,
    front_door,
)


@dataclass(frozen=True, slots=True)
class House:
    """A running house: the application, the worker that carries its announcements out, its upkeep, and what tells other
    servers of the same database.
    """

    app: APIFlask
    deliverer: Deliverer
    jobs: Jobs
    neighbours: Neighbours

    def open(self) -> None:
        self.neighbours.start()
        self.deliverer.start()
        self.jobs.start()

    def close(self) -> None:
        self.jobs.stop()
        self.deliverer.stop()
        self.neighbours.stop()


def make_house(db: Database, clock: Clock, settings: Settings) -> House:
    """The application over one open database, with the house's way of logging."""
    logs.set_up()
    app = make_flask(
        "wms",
        Edge(
            db,
            clock,
            lambda key: who_holds(db, key),
            {"settings": settings, "cut_offs": cut_offs, "usual_courier": usual_courier},
        ),
    )
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    return House(app, Deliverer(db, reactions(db, clock)), Jobs(upkeep(db, clock, settings)), Neighbours(db))
