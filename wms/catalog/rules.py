"""What makes a bar code the same, a batch complete, and goods too old."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from wms.catalog.values import LotFacts, SkuFacts
from wms.core.refusal import Reason, Refused

NO_LOT = "-"
CODE_LENGTH_MAX = 64
NAME_LENGTH_MAX = 200


@dataclass(frozen=True, slots=True)
class LotMarks:
    """What is printed on a batch, made complete."""

    code: str
    produced_on: date | None
    expires_on: date | None


def bare_barcode(barcode: str) -> str:
    """One form for all ways to write a GTIN: UPC-A gets its leading 0, GTIN-14 of a piece (leading 0) loses it.

    GS1 General Specifications, "GTIN formats": shorter numbers are right-aligned in the longer ones with zeroes.
    """
    if barcode.isascii() and barcode.isdecimal():
        if len(barcode) == 14 and barcode[0] == "0":
            return barcode[1:]
        if len(barcode) == 12:
            return "0" + barcode
    return barcode


def lot_marks(
    sku: SkuFacts, code: str | None, produced_on: date | None, expires_on: date | None, today: date | None
) -> LotMarks:
    """What a lot of this SKU must say, or a refusal: LOT_REQUIRED, LOT_DATES_REQUIRED, LOT_DATES_WRONG.

    The date of expiry follows from the day of production where the SKU's shelf life is known. `today` (at the
    warehouse) is only needed with a day of production.
    """
    if produced_on is not None and expires_on is None and sku.shelf_life_days is not None:
        expires_on = produced_on + timedelta(days=sku.shelf_life_days)
    _check_dates(produced_on, expires_on, today)
    if sku.dated and expires_on is None:
        raise Refused(Reason.LOT_DATES_REQUIRED, sku=sku.code)
    if code:
        return LotMarks(code, produced_on, expires_on)
    if sku.lot_tracked:
        raise Refused(Reason.LOT_REQUIRED, sku=sku.code)
    return LotMarks(_code_from_dates(expires_on), produced_on, expires_on)


def _check_dates(produced_on: date | None, expires_on: date | None, today: date | None) -> None:
    if produced_on is not None and today is not None and produced_on > today:
        raise Refused(Reason.LOT_DATES_WRONG, why=f"{produced_on} > {today}")
    if produced_on is not None and expires_on is not None and expires_on < produced_on:
        raise Refused(Reason.LOT_DATES_WRONG, why=f"{expires_on} < {produced_on}")


def _code_from_dates(expires_on: date | None) -> str:
    """Goods without a batch number but with a date are told apart by the date."""
    return NO_LOT if expires_on is None else expires_on.strftime("%Y%m%d")


def life_left_days(lot: LotFacts, today: date) -> int | None:
    """Days until the lot expires (0 on the last day, negative after it); None when it never does."""
    return None if lot.expires_on is None else (lot.expires_on - today).days


def check_text(what: str, value: str, length_max: int) -> str:
    """A code or name people can read: not empty, not overlong, no control characters. Raises BAD_INPUT."""
    stripped = value.strip()
    if not 1 <= len(stripped) <= length_max or not stripped.isprintable():
        raise Refused(Reason.BAD_INPUT, what=what)
    return stripped


def check_one_of(what: str, value: str, known: Sequence[str]) -> str:
    """One of a few words. Raises BAD_INPUT."""
    if value not in known:
        raise Refused(Reason.BAD_INPUT, what=f"{what}: {value[:40]!r} is not one of {', '.join(known)}")
    return str(value)


def check_barcode_quantity(barcode: str, quantity: int) -> None:
    """A packaging holds at least one piece."""
    if quantity < 1:
        raise Refused(Reason.QUANTITY_WRONG, quantity=quantity, barcode=barcode)
