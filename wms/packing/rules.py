"""Is the weight right, and which pieces go next: decided without the database."""

from __future__ import annotations

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
