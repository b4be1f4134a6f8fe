"""`wms keys` and `wms gateways`: let a program or a station's gateway in."""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from wms.catalog import queries as catalog
from wms.cli.trouble import Trouble, add_db_option, open_database
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.exchange.gateways import service as gateways
from wms.people import service as people
from wms.people.values import Role
from wms.site.tables import Warehouse


def add_to(commands: Any) -> None:
    keys = commands.add_parser("keys", help="API keys of programs").add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=commands._parser_class
    )
    create = keys.add_parser("create", help="print a new API key, once")
    create.add_argument("--role", required=True, choices=[role.value for role in Role])
    create.add_argument("--merchant", metavar="CODE", help="the merchant whose rows this key may see (role merchant)")
    create.add_argument("--warehouse", metavar="CODE", help="which warehouse, where there are several")
    add_db_option(create)
    create.set_defaults(run=_create)
    links = commands.add_parser("gateways", help="stations' gateways").add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=commands._parser_class
    )
    invite = links.add_parser("invite", help="print a pairing code for a station's gateway, good for ten minutes")
    invite.add_argument("--station", required=True, metavar="CODE")
    invite.add_argument("--name", required=True, metavar="NAME")
    invite.add_argument("--warehouse", metavar="CODE")
    add_db_option(invite)
    invite.set_defaults(run=_invite)


def _create(given: argparse.Namespace) -> int:
    database = open_database(given.db)
    here = the_warehouse(database, given.warehouse)
    key = system_call(
        database,
        WallClock(),
        here,
        lambda call: people.make_key(call, role=given.role, merchant_id=_merchant(call, given.merchant)),
        request_id=new_id(),
        actor="command line",
    )
    print(key)
    return 0


def _merchant(call: Call, code: str | None) -> int | None:
    return catalog.merchant_by_code(call.session, call.warehouse_id, code).id if code else None


def _invite(given: argparse.Namespace) -> int:
    database = open_database(given.db)
    here = the_warehouse(database, given.warehouse)
    code = system_call(
        database,
        WallClock(),
        here,
        lambda call: gateways.invite(call, station_code=given.station, name=given.name),
        request_id=new_id(),
        actor="command line",
    )
    print(code)
    return 0


def the_warehouse(database: Database, code: str | None) -> int:
    """The warehouse meant: by code, or the only one. Raises Trouble."""

    def ask(session: Session) -> list[tuple[int, str]]:
        rows = session.execute(select(Warehouse.id, Warehouse.code).order_by(Warehouse.id))
        return [(row.id, row.code) for row in rows if code in (None, row.code)]

    found = database.read(ask)
    if len(found) == 1:
        return found[0][0]
    if not found:
        raise Trouble(f"no warehouse {code or 'yet'}: make one with wms demo, or import slots")
    raise Trouble(f"several warehouses: name one with --warehouse ({', '.join(name for _id, name in found)})")
