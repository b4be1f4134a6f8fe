"""The `wms` command. Exit 0: done; 1: what was checked does not hold; 2: bad usage or input, with one clear line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from typing import NoReturn

from wms.cli import auditing, benches, databases, demonstration, importing, keys, serving, staff
from wms.cli.trouble import Trouble, printable
from wms.core.i18n import text
from wms.core.refusal import Refused
from wms.settings import BadSetting

COMMANDS = (demonstration, serving, databases, auditing, staff, keys, importing, benches)


class OneLineParser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where the help is."""

    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {printable(message)} (see {self.prog} --help)", file=sys.stderr)
        raise SystemExit(2)


def parser() -> argparse.ArgumentParser:
    """All commands with their options."""
    whole = OneLineParser(prog="wms", description="Chuwei (储位): warehouse management for e-commerce parks")
    commands = whole.add_subparsers(dest="command", metavar="COMMAND", required=True, parser_class=OneLineParser)
    for command in COMMANDS:
        command.add_to(commands)
    return whole


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit code."""
    try:
        given = parser().parse_args(arguments)
        return int(given.run(given) or 0)
    except (Trouble, BadSetting) as trouble:
        print(f"wms: {printable(str(trouble))}", file=sys.stderr)
        return 2
    except Refused as no:
        print(f"wms: {printable(text(f'reason.{no.reason.value}', 'en', **no.facts))}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("wms: stopped", file=sys.stderr)
        return 130
