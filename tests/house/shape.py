"""Rules about shape: small files and functions, named constraints, warehouses in every row, honest tests."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.house.source import Source, dotted, sources

FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
CODE = ("wms", "devices", "migrations", "scripts", "tests")

# What is longer than the rule allows, each with its reason. Remove a line here as soon as it is no longer needed.
LONG_FILES: dict[str, str] = {}
LONG_FUNCTIONS: dict[str, str] = {}

# Tables whose rows belong to no warehouse.
WITHOUT_WAREHOUSE = {
    "warehouse": "is the warehouse",
    "file_mark": "says what the database file is",
}

UNFINISHED = re.compile(r"#.*\b(TODO|FIXME|XXX|HACK)\b")
MOCKS = ("unittest.mock", "mock", "pytest_mock")


def files_are_short(root: Path) -> list[str]:
    """A file that passes the limit becomes a folder of the same name."""
    lines = {str(source.path): source.text.count("\n") for source in _written_by_hand(root)}
    return _over(lines, LONG_FILES, FILE_LINES_MAX)


def functions_are_short(root: Path) -> list[str]:
    """Branches in the parent, pure leaves. Docstrings do not count."""
    lines = {
        f"{source.path}::{node.name}": _length(node)
        for source in _written_by_hand(root)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    return _over(lines, LONG_FUNCTIONS, FUNCTION_LINES_MAX)


def _over(lines: dict[str, int], excused: dict[str, str], lines_max: int) -> list[str]:
    """What is too long without an excuse, and excuses that are no longer needed."""
    long = {name: count for name, count in lines.items() if count > lines_max}
    return [
        *(f"{name} has {count} lines, {lines_max} at most" for name, count in long.items() if name not in excused),
        *(f"{name} is short enough: strike it from the exceptions" for name in excused if name not in long),
    ]


def _written_by_hand(root: Path) -> Iterator[Source]:
    """All our code but the steps of the schema, which are generated."""
    return (source for source in sources(root, *CODE) if "versions" not in source.path.parts)


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant) and isinstance(first.value.value, str):
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


def tables_stand_in_tables(root: Path) -> list[str]:
    """So that the schema can be gathered without importing a room's behaviour."""
    return [
        f"{source.at(node.lineno)}: {node.name} is a table; it belongs in the room's tables.py"
        for source in sources(root, "wms")
        if source.kind != "tables"
        for node in _tables(source)
    ]


def every_row_knows_its_warehouse(root: Path) -> list[str]:
    """Isolation now, sharding later."""
    return [
        f"{source.at(node.lineno)}: {node.name} has no warehouse_id"
        for source in sources(root, "wms")
        for node in _tables(source)
        if "warehouse_id" not in _columns(node) and _table_name(node) not in WITHOUT_WAREHOUSE
    ]


def constraints_have_names(root: Path) -> list[str]:
    """SQLite's tables are rebuilt when they change, and an unnamed check is lost on the way."""
    return [
        f"{source.at(node.lineno)}: a CheckConstraint without a name"
        for source in sources(root, "wms")
        for node in ast.walk(source.tree)
        if isinstance(node, ast.Call)
        and dotted(node.func).endswith("CheckConstraint")
        and not any(keyword.arg == "name" for keyword in node.keywords)
    ]


def _tables(source: Source) -> Iterator[ast.ClassDef]:
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ClassDef) and _table_name(node):
            yield node


def _table_name(node: ast.ClassDef) -> str:
    for line in node.body:
        if isinstance(line, ast.Assign) and dotted(line.targets[0]) == "__tablename__":
            return str(ast.literal_eval(line.value))
    return ""


def _columns(node: ast.ClassDef) -> set[str]:
    return {dotted(line.target) for line in node.body if isinstance(line, ast.AnnAssign)}


def nothing_is_left_unfinished(root: Path) -> list[str]:
    """What is not done is not there; what is planned stands in the tracker."""
    return [
        f"{source.at(number)} is unfinished: {line.strip()[:60]}"
        for source in _written_by_hand(root)
        if "house" not in source.path.parts and source.path.name != "test_house.py"
        for number, line in enumerate(source.text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]


def every_test_is_collected(root: Path) -> list[str]:
    """A test in a file that pytest does not read, or a test file without tests, proves nothing."""
    found = []
    for source in sources(root, "tests"):
        functions = [node for node in ast.walk(source.tree) if isinstance(node, ast.FunctionDef)]
        tests = [node for node in functions if node.name.startswith("test_")]
        collected = source.path.name.startswith("test_")
        machines = re.search(r"\.TestCase$|from_schema\(", source.text, re.M)
        if tests and not collected and source.path.name != "conftest.py" and "fixtures" not in source.path.parts:
            found.append(f"{source.at(tests[0].lineno)}: pytest does not read this file; name it test_*.py")
        if collected and not tests and not machines:
            found.append(f"{source.path} has no tests")
    return found


def tests_do_not_pretend(root: Path) -> list[str]:
    """Real databases, real sockets, hostile fake wires; nothing of ours is replaced by a mock."""
    return [
        f"{source.at(found.line)} imports {found.module}; test against the real thing or a fake of ten lines"
        for source in sources(root, "tests")
        for found in source.imports
        if found.whole.startswith(MOCKS)
    ]
