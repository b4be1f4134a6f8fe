"""Our own source, read as trees: what a module imports, which room and which kind of file it is."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Import:
    """One imported name: `from wms.ledger.tables import Stock as S` is module, name "Stock", local "S"."""

    module: str
    name: str | None
    local: str
    line: int

    @property
    def whole(self) -> str:
        """Module and name together, for a name may be a module itself."""
        return f"{self.module}.{self.name}" if self.name else self.module


@dataclass(frozen=True)
class Source:
    """One Python file below the root."""

    path: PurePosixPath
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text, str(self.path))

    @property
    def room(self) -> str:
        """ "ledger" for wms/ledger/rules.py; "" outside of rooms."""
        return self.path.parts[1] if self.path.parts[0] == "wms" and len(self.path.parts) > 2 else ""

    @property
    def kind(self) -> str:
        """ "rules" for wms/ledger/rules.py and for wms/ledger/rules/holds.py; "" outside of rooms."""
        return PurePosixPath(self.path.parts[2]).stem if self.room else ""

    @cached_property
    def imports(self) -> list[Import]:
        """Everything imported, also inside functions."""
        return [found for node in ast.walk(self.tree) for found in self._imported(node)]

    def _imported(self, node: ast.AST) -> Iterator[Import]:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(alias.name, None, alias.asname or alias.name.split(".")[0], node.lineno)
        elif isinstance(node, ast.ImportFrom):
            package = self.path.parent.parts[: len(self.path.parent.parts) + 1 - node.level] if node.level else ()
            module = ".".join([*package, *([node.module] if node.module else [])])
            for alias in node.names:
                yield Import(module, alias.name, alias.asname or alias.name, node.lineno)

    def at(self, line: int) -> str:
        """Where, the way editors open it."""
        return f"{self.path}:{line}"


def sources(root: Path, *folders: str) -> Iterator[Source]:
    """Every Python file in these folders, in order."""
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            relative = PurePosixPath(path.relative_to(root).as_posix())
            if not {"__pycache__", "build"} & set(relative.parts):
                yield Source(relative, path.read_text("utf-8"))


def dotted(node: ast.AST) -> str:
    """ "datetime.now" for that expression; "" for what is not a chain of names."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        before = dotted(node.value)
        return f"{before}.{node.attr}" if before else ""
    return ""
