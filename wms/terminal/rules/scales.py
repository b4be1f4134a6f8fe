"""Scales for values that do not begin at 0: round marks around what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil, floor, log10

STEPS = (1.0, 2.0, 2.5, 5.0, 10.0)
MARKS = 2


def scale(values: Sequence[float]) -> list[float]:
    """Marks of a scale around the values, the lowest first: round numbers, never below 0. Raises ValueError without
    values.
    """
    low, high = min(values), max(values)
    raw = max((high - low) / MARKS, abs(high) / 20, 1e-6)
    power = 10.0 ** floor(log10(raw))
    step = next(factor * power for factor in STEPS if factor * power >= raw * 0.999)
    first, last = max(0, floor(low / step)), ceil(high / step)
    return [round(mark * step, 6) for mark in range(first, max(last, first + 1) + 1)]


def decimals(marks: Sequence[float]) -> int:
    """How many decimals tell these marks apart."""
    step = marks[1] - marks[0]
    return max(0, -floor(log10(step) + 1e-9)) + (1 if round(step / 10.0 ** floor(log10(step) + 1e-9), 3) == 2.5 else 0)
