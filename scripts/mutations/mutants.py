"""Every way in which a source is broken, one at a time: each is one small mistake that a hand could make.

What is no decision is left alone: docstrings, annotations, imports, decorators, names of columns and texts of messages.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
}
ASKED = {"is_": "is_not", "is_not": "is_", "in_": "not_in", "not_in": "in_"}
NOT_DECISIONS = ("returns", "annotation", "decorator_list", "bases")


@dataclass(frozen=True, slots=True)
class Mutant:
    """A broken source: where, what became of what, and the whole text."""

    line: int
    before: str
    after: str
    source: str

    @property
    def name(self) -> str:
        """One line for lists and tables."""
        return f"{self.line}: `{self.before}` -> `{self.after}`"


def mutants_of(source: str) -> list[Mutant]:
    """All mutants of a module's source, in order of lines. Equal ones appear once."""
    tree = ast.parse(source)
    found: dict[str, Mutant] = {}
    for node, parent, where in list(_places(tree)):
        for broken in _broken(node):
            text = _with(tree, parent, where, broken)
            if text not in found:
                found[text] = Mutant(_line(node), _words(node), _words(broken), text)
    found.pop(ast.unparse(tree), None)
    return sorted(found.values(), key=lambda mutant: mutant.line)


Where = tuple[str, int | None]


def _places(node: ast.AST) -> Iterator[tuple[ast.AST, ast.AST, Where]]:
    """Every node that may be broken, its parent, and where in the parent it stands."""
    for name, value in ast.iter_fields(node):
        if name in NOT_DECISIONS or isinstance(node, ast.Import | ast.ImportFrom):
            continue
        below = list(enumerate(value)) if isinstance(value, list) else [(None, value)]
        for index, child in below:
            if isinstance(child, ast.AST) and not _is_docstring(child):
                yield child, node, (name, index)
                yield from _places(child)


def _is_docstring(node: ast.AST) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)


def _broken(node: ast.AST) -> Iterator[ast.AST]:
    """What may stand in place of a node."""
    yield from _BY_KIND.get(type(node), _nothing)(node)


def _nothing(_node: Any) -> Iterator[ast.AST]:
    return iter(())


def _compare(node: ast.Compare) -> Iterator[ast.AST]:
    for index, operator in enumerate(node.ops):
        for other in COMPARED.get(type(operator), ()):
            broken = copy.deepcopy(node)
            broken.ops[index] = other()
            yield broken


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.BitOr) and isinstance(node.right, ast.Subscript):
        return  # a name for a type
    other = RECKONED.get(type(node.op))
    if other is not None:
        yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield node.left
        yield node.right


def _boolean(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
    for index in range(len(node.values)):
        left = node.values[:index] + node.values[index + 1 :]
        yield left[0] if len(left) == 1 else ast.BoolOp(node.op, left)


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.Not | ast.USub):
        yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    if isinstance(node.value, bool):
        yield ast.Constant(not node.value)
    elif isinstance(node.value, int):
        yield ast.Constant(node.value + 1)
        if node.value > 0:
            yield ast.Constant(node.value - 1)


def _branch(node: ast.If | ast.IfExp | ast.While) -> Iterator[ast.AST]:
    for value in (True, False):
        broken = copy.copy(node)
        broken.test = ast.Constant(value)
        yield broken


def _statement(node: ast.stmt) -> Iterator[ast.AST]:
    """What is done only for its effect, and is now left out."""
    yield ast.Pass()


def _return(node: ast.Return) -> Iterator[ast.AST]:
    if node.value is not None and not (isinstance(node.value, ast.Constant) and node.value.value is None):
        yield ast.Return(ast.Constant(None))


def _call(node: ast.Call) -> Iterator[ast.AST]:
    """A condition of a statement left out, or turned round."""
    if not isinstance(node.func, ast.Attribute):
        return
    if node.func.attr == "where":
        for index in range(len(node.args) if len(node.args) > 1 else 0):
            yield ast.Call(node.func, node.args[:index] + node.args[index + 1 :], node.keywords)
        yield node.func.value
    if node.func.attr in ASKED:
        yield ast.Call(ast.Attribute(node.func.value, ASKED[node.func.attr], ast.Load()), node.args, node.keywords)


def _handler(node: ast.ExceptHandler) -> Iterator[ast.AST]:
    """An error that is no longer caught."""
    yield ast.ExceptHandler(node.type, node.name, [ast.Raise()])


_BY_KIND: dict[type[ast.AST], Any] = {
    ast.Compare: _compare,
    ast.BinOp: _binary,
    ast.BoolOp: _boolean,
    ast.UnaryOp: _unary,
    ast.Constant: _constant,
    ast.If: _branch,
    ast.IfExp: _branch,
    ast.Expr: _statement,
    ast.Assert: _statement,
    ast.Raise: _statement,
    ast.AugAssign: _statement,
    ast.Continue: _statement,
    ast.Return: _return,
    ast.Call: _call,
    ast.ExceptHandler: _handler,
}


def _with(tree: ast.Module, parent: ast.AST, where: Where, broken: ast.AST) -> str:
    """The whole source with one node put in place of another."""
    name, index = where
    if index is None:
        kept = getattr(parent, name)
        setattr(parent, name, broken)
    else:
        kept = getattr(parent, name)[index]
        getattr(parent, name)[index] = broken
    try:
        return ast.unparse(ast.fix_missing_locations(tree))
    finally:
        if index is None:
            setattr(parent, name, kept)
        else:
            getattr(parent, name)[index] = kept


def _line(node: ast.AST) -> int:
    return int(getattr(node, "lineno", 0))


def _words(node: ast.AST) -> str:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        return f"if {_words(node.test)}"
    if isinstance(node, ast.ExceptHandler):
        caught = _words(node.type) if node.type else ""
        return f"except {caught}: {_words(node.body[0])}"
    first = ast.unparse(ast.fix_missing_locations(copy.deepcopy(node))).strip().splitlines()
    text = " ".join(line.strip() for line in first)
    return text if len(text) <= 110 else text[:107] + "..."
