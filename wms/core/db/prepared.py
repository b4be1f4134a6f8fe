"""Statements of hot paths, compiled once.

SQLAlchemy looks a statement up in its cache, sets up a context and a result each time it runs; for a guarded UPDATE of
one row that costs several times what the database does. A statement kept by its module (the same object every time)
is compiled here when it is seen for the second time, with everything that never changes; what is left for each run is
to put the values in. A statement with lists inside is compiled once for each length they come in. Whatever is not
plain (long lists, defaults that are functions, listeners) goes the usual way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeGuard
from weakref import WeakKeyDictionary

from sqlalchemy import (
    BindParameter,
    Connection,
    Delete,
    Executable,
    Insert,
    Integer,
    Select,
    String,
    Update,
)
from sqlalchemy.engine.result import IteratorResult, SimpleResultMetaData
from sqlalchemy.exc import InvalidRequestError
from sqlalchemy.sql.visitors import iterate

Process = Callable[[Any], Any] | None

LIST_MAX = 12  # longer ones are rare enough for the usual way
LENGTHS_MAX = 200  # plans of one statement
READY_MAX = 5_000  # statements a program of this size has; beyond it, the usual way

_ready: dict[tuple[str, int], Prepared | ByLength] = {}  # by its id: the plan keeps it alive
_seen: WeakKeyDictionary[Executable, bool] = WeakKeyDictionary()  # True: may be prepared next time; False: never


class Found(IteratorResult[Any]):
    """Rows, read to their end already; and how many rows a writing statement touched."""

    rowcount: int = -1


class Prepared:
    """One compiled statement: its text, where each value goes, and how rows are read."""

    __slots__ = ("_fixed", "_lists", "_of", "_positional", "_rows", "_slots", "names", "text")

    def __init__(self, statement: Executable, compiled: Any, given: Mapping[str, Any]) -> None:
        """`compiled` for the names in `given`; raises NotPlain."""
        _check_plain(compiled)
        values = {**compiled.construct_params(dict(given), escape_names=False), **_scalar_defaults(compiled, given)}
        lists_written_out = compiled._process_parameters_for_postcompile(dict(values))
        expanded = lists_written_out.parameter_expansion
        self._lists = {name: names for name, names in expanded.items() if name in given}
        spelt = {compiled.bind_names[bind] for bind in compiled.literal_execute_params}
        values = {name: value for name, value in values.items() if name not in expanded and name not in spelt}
        values |= lists_written_out.additional_parameters
        late = frozenset(name for names in self._lists.values() for name in names) | (given.keys() - self._lists)
        process: Mapping[str, Any] = {**compiled._bind_processors, **lists_written_out.processors}
        self._of = statement
        self.names = frozenset(given)
        self.text: str = lists_written_out.statement
        self._positional = bool(compiled.positional)
        order = list(lists_written_out.positiontup if self._positional else values)
        if unknown := set(order) - set(values):
            raise NotPlain(f"values that come from elsewhere: {unknown}")
        self._slots: list[tuple[Any, str, Process]] = [
            (place if self._positional else name, name, process.get(name))
            for place, name in enumerate(order)
            if name in late
        ]
        fixed = [None if name in late else _processed(process.get(name), values[name]) for name in order]
        self._fixed: Any = fixed if self._positional else dict(zip(order, fixed, strict=True))
        self._rows = _reading(compiled)

    def fits(self, given: Any) -> bool:
        """Whether these values (or the first of a list of them) have the names this was compiled for."""
        if type(given) is dict:
            return given.keys() == self.names
        return type(given) is list and self._rows is None and given[0].keys() == self.names

    def run(self, connection: Connection, cursor: Any, given: Any) -> Found:
        """Run it once, or once for each of a list of values. Errors come as SQLAlchemy's."""
        rows: Sequence[Any] = ()
        try:
            if type(given) is not dict and len(given) > 1:
                cursor.executemany(self.text, [self._values(one) for one in given])
            else:  # a list of one too: psycopg sends lists by a longer way
                cursor.execute(self.text, self._values(given if type(given) is dict else given[0]))
                if self._rows is not None:
                    rows = cursor.fetchall()
        except Exception as error:  # noqa: BLE001 - wrapped and raised again, always
            connection._handle_dbapi_exception(error, self.text, None, cursor, None)
        found = Found(self._rows or _NO_ROWS, iter(rows))
        found.rowcount = cursor.rowcount
        return found

    def _values(self, given: Mapping[str, Any]) -> Any:
        values = self._fixed.copy()
        if self._lists:
            given = {**given, **dict(_spread(self._lists, given))}
        for place, name, process in self._slots:
            values[place] = given[name] if process is None else process(given[name])
        return values


class NotPlain(Exception):
    """A statement that must go the usual way."""


class ByLength:
    """A statement with lists inside: one plan for each length they come in."""

    __slots__ = ("_lists", "_of", "_plans")

    def __init__(self, statement: Executable, lists: Sequence[str]) -> None:
        self._of, self._lists = statement, lists
        self._plans: dict[tuple[int, ...], Prepared | None] = {}

    def plan(self, connection: Connection, given: Any) -> Prepared | None:
        """The one for lists as long as these; None when it must go the usual way."""
        if type(given) is not dict or not all(type(given.get(name)) is list for name in self._lists):
            return None
        lengths = tuple([len(given[name]) for name in self._lists])
        if min(lengths) == 0 or max(lengths) > LIST_MAX:
            return None
        if lengths not in self._plans and len(self._plans) < LENGTHS_MAX:
            self._plans[lengths] = _prepare(connection, self._of, given)
        return self._plans.get(lengths)


def _spread(lists: Mapping[str, Sequence[str]], given: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """The values of lists (of pairs, of triples ...) under the names they were written out by."""
    for name, names in lists.items():
        flat = given[name]
        if isinstance(flat[0], tuple):
            flat = [one for each in flat for one in each]
        yield from zip(names, flat, strict=True)


_NO_ROWS = SimpleResultMetaData(())


def prepared(connection: Connection, statement: Executable, given: Any) -> Prepared | None:
    """The statement compiled for values of these names, or None when it must go the usual way."""
    plan = _ready.get((connection.dialect.name, id(statement)))
    if plan is None:
        _look_at(connection, statement, given)
        return None
    if isinstance(plan, ByLength):
        plan = plan.plan(connection, given)
    return plan if plan is not None and plan.fits(given) else None


def _look_at(connection: Connection, statement: Executable, given: Any) -> None:
    worth = _seen.get(statement)
    if worth is None:
        _seen[statement] = True
    elif worth and len(_ready) < READY_MAX:
        lists = [name for name, value in given.items() if type(value) is list] if type(given) is dict else []
        plan = ByLength(statement, lists) if lists else _prepare(connection, statement, given)
        if plan is None:
            _seen[statement] = False
        else:
            _ready[connection.dialect.name, id(statement)] = plan


def _prepare(connection: Connection, statement: Executable, given: Any) -> Prepared | None:
    if not isinstance(statement, Select | Insert | Update | Delete) or statement._execution_options:
        return None
    one = given[0] if type(given) is list else given
    try:
        return Prepared(
            statement,
            _compiled(connection, statement, one),
            one,
        )
    except NotPlain:
        return None


def _compiled(connection: Connection, statement: Any, one: Mapping[str, Any]) -> Any:
    with _spelt_out(statement):
        return statement.compile(
            dialect=connection.dialect,
            column_keys=sorted(one),
            for_executemany=isinstance(statement, Insert) and not statement._returning,
        )


@contextmanager
def _spelt_out(statement: Any) -> Iterator[None]:
    """Compile with the numbers and words that are the same in each run written into the text.

    A database plans anew whenever a value it planned by is bound again (SQLite for LIMIT and for what a partial index
    asks; PostgreSQL as long as a plan that knows the value is cheaper): each time, for values that never change.
    """
    same = [] if isinstance(statement, Insert) else [each for each in iterate(statement) if _is_same_each_time(each)]
    for each in same:
        each.literal_execute = True
    try:
        yield
    finally:
        for each in same:
            each.literal_execute = False


def _is_same_each_time(element: Any) -> TypeGuard[BindParameter[Any]]:
    if not isinstance(element, BindParameter) or element.required or element.callable is not None:
        return False
    if element.expanding or element.literal_execute:
        return False
    number = isinstance(element.type, Integer) and type(element.value) is int
    return number or (type(element.type) is String and isinstance(element.value, str))


def _check_plain(compiled: Any) -> None:
    late = any(bind.callable is not None for bind in compiled.bind_names)
    if late or compiled.escaped_bind_names or compiled.update_prefetch:
        raise NotPlain("values that are only known when it runs")
    if compiled.schema_translate_map or (compiled.implicit_returning and not compiled.effective_returning):
        raise NotPlain("another text for each run")


def _scalar_defaults(compiled: Any, given: Mapping[str, Any]) -> dict[str, Any]:
    """Defaults of columns that were not given."""
    found: dict[str, Any] = {}
    for column in compiled.insert_prefetch:
        if column.default is None or not column.default.is_scalar:
            raise NotPlain(f"{column} has a default that is worked out")
        if column.key not in given:
            found[column.key] = column.default.arg
    return found


def _reading(compiled: Any) -> SimpleResultMetaData | None:
    columns: Sequence[Any] = compiled._result_columns
    if not columns:
        return None
    try:
        processors = [column.type._cached_result_processor(compiled.dialect, None) for column in columns]
    except (TypeError, InvalidRequestError) as error:  # psycopg's numbers with a fraction ask what the server sent
        raise NotPlain("a value that is only understood when it comes") from error
    return SimpleResultMetaData([column.keyname for column in columns], _processors=processors)


def _processed(process: Process, value: Any) -> Any:
    return value if process is None else process(value)
