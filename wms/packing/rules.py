"""Is the weight right, and which pieces go to which line: decided without the database."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wms.core.refusal import Reason, Refused

TARE_G = 120
TOLERANCE_SHARE = 0.08
TOLERANCE_G = 60


def tolerance_g(expected_weight_g: int) -> int:
    """How far a parcel may be off: 8 % or 60 g, whichever is more (cartons and filling differ)."""
    return max(TOLERANCE_G, round(expected_weight_g * TOLERANCE_SHARE))


def expected_weight_g(pieces: list[tuple[int, int]]) -> int:
    """Sum of (weight_g, quantity) and the carton; 0 when a weight is not known, which means: no check."""
    if any(weight_g <= 0 for weight_g, _quantity in pieces):
        return 0
    return TARE_G + sum(weight_g * quantity for weight_g, quantity in pieces)


def check_weight(weight_g: int | None, expected_g: int) -> int:
    """The weight, or a refusal: missing, or outside the tolerance. The parcel then waits at the hold lane."""
    if weight_g is None or weight_g <= 0:
        raise Refused(Reason.WEIGHT_MISSING)
    if expected_g and abs(weight_g - expected_g) > tolerance_g(expected_g):
        raise Refused(Reason.WEIGHT_OUTSIDE_TOLERANCE, weight_g=weight_g, expected_g=expected_g)
    return weight_g


def share_over_lines(
    lines: Sequence[tuple[int, int]], stock: Sequence[Any], quantity: int
) -> list[tuple[int, Any, int]]:
    """Share `quantity` pieces of one SKU over the order's lines (id, pieces left) and the tote's stock (`on_hand`).

    (line id, stock row, pieces) each; stock in the order given. The caller has seen that the lines want so many.
    """
    parts: list[tuple[int, Any, int]] = []
    there = [[row, row.on_hand] for row in stock]
    for line_id, wanted in lines:
        left = min(wanted, quantity)
        quantity -= left
        for one in there:
            part = min(left, one[1])
            if part:
                parts.append((line_id, one[0], part))
                one[1] -= part
                left -= part
        assert not left, "picked goods must lie in the order's totes"
    assert not quantity, "more pieces than the lines want"
    return parts
