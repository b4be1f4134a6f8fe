"""What is decided at the order desk, without the database: cut-offs, who gets which stock, waves, cancellations."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from wms.core.refusal import Reason, Refused
from wms.outbound.values import (
    Cancelled,
    FreeStock,
    OrderState,
    Promised,
    Shortage,
    ShortLine,
    Take,
    WaitingOrder,
    WantedLine,
    WaveDraft,
    WaveKind,
)

DAY_END = "23:59"
HOT_FROM_ORDERS = 20
WAVE_ORDERS_MAX = 400
_BEFORE_RELEASE = frozenset({OrderState.PLACED, OrderState.ALLOCATED, OrderState.SHORT})
_HOURS_MINUTES = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")


def next_cut_off(placed_at: datetime, cut_offs: Sequence[str], zone: ZoneInfo) -> datetime:
    """The first of the daily `cut_offs` (local "HH:MM") after `placed_at`, in UTC. Without any, the day's end."""
    times = sorted(_time_of(cut_off) for cut_off in cut_offs or (DAY_END,))
    day = placed_at.astimezone(zone).date()
    moments = (datetime.combine(day + timedelta(days=later), at, zone) for later in (0, 1) for at in times)
    return next(moment for moment in moments if moment > placed_at).astimezone(UTC)


def _time_of(cut_off: str) -> time:
    found = _HOURS_MINUTES.fullmatch(cut_off)
    if found is None:
        raise Refused(Reason.BAD_INPUT, what=f"cut-off {cut_off}")
    return time(int(found[1]), int(found[2]))


def in_turn(rows: Iterable[FreeStock]) -> list[FreeStock]:
    """First expired first out; of goods that expire alike those in reach, then first in first out. Goods without a date
    come after those with one.
    """
    return sorted(rows, key=_turn)


def _turn(row: FreeStock) -> tuple[bool, date, bool, datetime, int]:
    return row.expires_on is None, row.expires_on or date.max, not row.in_reach, row.first_in_at, row.stock_id


def turn_of(expires_on: date | None, came_in_on: date) -> str:
    """What the turn of goods of one lot goes by: goods with the same may stand for each other.

    Those with a date go by it; of those without one, what came in on the same day is as old.
    """
    return f"until {expires_on}" if expires_on is not None else f"since {came_in_on}"


def may_ship(expires_on: date | None, today: date, min_life_ship_days: int) -> bool:
    """Whether goods have enough life left to be sent. What has expired is never sent."""
    return expires_on is None or expires_on >= today + timedelta(days=max(0, min_life_ship_days))


def promise(lines: Sequence[WantedLine], rows: Iterable[FreeStock], today: date) -> Promised:
    """Give each line its goods whole, or nothing of it, in the order of the lines.

    Half a line helps no buyer and would keep goods from an order that they complete.
    """
    turn = in_turn(rows)
    free = {row.stock_id: row.free for row in turn}
    takes: list[Take] = []
    short: list[ShortLine] = []
    for line in lines:
        of_sku = [row for row in turn if row.sku_id == line.sku_id]
        sound = [row for row in of_sku if may_ship(row.expires_on, today, line.min_life_ship_days)]
        found = sum(free[row.stock_id] for row in sound)
        if found < line.quantity:
            any_age = sum(free[row.stock_id] for row in of_sku)
            why = Shortage.LIFE_TOO_SHORT if any_age >= line.quantity else Shortage.NO_STOCK
            short.append(ShortLine(line.line_id, line.sku_id, line.quantity, found, why))
            continue
        for take in _takes(line, sound, free):
            free[take.stock_id] -= take.quantity
            takes.append(take)
    return Promised(tuple(takes), tuple(short))


def _takes(line: WantedLine, rows: Sequence[FreeStock], free: dict[int, int]) -> Iterator[Take]:
    left = line.quantity
    for row in rows:
        quantity = min(left, free[row.stock_id])
        if quantity > 0:
            left -= quantity
            yield Take(line.line_id, row.stock_id, quantity)
        if left == 0:
            return


def state_after(allocated: int) -> OrderState:
    """An order with anything promised goes on; one with nothing waits as short, with its reason."""
    return OrderState.ALLOCATED if allocated else OrderState.SHORT


def waves(
    orders: Iterable[WaitingOrder], hot_from: int = HOT_FROM_ORDERS, orders_max: int = WAVE_ORDERS_MAX
) -> list[WaveDraft]:
    """Part orders into waves: by courier and cut-off, hot contents and one-line orders apart; earliest cut-off first.

    Hot orders are picked as a sum and one-line orders need no sorting: mixed with others both would lose that.
    """
    assert hot_from > 1
    assert orders_max > 0
    groups: defaultdict[tuple[datetime, str], list[WaitingOrder]] = defaultdict(list)
    for order in orders:
        groups[order.cut_off_at, order.courier].append(order)
    return [
        WaveDraft(courier, cut_off_at, kind, part)
        for (cut_off_at, courier), group in sorted(groups.items())
        for kind, order_ids in _kinds(group, hot_from)
        for part in _parts(order_ids, orders_max)
    ]


def _kinds(group: Sequence[WaitingOrder], hot_from: int) -> Iterator[tuple[WaveKind, list[int]]]:
    by_content: defaultdict[tuple[tuple[int, int], ...], list[int]] = defaultdict(list)
    for order in group:
        by_content[order.content].append(order.order_id)
    rest: dict[WaveKind, list[int]] = {WaveKind.SINGLE: [], WaveKind.MULTI: []}
    for content, order_ids in sorted(by_content.items()):
        if len(order_ids) >= hot_from:
            yield WaveKind.HOT, order_ids
        else:
            rest[WaveKind.SINGLE if len(content) == 1 else WaveKind.MULTI] += order_ids
    yield from ((kind, order_ids) for kind, order_ids in rest.items() if order_ids)


def _parts(order_ids: Sequence[int], orders_max: int) -> Iterator[tuple[int, ...]]:
    in_order = sorted(order_ids)
    for first in range(0, len(in_order), orders_max):
        yield tuple(in_order[first : first + orders_max])


def cancelling(state: OrderState, order_no: str) -> Cancelled:
    """What a cancellation does in each stage. Before release the order is simply off; after it, it must be caught."""
    if state is OrderState.SHIPPED:
        raise Refused(Reason.ORDER_HANDED_OVER, order=order_no)
    off = state in _BEFORE_RELEASE or state is OrderState.CANCELLED
    return Cancelled.OFF if off else Cancelled.CAUGHT
