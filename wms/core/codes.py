"""Bar codes: our own, which cannot be mistaken, and everybody else's, which are not trusted.

An internal code is `KIND.body.CHECK` ("SL.B12-07-3.W"): a two-letter kind, the code people read, and one check
character by ISO 7064 MOD 37,36 over kind and body. So no supplier's code passes for a badge or a command. GS1 element
strings are believed only with an AIM id, because a stripped separator gives a plausible but wrong batch.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from biip import ParseError
from biip.gs1_messages import GS1Message
from stdnum import ean
from stdnum.iso7064 import mod_37_36

from wms.core.refusal import Reason, Refused

LENGTH_MAX = 128
GS = "\x1d"
_INTERNAL = re.compile(r"^([A-Z]{2})\.([0-9A-Z-]{1,40})\.([0-9A-Z])$")
_GS1_AIMS = frozenset({"]C1", "]e0", "]d2", "]Q3", "]J1"})
_AIM = re.compile(r"^\][A-Za-z][0-9a-zA-Z]")


class Kind(StrEnum):
    """What a code names. The values are the two letters on our own labels."""

    SLOT = "SL"
    CONTAINER = "LP"
    TOTE = "TO"
    CART = "CA"
    STATION = "ST"
    BADGE = "BA"
    COMMAND = "CM"
    PARCEL = "PA"
    BAG = "BG"
    ORDER = "OR"
    ASN = "AS"
    DEVICE = "DV"
    GS1 = "gs1"
    PLAIN = "plain"


_INTERNAL_KINDS = {kind.value: kind for kind in Kind if len(kind.value) == 2}


@dataclass(frozen=True, slots=True)
class Gs1:
    """What a GS1 element string said."""

    gtin: str | None
    lot: str | None
    produced_on: date | None
    expires_on: date | None
    serial: str | None
    count: int | None


@dataclass(frozen=True, slots=True)
class Read:
    """A code as understood: `body` is the bare code of an internal label, else the text itself (a GTIN for GS1)."""

    kind: Kind
    body: str
    raw: str
    gs1: Gs1 | None = None


def make(kind: Kind, body: str) -> str:
    """The bar code of an internal label. `body` has 1-40 digits, capitals and dashes."""
    code = f"{kind.value}.{body}.{_check(kind.value, body)}"
    assert _INTERNAL.match(code), f"{body!r} cannot stand in a bar code"
    return code


def read(text: str, aim: str | None = None) -> Read:
    """Understand what a scanner sent. Raises Refused for unprintable, empty or overlong text and for a wrong check
    character (of our own labels) or check digit (of a GTIN).
    """
    raw, aim = _split_aim(text, aim)
    _refuse_unreadable(raw)
    internal = _INTERNAL.match(raw)
    if internal and internal[1] in _INTERNAL_KINDS:
        if _check(internal[1], internal[2]) != internal[3]:
            raise Refused(Reason.BARCODE_CHECK_WRONG, scanned=raw)
        return Read(_INTERNAL_KINDS[internal[1]], internal[2], raw)
    if aim in _GS1_AIMS:
        return _read_gs1(raw)
    return Read(Kind.PLAIN, raw, raw)


def _check(kind: str, body: str) -> str:
    return str(mod_37_36.calc_check_digit(kind + body.replace("-", "")))


def _split_aim(text: str, aim: str | None) -> tuple[str, str | None]:
    stripped = text.strip(" \t\r\n")
    if aim is None and (found := _AIM.match(stripped)):
        return stripped[3:], found[0]
    return stripped, aim


def _refuse_unreadable(raw: str) -> None:
    if not 1 <= len(raw) <= LENGTH_MAX or any(not (sign.isprintable() or sign == GS) for sign in raw):
        shown = "".join(sign if sign.isprintable() else "?" for sign in raw[:40])
        raise Refused(Reason.BARCODE_UNREADABLE, scanned=shown)


def _read_gs1(raw: str) -> Read:
    if not raw.isascii():  # digits of other scripts would pass for numbers
        return Read(Kind.PLAIN, raw, raw)
    try:
        message = GS1Message.parse(raw.lstrip(GS))
    except ParseError:
        return Read(Kind.PLAIN, raw, raw)
    found = {element.ai.ai: element for element in message.element_strings}
    if not found or not all(element.value for element in found.values()):
        return Read(Kind.PLAIN, raw, raw)
    gtin = found["01"].value if "01" in found else (found["02"].value if "02" in found else None)
    if gtin is not None and not ean.is_valid(gtin):
        raise Refused(Reason.BARCODE_CHECK_WRONG, scanned=raw)
    facts = Gs1(
        gtin=gtin,
        lot=found["10"].value if "10" in found else None,
        produced_on=found["11"].date if "11" in found else None,
        expires_on=(found.get("17") or found["15"]).date if "17" in found or "15" in found else None,
        serial=found["21"].value if "21" in found else None,
        count=int(found[ai].value) if (ai := "37" if "37" in found else "30") in found else None,
    )
    return Read(Kind.GS1, gtin or raw, raw, facts)
