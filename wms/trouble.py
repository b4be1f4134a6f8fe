"""What cannot go on, told to the person who started a program: one line, what, where, how to mend."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import ArgumentError, DBAPIError

from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.migrations.commands import known, newest
from wms.settings import database_url


class Trouble(Exception):
    """The message is the line shown; the exit code is 2."""


@contextmanager
def opening(url: str) -> Iterator[None]:
    """What goes wrong when a database is opened, as Trouble."""
    try:
        yield
    except (DBAPIError, ArgumentError, ImportError) as error:
        raise Trouble(f"cannot open the database {url}: {first_line(error)}") from error
    except Refused as no:
        if no.reason is not Reason.BUSY:
            raise
        raise Trouble(f"cannot open the database {url}: {first_line(no.__cause__ or no)}") from no


def open_database(given: str | None) -> Database:
    """An existing database with the schema of this program. Raises Trouble, SCHEMA_NEWER."""
    url = database_url(given)
    refuse_missing_file(url)
    with opening(url):
        stands_on = known(url)
    if stands_on != newest():
        raise Trouble(f"the database {url} has the schema {stands_on or 'of nobody'}: run wms db upgrade --db {url}")
    return Database.open(url)


def refuse_missing_file(url: str) -> None:
    """A reading command does not make an empty file. Raises Trouble."""
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).is_file():
        raise Trouble(f"no database at {url.removeprefix('sqlite:///')}: make one with wms db upgrade, or name another")


def first_line(error: BaseException) -> str:
    """The first line of an error's text."""
    return str(getattr(error, "orig", None) or error).strip().split("\n", 1)[0]
