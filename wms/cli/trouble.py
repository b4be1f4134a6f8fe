"""What every command shares: the option that names the database, and how trouble is told."""

from __future__ import annotations

import argparse

from wms.trouble import Trouble, first_line, open_database, opening, refuse_missing_file

__all__ = ["Trouble", "add_db_option", "first_line", "open_database", "opening", "printable", "refuse_missing_file"]


def add_db_option(parser: argparse.ArgumentParser) -> None:
    """`--db URL`, else WMS_DB_URL, else ./chuwei.db."""
    parser.add_argument("--db", metavar="URL", help="database: a file, sqlite:///PATH or postgresql://... (WMS_DB_URL)")


def printable(text: str) -> str:
    """A line that may hold foreign text, without what would steer a terminal."""
    return "".join(sign if sign.isprintable() else "?" for sign in text)
