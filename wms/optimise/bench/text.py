"""Reads the sectioned text of picker routing and order batching problems.

`KEY : value` headers, then ARTICLE_SECTION, SKU_SECTION and ORDER_SECTION; latin-1. Cell 0 is at the back of its aisle;
both sides of an aisle share one position. Lengths may be decimal; here they become thousandths of the file's unit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from wms.optimise.geometry import Point, RectHall, Stop

PARTS_PER_UNIT = 1_000
BYTES_MAX = 50_000_000
AISLES_MAX = 10_000


class FileError(ValueError):
    """A file that cannot be read; the text says in which line and why."""

    def __init__(self, line: int, reason: str) -> None:
        super().__init__(f"line {line}: {reason}" if line else reason)


class Cell(NamedTuple):
    """Where some of an article lies, as the file names it, and the stop that means."""

    article: str
    aisle: int
    cell: int
    quantity: int
    stop: Stop


class Line(NamedTuple):
    """One article of one order."""

    article: str
    quantity: int
    at: int


@dataclass(frozen=True)
class TextProblem:
    """One file: its hall, what lies where, what is ordered.

    `stub_mm` is walked twice more on every tour: the way from the depot to its cross aisle.
    """

    hall: RectHall
    cells: tuple[Cell, ...]
    orders: tuple[tuple[Line, ...], ...]
    weight: dict[str, Decimal]
    capacity: Decimal | None
    stub_mm: int

    def cells_of(self) -> dict[str, list[Cell]]:
        found: dict[str, list[Cell]] = {}
        for cell in self.cells:
            found.setdefault(cell.article, []).append(cell)
        return found


@dataclass
class _Reading:
    header: dict[str, tuple[int, str]] = field(default_factory=dict)
    weight: dict[str, Decimal] = field(default_factory=dict)
    rows: list[tuple[int, dict[str, str]]] = field(default_factory=list)
    orders: list[list[Line]] = field(default_factory=list)
    promised: list[tuple[int, int]] = field(default_factory=list)
    counts: dict[str, tuple[int, int]] = field(default_factory=dict)


def read_text(content: bytes) -> TextProblem:
    """One SPRP, SPRP-SS or order batching file. Raises FileError."""
    reading = _Reading()
    section = ""
    for number, line in _lines(content):
        if line.endswith("_SECTION"):
            section = line
            if section not in _SECTIONS:
                raise FileError(number, f"unknown section {section}")
        elif section:
            _SECTIONS[section](reading, number, line)
        else:
            key, value = _pair(number, line)
            if key in reading.header:
                raise FileError(number, f"{key} is given twice")
            reading.header[key] = number, value
    return _problem(reading)


def _lines(content: bytes) -> Iterator[tuple[int, str]]:
    for number, raw in enumerate(content.decode("latin-1").splitlines(), 1):
        line = raw.strip()
        if line == "EOF":
            return
        if line:
            yield number, line


def _pair(number: int, line: str) -> tuple[str, str]:
    key, colon, value = line.partition(":")
    if not colon or not key.strip() or not value.strip():
        raise FileError(number, f"expected KEY : value, found {line[:60]!r}")
    return key.strip(), value.strip()


def _fields(number: int, line: str, *names: str) -> dict[str, str]:
    words = line.split()
    if len(words) < 2 * len(names) or tuple(words[0 : 2 * len(names) : 2]) != names:
        raise FileError(number, f"expected {' ... '.join(names)} ..., found {line[:60]!r}")
    return dict(zip(words[::2], words[1::2], strict=False))


def _article(reading: _Reading, number: int, line: str) -> None:
    if _take_count(reading, number, line, "NUM_ARTICLES"):
        return
    words = _fields(number, line, "ID")
    if words["ID"] in reading.weight:
        raise FileError(number, f"article {words['ID']} is given twice")
    reading.weight[words["ID"]] = _decimal(number, "WEIGHT", words.get("WEIGHT", "1"))


def _sku(reading: _Reading, number: int, line: str) -> None:
    if _take_count(reading, number, line, "NUM_SKUS"):
        return
    reading.rows.append((number, _fields(number, line, "ID", "AISLE", "CELL", "QUANTITY")))


def _order(reading: _Reading, number: int, line: str) -> None:
    if ":" in line:
        key, value = _pair(number, line)
        count = _whole(number, key, value)
        if key == "NUM_ORDERS":
            reading.counts[key] = number, count
        elif key in ("NUM_ARTICLES", "NUM_ARTICLES_IN_ORDER"):
            reading.orders.append([])
            reading.promised.append((number, count))
        else:
            raise FileError(number, f"unexpected {key}")
        return
    words = _fields(number, line, "ID", "QUANTITY")
    if not reading.orders:
        raise FileError(number, "an article before NUM_ARTICLES or NUM_ARTICLES_IN_ORDER")
    quantity = _whole(number, "QUANTITY", words["QUANTITY"], least=1)
    reading.orders[-1].append(Line(words["ID"], quantity, number))


def _take_count(reading: _Reading, number: int, line: str, wanted: str) -> bool:
    if ":" not in line:
        return False
    key, value = _pair(number, line)
    if key != wanted:
        raise FileError(number, f"unexpected {key}")
    reading.counts[key] = number, _whole(number, key, value)
    return True


_SECTIONS: dict[str, Callable[[_Reading, int, str], None]] = {
    "ARTICLE_SECTION": _article,
    "SKU_SECTION": _sku,
    "ORDER_SECTION": _order,
}


def _whole(number: int, name: str, value: str, least: int = 0) -> int:
    try:
        whole = int(value)
    except ValueError as error:
        raise FileError(number, f"{name} {value!r} is no whole number") from error
    if whole < least:
        raise FileError(number, f"{name} {whole} is less than {least}")
    return whole


def _decimal(number: int, name: str, value: str) -> Decimal:
    try:
        result = Decimal(value)
    except InvalidOperation as error:
        raise FileError(number, f"{name} {value!r} is no number") from error
    if not result.is_finite() or result < 0:
        raise FileError(number, f"{name} {value!r} is no length or weight")
    return result


def thousandths(number: int, name: str, value: str) -> int:
    """A decimal length as whole thousandths. Raises FileError when it is finer than that."""
    parts = _decimal(number, name, value) * PARTS_PER_UNIT
    if parts != parts.to_integral_value():
        raise FileError(number, f"{name} {value} is finer than a thousandth")
    return int(parts)


class _Header:
    def __init__(self, header: dict[str, tuple[int, str]]) -> None:
        self._header = header

    def text(self, key: str, *allowed: str) -> str:
        number, value = self._header.get(key, (0, ""))
        if not number:
            raise FileError(0, f"{key} is missing")
        if allowed and value not in allowed:
            raise FileError(number, f"{key} {value!r} is not one of {', '.join(allowed)}")
        return value

    def whole(self, key: str, least: int, most: int) -> int:
        value = _whole(self._header.get(key, (0, ""))[0], key, self.text(key), least)
        if value > most:
            raise FileError(self._header[key][0], f"{key} {value} is more than {most}")
        return value

    def length(self, key: str) -> int:
        return thousandths(self._header.get(key, (0, ""))[0], key, self.text(key))

    def optional(self, key: str) -> Decimal | None:
        return _decimal(self._header[key][0], key, self.text(key)) if key in self._header else None


def _problem(reading: _Reading) -> TextProblem:
    header = _Header(reading.header)
    header.text("LAYOUT", "single-block")
    aisles = header.whole("NUM_AISLES", 1, AISLES_MAX)
    cells = header.whole("NUM_CELLS", 1, AISLES_MAX)
    lengths = [header.length(f"DISTANCE_{name}") for name in ("BOTTOM_TO_CELL", "CELL_TO_CELL", "TOP_TO_CELL")]
    hall = _hall(header, aisles, cells, lengths)
    _check_counts(reading)
    placed = tuple(_placed(number, row, aisles, cells, lengths) for number, row in reading.rows)
    stub = header.length("DISTANCE_TOP_OR_BOTTOM_TO_DEPOT")
    orders = tuple(tuple(order) for order in reading.orders)
    problem = TextProblem(hall, placed, orders, reading.weight, header.optional("PICKER_CAPACITY"), stub)
    _check_stock(problem)
    return problem


def _hall(header: _Header, aisles: int, cells: int, lengths: Sequence[int]) -> RectHall:
    below, between, above = lengths
    top = below + (cells - 1) * between + above
    pitch = header.length("DISTANCE_AISLE_TO_AISLE")
    if top <= 0 or (pitch <= 0 and aisles > 1):
        raise FileError(0, "aisles need a length and a distance from each other")
    depot_x = header.whole("DEPOT_AISLE", 0, aisles - 1) * pitch
    depot_y = 0 if header.text("DEPOT_LOCATION", "bottom", "top") == "bottom" else top
    return RectHall(tuple(aisle * pitch for aisle in range(aisles)), (0, top), Point(depot_x, depot_y))


def _placed(number: int, row: dict[str, str], aisles: int, cells: int, lengths: Sequence[int]) -> Cell:
    aisle, cell = _whole(number, "AISLE", row["AISLE"]), _whole(number, "CELL", row["CELL"])
    if aisle >= aisles or cell >= cells:
        raise FileError(number, f"aisle {aisle}, cell {cell} is outside the hall of {aisles} x {cells}")
    quantity = _whole(number, "QUANTITY", row["QUANTITY"])
    return Cell(row["ID"], aisle, cell, quantity, Stop(aisle, lengths[0] + (cells - 1 - cell) * lengths[1]))


def _check_counts(reading: _Reading) -> None:
    found = {
        "NUM_ARTICLES": len(reading.weight),
        "NUM_SKUS": len(reading.rows),
        "NUM_ORDERS": len(reading.orders),
    }
    for key, (number, count) in reading.counts.items():
        if found[key] != count:
            raise FileError(number, f"{key} says {count}, the file holds {found[key]}")
    for order, (number, count) in zip(reading.orders, reading.promised, strict=True):
        if len(order) != count:
            raise FileError(number, f"the order says {count} articles and holds {len(order)}")
    if not reading.orders:
        raise FileError(0, "ORDER_SECTION is missing or empty")


def _check_stock(problem: TextProblem) -> None:
    """Every ordered article lies somewhere; enough of it for any one order."""
    stock = {article: sum(cell.quantity for cell in cells) for article, cells in problem.cells_of().items()}
    for order in problem.orders:
        for line in order:
            if line.article not in stock:
                raise FileError(line.at, f"article {line.article} lies in no cell")


def with_end_gap(content: bytes, gap: str) -> bytes:
    """The file with another distance from the ends of an aisle to its first and last cell."""
    keys = (b"DISTANCE_TOP_TO_CELL", b"DISTANCE_BOTTOM_TO_CELL")
    lines = [
        line.partition(b":")[0] + b": " + gap.encode() if line.strip().startswith(keys) else line
        for line in content.splitlines()
    ]
    return b"\n".join(lines)


__all__ = ["Cell", "FileError", "Line", "TextProblem", "read_text", "thousandths", "with_end_gap"]
