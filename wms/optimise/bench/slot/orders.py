"""A file of orders as weeks of tours: who is picked on which cart, and what earlier weeks showed.

Weeks run from Monday to Sunday; week 0 is that of the first order. Per day and in file order a cart closes before its
11th order or before it is over-full. An order that no cart takes goes alone: its lines in walking order of the layout
of that week, cut into equal parts.
"""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import IO

import numpy as np

from wms.optimise.bench.slot.hall import SLOT_AISLE, SLOT_Y_MM
from wms.optimise.bench.text import FileError
from wms.optimise.slotting.values import Floats, Ints, Lines
from wms.optimise.twin import Stops

COLUMNS = {"order": "InvoiceNo", "sku": "StockCode", "time": "InvoiceDate"}
ORDERS_PER_CART = 10
LINES_PER_CART = 40
SMALL_ORDER_LINES = 8
SMALL_LINES_PER_CART = 20
WEEKS_MAX = 520


@dataclass(frozen=True)
class Order:
    """One order: its day and its SKUs, one entry a line."""

    day: date
    skus: tuple[int, ...]


@dataclass(frozen=True)
class OrderFile:
    """SKU codes byte-sorted, and the orders in file order."""

    codes: tuple[str, ...]
    orders: tuple[Order, ...]


def read_columns(given: str | None) -> dict[str, str]:
    """`order=No,sku=Item,...` on top of the usual names. Raises FileError."""
    names = dict(COLUMNS)
    for part in filter(None, (given or "").split(",")):
        field, separator, name = part.partition("=")
        if not separator or field not in COLUMNS:
            raise FileError(0, f"--map {part}: say FIELD=COLUMN with a field of {', '.join(COLUMNS)}")
        names[field] = name
    return names


def read_orders(path: Path, names: Mapping[str, str] = COLUMNS) -> OrderFile:
    """Read a CSV file (also .gz) with a line per order line. Raises FileError with row and reason."""
    lines: dict[str, tuple[date, list[str]]] = {}
    for number, (order, sku, at) in _rows(path, names):
        try:
            day = date.fromisoformat(at[:10])
        except ValueError as error:
            raise FileError(number, f"{at!r} is no time: write 2026-11-21 08:30") from error
        if not order or not sku:
            raise FileError(number, "order number and SKU code must not be empty")
        lines.setdefault(order, (day, []))[1].append(sku)
    if not lines:
        raise FileError(1, "no order lines below the header")
    codes = sorted({sku for _, skus in lines.values() for sku in skus}, key=lambda code: code.encode())
    number_of = {code: index for index, code in enumerate(codes)}
    if len(codes) > len(SLOT_AISLE):
        raise FileError(0, f"{len(codes):,} SKUs, but the hall has {len(SLOT_AISLE):,} slots")
    orders = tuple(Order(day, tuple(number_of[sku] for sku in skus)) for day, skus in lines.values())
    return OrderFile(tuple(codes), orders)


def _rows(path: Path, names: Mapping[str, str]) -> Iterator[tuple[int, tuple[str, str, str]]]:
    try:
        with _opened(path) as text:
            reader = csv.reader(text)
            header = next(reader, [])
            missing = [name for name in names.values() if name not in header]
            if missing:
                raise FileError(1, f"no column {', '.join(missing)}; name others with --map order=..,sku=..,time=..")
            order, sku, at = (header.index(names[field]) for field in ("order", "sku", "time"))
            for number, row in enumerate(reader, 2):
                if len(row) <= max(order, sku, at):
                    raise FileError(number, f"{len(row)} columns, but the header has {len(header)}")
                yield number, (row[order].strip(), row[sku].strip(), row[at].strip())
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise FileError(0, f"cannot be read as CSV: {error}") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


@dataclass(frozen=True)
class Week:
    """The tours of a week: the carts' lines, and each large order alone with the number of parts it is cut into."""

    cart_sku: Ints
    cart_tour: Ints
    carts: int
    large: tuple[Ints, ...]
    parts: tuple[int, ...]

    @property
    def tours(self) -> int:
        return self.carts + sum(self.parts)

    def stops(self, place: Ints) -> Stops:
        """The stops of all tours when SKU k lies in slot `place[k]`."""
        skus, tours, first = [self.cart_sku], [self.cart_tour], self.carts
        for order, parts in zip(self.large, self.parts, strict=True):
            skus.append(order[_walking_order(place[order])])
            tours.append(np.repeat(np.arange(first, first + parts), _part_sizes(len(order), parts)))
            first += parts
        slot = place[np.concatenate(skus)]
        return Stops(np.concatenate(tours), SLOT_AISLE[slot], SLOT_Y_MM[slot], first)


def _walking_order(slot: Ints) -> Ints:
    """By aisle, bays rising in even and falling in odd aisles."""
    aisle, y = SLOT_AISLE[slot], SLOT_Y_MM[slot]
    return np.lexsort((np.where(aisle % 2 == 0, y, -y), aisle))


def _part_sizes(lines: int, parts: int) -> list[int]:
    return [len(part) for part in np.array_split(np.arange(lines), parts)]


@dataclass(frozen=True)
class Season:
    """All weeks of a file: tours to walk, lines per SKU and week, and every line with its order and week."""

    codes: tuple[str, ...]
    cart_lines: int
    weeks: tuple[Week, ...]
    counts: Floats
    line_order: Ints
    line_sku: Ints
    line_week: Ints

    @property
    def skus(self) -> int:
        return len(self.codes)

    def before(self, week: int) -> Lines:
        """All lines of earlier weeks."""
        past = self.line_week < week
        return Lines(self.line_order[past], self.line_sku[past], week - 1 - self.line_week[past])

    def ever_ordered(self, week: int) -> Ints:
        """SKUs ordered in any earlier week, ascending."""
        return np.flatnonzero(self.counts[:week].any(axis=0))


def season_of(file: OrderFile, *, small_orders: bool = False, shuffle_from: int | None = None, seed: int = 0) -> Season:
    """Cut a file into weeks. `small_orders`: only orders of at most 8 lines, carts of at most 20 lines.

    With `shuffle_from` the codes are permuted within each week from that one on, each week anew.
    """
    kept = [order for order in file.orders if not small_orders or len(order.skus) <= SMALL_ORDER_LINES]
    if not kept:
        raise FileError(0, "no order is left to walk")
    first = min(order.day for order in file.orders)
    monday = first - timedelta(days=first.weekday())
    weeks = np.array([(order.day - monday).days // 7 for order in kept], dtype=np.int64)
    if weeks.max() >= WEEKS_MAX:
        raise FileError(0, f"the orders span more than {WEEKS_MAX} weeks")
    orders = [np.array(order.skus, dtype=np.int64) for order in kept]
    if shuffle_from is not None:
        orders = _shuffled(orders, weeks, len(file.codes), shuffle_from, seed)
    sizes = [len(order) for order in orders]
    line_week, line_sku = np.repeat(weeks, sizes), np.concatenate(orders)
    counts = np.zeros((int(weeks.max()) + 1, len(file.codes)))
    np.add.at(counts, (line_week, line_sku), 1.0)
    most = SMALL_LINES_PER_CART if small_orders else LINES_PER_CART
    days = [order.day for order in kept]
    by_week = [np.flatnonzero(weeks == week).tolist() for week in range(len(counts))]
    walked = tuple(_week([orders[at] for at in members], [days[at] for at in members], most) for members in by_week)
    return Season(file.codes, most, walked, counts, np.repeat(np.arange(len(orders)), sizes), line_sku, line_week)


def _shuffled(orders: Sequence[Ints], weeks: Ints, skus: int, first: int, seed: int) -> list[Ints]:
    renamed = {
        week: np.random.default_rng([seed, week]).permutation(skus) for week in set(weeks.tolist()) if week >= first
    }
    return [
        renamed[week][order] if week in renamed else order for order, week in zip(orders, weeks.tolist(), strict=True)
    ]


def _week(orders: Sequence[Ints], days: Sequence[date], most: int) -> Week:
    carts: list[list[Ints]] = []
    large: list[Ints] = []
    cart_day: date | None = None
    for day, order in sorted(zip(days, orders, strict=True), key=lambda pair: pair[0]):
        if len(order) > most:
            large.append(order)
            continue
        if day != cart_day or not _fits(carts[-1], order, most):
            carts.append([])
            cart_day = day
        carts[-1].append(order)
    lines = [np.concatenate(cart) for cart in carts]
    none = np.zeros(0, dtype=np.int64)
    return Week(
        cart_sku=np.concatenate(lines) if lines else none,
        cart_tour=np.repeat(np.arange(len(lines)), [len(cart) for cart in lines]) if lines else none,
        carts=len(lines),
        large=tuple(large),
        parts=tuple(-(-len(order) // most) for order in large),
    )


def _fits(cart: Sequence[Ints], order: Ints, most: int) -> bool:
    return len(cart) < ORDERS_PER_CART and sum(len(one) for one in cart) + len(order) <= most
