"""A real day out of an order file: what the file lacks (sizes, weights, addresses, lots, stock) is made from the
seed, and said so.
"""

from __future__ import annotations

import csv
import gzip
import random
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import IO

from wms.demo import words
from wms.demo.plan import (
    CYCLES,
    DAY,
    DayPlan,
    PlannedLot,
    PlannedOrder,
    PlannedSku,
    at_local,
    ean13,
    faults_of,
    receiver,
)

COLUMNS = {"order": "InvoiceNo", "sku": "StockCode", "time": "InvoiceDate", "quantity": "qty"}
MERCHANT = ("FILE", "订单文件货主")
LINES_MAX = 2_000_000
CODE_LENGTH_MAX = 40
QUANTITY_MAX = 100_000
MADE_UP = (
    "merchant",
    "SKU names, sizes, weights and bar codes",
    "addresses",
    "couriers",
    "opening stock and its slots",
)


class BadOrders(Exception):
    """The file cannot be used; the message names row and reason."""


@dataclass(frozen=True, slots=True)
class FileLine:
    order: str
    sku: str
    at: datetime
    quantity: int


def read_map(given: str | None) -> dict[str, str]:
    """`order=No,sku=Item,...` on top of the usual names. Raises BadOrders."""
    names = dict(COLUMNS)
    for part in (given or "").split(","):
        if not part:
            continue
        field, separator, name = part.partition("=")
        if not separator or field not in COLUMNS:
            raise BadOrders(f"--map {part}: say FIELD=COLUMN with a field of {', '.join(COLUMNS)}")
        names[field] = name
    return names


def read_orders(path: Path, names: Mapping[str, str], days: int | None) -> list[FileLine]:
    """The lines of the file's first `days` days (all without). Raises BadOrders with the row."""
    if not path.is_file():
        raise BadOrders(f"no such order file: {path}")
    lines: list[FileLine] = []
    last: date | None = None
    seen: set[date] = set()
    for number, row in _rows(path, names):
        line = _line(path, number, row, names)
        if line.at.date() != last:
            last = line.at.date()
            seen.add(last)
        lines.append(line)
    kept = set(sorted(seen)[:days]) if days else seen
    chosen = [line for line in lines if line.at.date() in kept]
    if not chosen:
        raise BadOrders(f"{path}: no order lines below the header")
    return chosen


def _rows(path: Path, names: Mapping[str, str]) -> Iterator[tuple[int, dict[str, str]]]:
    try:
        with _opened(path) as text:
            reader = csv.DictReader(text)
            missing = [name for name in names.values() if name not in (reader.fieldnames or ())]
            if missing:
                hint = "name others with --map order=..,sku=..,time=..,quantity=.."
                raise BadOrders(f"{path}: row 1: no column {', '.join(missing)}; {hint}")
            for number, row in enumerate(reader, 2):
                if number > LINES_MAX:
                    raise BadOrders(f"{path}: more than {LINES_MAX:,} lines: split the file")
                yield number, row
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        raise BadOrders(f"{path}: cannot be read as CSV: {error}") from error


def _opened(path: Path) -> IO[str]:
    if path.suffix == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return path.open(encoding="utf-8-sig", newline="")


def _line(path: Path, number: int, row: Mapping[str, str | None], names: Mapping[str, str]) -> FileLine:
    value = {field: (row.get(name) or "").strip() for field, name in names.items()}
    empty = [names[field] for field, text in value.items() if not text]
    if empty:
        raise BadOrders(f"{path}: row {number}: {', '.join(empty)} is empty")
    for field in ("order", "sku"):
        if len(value[field]) > CODE_LENGTH_MAX:
            raise BadOrders(f"{path}: row {number}: {names[field]} is longer than {CODE_LENGTH_MAX} characters")
    try:
        at = datetime.fromisoformat(value["time"])
    except ValueError as error:
        what = f"{names['time']} {value['time']!r} is no moment such as 2010-12-01 08:26:00"
        raise BadOrders(f"{path}: row {number}: {what}") from error
    try:
        quantity = float(value["quantity"])
    except ValueError as error:
        raise BadOrders(f"{path}: row {number}: {names['quantity']} {value['quantity']!r} is no number") from error
    if not 1 <= quantity <= QUANTITY_MAX or not quantity.is_integer():
        what = f"{names['quantity']} {value['quantity']} is not a whole number from 1 to {QUANTITY_MAX:,}"
        raise BadOrders(f"{path}: row {number}: {what}")
    return FileLine(value["order"], value["sku"], at.replace(tzinfo=None), int(quantity))


def plan_from(lines: list[FileLine], seed: int) -> DayPlan:
    """The plan of the file's days, lived as one: all orders in their order, released four times."""
    dice = random.Random(seed)
    skus = tuple(_skus(dice, sorted({line.sku for line in lines})))
    orders = _orders(dice, lines)
    lots = tuple(_lots(orders, skus))
    return DayPlan(seed, (MERCHANT,), skus, lots, tuple(orders), faults_of(orders), MADE_UP)


def _skus(dice: random.Random, codes: list[str]) -> list[PlannedSku]:
    return [
        PlannedSku(
            MERCHANT[0],
            code,
            f"商品 {code}",
            "件",
            words.FAMILIES[number % len(words.FAMILIES)][0],
            ean13(dice),
            (dice.randint(20, 70), dice.randint(20, 60), dice.randint(10, 40)),
            dice.randint(4, 40),
        )
        for number, code in enumerate(codes)
    ]


def _orders(dice: random.Random, lines: list[FileLine]) -> list[PlannedOrder]:
    grouped: dict[str, list[FileLine]] = {}
    for line in lines:
        grouped.setdefault(line.order, []).append(line)
    in_order = sorted(grouped.items(), key=lambda item: (item[1][0].at, item[0]))
    opens, releases = at_local(DAY, "07:00"), [at_local(DAY, clock) for clock in CYCLES]
    made: list[PlannedOrder] = []
    for number, (no, wanted) in enumerate(in_order):
        placed = opens + (releases[-1] - opens) * (number / len(in_order)) * 0.999
        quantities: Counter[str] = Counter()
        for line in wanted:
            quantities[line.sku] += line.quantity
        made.append(
            PlannedOrder(
                no=no,
                merchant=MERCHANT[0],
                courier=dice.choices([row[0] for row in words.COURIERS], (5, 3, 1, 2))[0],
                placed_at=placed,
                cycle=next(cycle for cycle, at in enumerate(releases) if placed < at),
                lines=tuple(quantities.items()),
                receiver=receiver(dice),
            )
        )
    return made


def _lots(orders: list[PlannedOrder], skus: tuple[PlannedSku, ...]) -> Iterator[PlannedLot]:
    wanted: Counter[str] = Counter()
    for order in orders:
        for code, quantity in order.lines:
            wanted[code] += quantity
    for number, sku in enumerate(skus):
        asn = f"IN{DAY:%m%d}-{sku.merchant}" if number in (0, 1) else f"OPEN-{sku.merchant}"
        quantity = wanted[sku.code] + (wanted[sku.code] + 9) // 10
        yield PlannedLot(asn, sku.merchant, sku.code, quantity, "", None)
