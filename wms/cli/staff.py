"""`wms people` and `wms pdas`: let a person or a handheld in. Secrets are made here, shown once and kept nowhere."""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Callable
from typing import Any

from wms.cli.keys import the_warehouse
from wms.cli.trouble import add_db_option, open_database
from wms.core.call import Call
from wms.core.clock import WallClock
from wms.core.ids import new_id
from wms.core.perform import system_call
from wms.people import service as people
from wms.people.values import DeviceKind, Role

PASSWORD_BYTES = 12


def add_to(commands: Any) -> None:
    persons = commands.add_parser("people", help="who works here").add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=commands._parser_class
    )
    person = persons.add_parser("add", help="list a person; prints a PIN (and with --login a password), once")
    person.add_argument("--badge", required=True, metavar="CODE", help="what the badge's barcode says")
    person.add_argument("--name", required=True)
    person.add_argument("--role", required=True, choices=[role.value for role in Role])
    person.add_argument("--login", metavar="NAME", help="name for the control terminal")
    person.add_argument("--language", choices=["zh", "en"], default="zh")
    _finish(person, _add_person)
    handhelds = commands.add_parser("pdas", help="handhelds").add_subparsers(
        dest="action", metavar="ACTION", required=True, parser_class=commands._parser_class
    )
    handheld = handhelds.add_parser("add", help="let a handheld in (again)")
    handheld.add_argument("code", metavar="CODE", help="its name, as in http://SERVER/pda/?device=CODE")
    _finish(handheld, _add_pda)


def _finish(parser: argparse.ArgumentParser, run: Callable[[argparse.Namespace], int]) -> None:
    parser.add_argument("--warehouse", metavar="CODE", help="which warehouse, where there are several")
    add_db_option(parser)
    parser.set_defaults(run=run)


def _add_person(given: argparse.Namespace) -> int:
    pin = new_pin()
    password = secrets.token_urlsafe(PASSWORD_BYTES) if given.login else None

    def add(call: Call) -> int:
        return people.add_person(
            call,
            badge=given.badge,
            name=given.name,
            role=given.role,
            pin=pin,
            login=given.login,
            password=password,
            language=given.language,
        )

    _act(given, add)
    print(f"badge {given.badge}, PIN {pin}" + (f", login {given.login}, password {password}" if password else ""))
    return 0


def new_pin() -> str:
    """Six random digits, not all the same."""
    while True:
        pin = f"{secrets.randbelow(10**6):06d}"
        if len(set(pin)) > 1:
            return pin


def _add_pda(given: argparse.Namespace) -> int:
    _act(given, lambda call: people.enrol_device(call, code=given.code, kind=DeviceKind.HANDHELD, name=given.code))
    print(f"open http://SERVER:PORT/pda/?device={given.code} on it, once")
    return 0


def _act(given: argparse.Namespace, work: Callable[[Call], Any]) -> None:
    database = open_database(given.db)
    try:
        here = the_warehouse(database, given.warehouse)
        system_call(database, WallClock(), here, work, request_id=new_id(), actor="command line")
    finally:
        database.dispose()
