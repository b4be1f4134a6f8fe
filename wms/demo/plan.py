"""A day as planned from a seed: goods, opening stock, deliveries, orders, and what shall go wrong.

Pure: the same seed gives the same plan, whatever the machine does later.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from wms.demo import words

DAY = date(2026, 11, 7)
ZONE_HOURS = 8
SKUS_PER_MERCHANT = 50
SKUS_PER_MERCHANT_MIN = 10
ORDERS = 320
CYCLES = ("09:30", "12:00", "14:15", "16:30")
STOCK_MARGIN = 12
SHORT_SKUS = 2
LATE_SKUS = 6
FILL_SHARE = 0.6
BIN_VOLUME_MM3 = 980 * 600 * 450
BIN_LOAD_G = 55_000
FAULT_LINES_MAX = 5


@dataclass(frozen=True, slots=True)
class PlannedSku:
    """Sizes in mm, weight in g; `shelf_life_days` 0 = keeps for ever."""

    merchant: str
    code: str
    name: str
    unit: str
    family: str
    barcode: str
    sizes_mm: tuple[int, int, int]
    weight_g: int
    shelf_life_days: int = 0


@dataclass(frozen=True, slots=True)
class PlannedLot:
    """Goods that arrive: before the day (`asn` starts with "OPEN") or in its morning."""

    asn: str
    merchant: str
    sku: str
    quantity: int
    lot: str
    expires_on: date | None


@dataclass(frozen=True, slots=True)
class PlannedOrder:
    """One order; `cycle` is the release it belongs to."""

    no: str
    merchant: str
    courier: str
    placed_at: datetime
    cycle: int
    lines: tuple[tuple[str, int], ...]
    receiver: dict[str, str]


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong on purpose. Orders by number, so that fates do not hang on who was faster.

    `short_sku`: the goods of `short_order` that are not in their slot.
    """

    short_order: str
    short_sku: str
    cancelled_order: str
    no_read_order: str
    full_chute_after: int = 20
    paper_out_after: int = 6
    gateway_killed_after: int = 9
    offline_from_pick: int = 4


@dataclass(frozen=True, slots=True)
class DayPlan:
    """Everything that is decided before the day begins."""

    seed: int
    merchants: tuple[tuple[str, str], ...]
    skus: tuple[PlannedSku, ...]
    lots: tuple[PlannedLot, ...]
    orders: tuple[PlannedOrder, ...]
    faults: Faults
    made_up: tuple[str, ...] = field(default=())


def at_local(day: date, clock: str) -> datetime:
    """A moment of the park's day, in UTC."""
    hour, minute = map(int, clock.split(":"))
    return datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC) - timedelta(hours=ZONE_HOURS)


def plan_day(seed: int, orders: int = ORDERS) -> DayPlan:
    """The demonstration's own day: 12 merchants, 600 SKUs, 320 orders. A smaller day has fewer goods."""
    dice = random.Random(seed)
    each = min(SKUS_PER_MERCHANT, max(SKUS_PER_MERCHANT_MIN, SKUS_PER_MERCHANT * orders // ORDERS))
    skus = tuple(_skus(dice, each))
    taken = _orders(dice, skus, orders)
    lots = tuple(_lots(dice, skus, taken))
    return DayPlan(seed, words.MERCHANTS, skus, lots, tuple(taken), faults_of(taken))


def ean13(dice: random.Random) -> str:
    """A Chinese EAN-13 with its check digit."""
    body = f"69{dice.randrange(10**10):010d}"
    total = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(body))
    return f"{body}{-total % 10}"


def _skus(dice: random.Random, each: int) -> list[PlannedSku]:
    """So many of each merchant's, in two families, with bar codes of their own."""
    made: list[PlannedSku] = []
    used: set[str] = set()
    for merchant, (code, merchant_name) in enumerate(words.MERCHANTS):
        for number in range(each):
            family = words.FAMILIES[(merchant + number * 2 // each) % len(words.FAMILIES)]
            kind, unit, life, sizes, weights, names, variants = family
            name = f"{merchant_name[-2:]}{names[number % 5]} {variants[number // 5 % 5]}"
            barcode = ean13(dice)
            while barcode in used:
                barcode = ean13(dice)
            used.add(barcode)
            made.append(
                PlannedSku(
                    code,
                    f"{code}-{number + 1:03d}",
                    f"{name} {number + 1:02d}",
                    unit,
                    kind,
                    barcode,
                    (dice.randint(*sizes), dice.randint(*sizes), dice.randint(40, sizes[1])),
                    dice.randint(*weights),
                    life,
                )
            )
    return made


def _orders(dice: random.Random, skus: tuple[PlannedSku, ...], count: int) -> list[PlannedOrder]:
    """Orders of the day by the minute: six in ten have one line; popular goods are ordered far more often."""
    by_merchant: dict[str, list[PlannedSku]] = {}
    for sku in skus:
        by_merchant.setdefault(sku.merchant, []).append(sku)
    popularity = [1.0 / (rank + 1.5) for rank in range(len(skus) // len(by_merchant))]
    releases = [at_local(DAY, clock) for clock in CYCLES]
    opens = at_local(DAY, "07:00")
    made: list[PlannedOrder] = []
    for number in range(count):
        merchant = dice.choice(words.MERCHANTS)[0]
        lines = 1 if dice.random() < 0.6 else dice.randint(2, 5)
        chosen = dict.fromkeys(sku.code for sku in dice.choices(by_merchant[merchant], popularity, k=lines))
        placed = opens + (releases[-1] - opens) * ((number + dice.random()) / count) * 0.999
        made.append(
            PlannedOrder(
                no=f"{DAY:%m%d}{number + 1:05d}",
                merchant=merchant,
                courier=dice.choices([row[0] for row in words.COURIERS], (5, 3, 1, 2))[0],
                placed_at=placed,
                cycle=next(cycle for cycle, at in enumerate(releases) if placed < at),
                lines=tuple((code, 1 if dice.random() < 0.75 else dice.randint(2, 4)) for code in chosen),
                receiver=receiver(dice),
            )
        )
    return made


def receiver(dice: random.Random) -> dict[str, str]:
    """An invented person at an invented address in a real district."""
    area = dice.choice(words.AREAS)
    return {
        "name": dice.choice(words.SURNAMES) + dice.choice(words.GIVEN),
        "phone": f"13{dice.randrange(10**9):09d}",
        "province": area[1],
        "city": area[2],
        "district": area[3],
        "address": f"{dice.choice(words.STREETS)} {dice.randint(1, 400)} 号 {dice.randint(101, 2404)} 室",
        "area_code": area[0],
    }


def _lots(dice: random.Random, skus: tuple[PlannedSku, ...], orders: list[PlannedOrder]) -> list[PlannedLot]:
    """Opening stock for all that is ordered and a margin, but too little of two goods; six SKUs more arrive in the
    morning.
    """
    wanted: Counter[str] = Counter()
    for order in orders:
        for code, quantity in order.lines:
            wanted[code] += quantity
    scarce = {code for code, _quantity in wanted.most_common(40)[-SHORT_SKUS:]}
    never = [sku for sku in skus if not wanted[sku.code]]
    late = {sku.code for sku in dice.sample(never, min(LATE_SKUS, len(never)))}
    made: list[PlannedLot] = []
    for sku in skus:
        quantity = wanted[sku.code] + dice.randint(STOCK_MARGIN, STOCK_MARGIN * 3)
        if sku.code in scarce:
            quantity = max(1, wanted[sku.code] - 2)
        asn = f"IN{DAY:%m%d}-{sku.merchant}" if sku.code in late else f"OPEN-{sku.merchant}"
        lot, expires = "", None
        if sku.shelf_life_days:
            age = dice.randint(5, sku.shelf_life_days // 3)
            produced = DAY - timedelta(days=age)
            lot, expires = f"{produced:%y%m%d}", produced + timedelta(days=sku.shelf_life_days)
        made.append(PlannedLot(asn, sku.merchant, sku.code, quantity, lot, expires))
    return made


def faults_of(orders: list[PlannedOrder]) -> Faults:
    """Choose whom the faults meet: small orders of the first release, so that there is time to make good. A short day
    has its faults earlier.
    """
    first = sorted((order for order in orders if order.cycle == 0), key=lambda order: order.no) or orders
    small = [order for order in first if 1 < len(order.lines) <= FAULT_LINES_MAX]
    short, short_sku = _least_wanted(small or first, orders)
    missing = {sku for sku, _quantity in short.lines}  # their slots are counted next: nothing is put back there
    others = [order for order in first if order is not short]
    single = [order for order in others if len(order.lines) == 1 and order.lines[0][0] not in missing]
    single = single or others or first
    count = len(orders)
    return Faults(
        short_order=short.no,
        short_sku=short_sku,
        cancelled_order=single[0].no,
        no_read_order=single[-1].no,
        full_chute_after=min(20, 1 + count // 4),
        paper_out_after=min(6, 1 + count // 25),
        gateway_killed_after=min(9, 1 + count // 20),
    )


def _least_wanted(candidates: list[PlannedOrder], orders: list[PlannedOrder]) -> tuple[PlannedOrder, str]:
    """The goods that the fewest orders want, with the last candidate that does: what is not in its slot is missing
    for all of them.
    """
    wanted = Counter(code for order in orders for code in {code for code, _quantity in order.lines})
    pairs = [(order, code) for order in reversed(candidates) for code, _quantity in order.lines]
    return min(pairs, key=lambda pair: wanted[pair[1]])


def portions(quantity: int, sizes_mm: tuple[int, int, int], weight_g: int) -> Iterator[int]:
    """Quantities that fit a bin each."""
    volume = max(1, sizes_mm[0] * sizes_mm[1] * sizes_mm[2])
    most = max(1, min(int(BIN_VOLUME_MM3 * FILL_SHARE / volume), BIN_LOAD_G // max(1, weight_g)))
    while quantity > 0:
        yield min(most, quantity)
        quantity -= most
