"""Rules about who does what: stock, purity, Flask, time, and which file of a room may know which."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import Import, Source, dotted, sources

STOCK_TABLES = ("stock", "movement", "hold")
WRITING_SQL = re.compile(rf"\b(INSERT\s+INTO|UPDATE|DELETE\s+FROM)\s+(ONLY\s+)?({'|'.join(STOCK_TABLES)})\b", re.I)
WRITING_CALLS = ("insert", "update", "delete")
STOCK_BALANCES = ("on_hand", "promised")

WEB = ("flask", "apiflask", "werkzeug", "flask_")
WEB_ROOMS = ("handheld", "terminal", "exchange")
WEB_KINDS = ("api", "pages")
WEB_FILES = ("wms/app.py", "wms/core/openapi.py", "wms/core/web.py")

IMPURE = ("sqlalchemy", "logging", "structlog", "socket", "requests", "httpx", *WEB)
IMPURE_OURS = re.compile(r"wms\.(core\.(db|clock|outbox|perform|wakes|web)|\w+\.(service|queries|tables|api|pages))\b")
UNSEEDED = re.compile(r"(random\.(?!Random$|Random\.)\w+|(np|numpy)\.random\.(?!default_rng$|Generator$|PCG64$)\w+)$")

WALL_CLOCK = {"datetime.now", "datetime.utcnow", "datetime.today", "date.today", "time.time", "time.time_ns"}
WALL_CLOCK_FILES = {
    "wms/core/clock.py": "is the clock",
}

BYTES_FILES = {
    "wms/serving/server.py": "asks bytes, which know the ten digits only",
}

# Which kinds of file a kind must not know; the table in ARCHITECTURE.md says which it may.
MUST_NOT_KNOW = {
    "values": ("tables", "rules", "service", "queries", "dialogue", "api", "pages"),
    "tables": ("rules", "service", "queries", "dialogue", "api", "pages"),
    "rules": ("tables", "service", "queries", "dialogue", "api", "pages"),
    "queries": ("service", "dialogue", "api", "pages"),
    "service": ("dialogue", "api", "pages"),
    "dialogue": ("api", "pages"),
}


def only_the_ledger_writes_stock(root: Path) -> list[str]:
    """Everyone else asks it to post movements, to hold and to release; reading is free."""
    return [
        sentence
        for source in sources(root, "wms", "migrations")
        if source.room != "ledger" and "versions" not in source.path.parts
        for sentence in _stock_writes(source)
    ]


def _stock_writes(source: Source) -> Iterator[str]:
    records = {found.local for found in source.imports if _is_stock_record(found)}
    records |= {name for node in ast.walk(source.tree) for name in _made_of(node, records)}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and WRITING_SQL.search(node.value):
            yield f"{source.at(node.lineno)} writes stock by SQL; ask wms.ledger"
        elif isinstance(node, ast.Call) and _writes(node, records):
            yield f"{source.at(node.lineno)} writes a record of the ledger; ask wms.ledger"
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and node.attr in STOCK_BALANCES:
            yield f"{source.at(node.lineno)} sets {node.attr} itself; ask wms.ledger"


def _made_of(node: ast.AST, records: set[str]) -> Iterator[str]:
    """`stock` in `stock = table_of(Stock)` and in `stock = session.get(Stock, 7)`."""
    if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Call):
        return
    if any(isinstance(argument, ast.Name) and argument.id in records for argument in node.value.args):
        yield from (dotted(target) for target in node.targets)


def _is_stock_record(found: Import) -> bool:
    return found.module.startswith("wms.ledger") and found.name in {"Stock", "MovementRow", "Hold", "tables"}


def _writes(call: ast.Call, records: set[str]) -> bool:
    """`Stock(...)`, `tables.Stock(...)`, `insert(Stock)`, `Stock.__table__.update()`."""
    if _names_record(call.func, records) and not isinstance(call.func, ast.Call):
        last = dotted(call.func).rpartition(".")[2]
        return last in WRITING_CALLS or last[:1].isupper()
    called = dotted(call.func).rpartition(".")[2]
    return called in WRITING_CALLS and any(_names_record(argument, records) for argument in call.args)


def _names_record(node: ast.AST, records: set[str]) -> bool:
    return dotted(node).split(".")[0] in records


def flask_stays_at_the_edge(root: Path) -> list[str]:
    """A service can be called from a job, a test or a telegram; so it knows no HTTP."""
    return [
        f"{source.at(found.line)} imports {found.module}; HTTP belongs in api.py or pages.py"
        for source in sources(root, "wms")
        if not _is_edge(source)
        for found in source.imports
        if found.module.startswith(WEB)
    ]


def _is_edge(source: Source) -> bool:
    return source.room in WEB_ROOMS or source.kind in WEB_KINDS or str(source.path) in WEB_FILES


def rules_and_plans_are_pure(root: Path) -> list[str]:
    """Values in, values out: no database, no clock, no network, no log, and the same seed gives the same plan."""
    pure = (s for s in sources(root, "wms") if s.kind == "rules" or s.room == "optimise")
    return [sentence for source in pure for sentence in _impurities(source)]


def _impurities(source: Source) -> Iterator[str]:
    for found in source.imports:
        if found.module.startswith(IMPURE) or IMPURE_OURS.match(found.whole):
            yield f"{source.at(found.line)} imports {found.whole}; rules and plans are pure"
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Call):
            continue
        name = dotted(node.func)
        if name in WALL_CLOCK or UNSEEDED.match(name) or (name.endswith("default_rng") and not node.args):
            yield f"{source.at(node.lineno)} asks {name}; hand the moment or the seed in"


def rooms_get_the_time_with_each_call(root: Path) -> list[str]:
    """Business time may run fast in a demonstration, so only the clock asks the machine."""
    return [
        f"{source.at(node.lineno)} asks {dotted(node.func)}; use call.now (WallClock for signatures)"
        for source in sources(root, "wms")
        if str(source.path) not in WALL_CLOCK_FILES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and dotted(node.func) in WALL_CLOCK
    ]


def digits_are_decimal(root: Path) -> list[str]:
    """A superscript two is a digit and no number: what asks `isdigit` falls over it one line later."""
    return [
        f"{source.at(node.lineno)} asks {node.func.attr}; a text that int() can read is isdecimal()"
        for source in sources(root, "wms")
        if str(source.path) not in BYTES_FILES
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        if node.func.attr in ("isdigit", "isnumeric")
    ]


def files_of_a_room_know_their_place(root: Path) -> list[str]:
    """Values know nothing, rules know values, services know rules, edges know services."""
    return [
        f"{source.at(found.line)}: {source.kind}.py must not know {found.whole}"
        for source in sources(root, "wms")
        for found in source.imports
        if _kind_of(found) in MUST_NOT_KNOW.get(source.kind, ())
    ]


def _kind_of(found: Import) -> str:
    parts = found.whole.split(".")
    return parts[2] if parts[0] == "wms" and len(parts) > 2 else ""
