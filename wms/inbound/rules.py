"""What may be received: decided without the database."""

from __future__ import annotations

from datetime import date

from wms.core.refusal import Reason, Refused

OVER_SHARE_MAX = 0.0
QUANTITY_MAX = 1_000_000


def check_quantity(quantity: int) -> None:
    """1 to a million base units: more is a scanned bar code in the wrong field."""
    if not 1 <= quantity <= QUANTITY_MAX:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity)


def check_not_over(expected: int, received_after: int, *, allowed: bool) -> None:
    """More than announced is refused unless the asker may take it."""
    if received_after > expected and not allowed:
        raise Refused(Reason.OVER_RECEIPT, excess=received_after - expected)


def check_shelf_life(expires_on: date | None, today: date, min_days: int) -> None:
    """允收期: goods with fewer days left than the merchant wants are not taken in."""
    if expires_on is None or min_days <= 0:
        return
    days = (expires_on - today).days
    if days < min_days:
        raise Refused(Reason.SHELF_LIFE_TOO_SHORT, days=days, min_days=min_days)
