"""What scales say, read into whole grams. Formats: `cas`, `yaohua` (XK3190, continuous format 0), `sics`.

All three send kilograms with decimals; whatever is not exactly in its format is no reading (None), never a guess.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import reduce

CAS = re.compile(rb"(ST|US|OL),(GS|NT),([+-])( *\d+\.\d{3}|-{7})kg")
CAS_LINE_BYTES = 16
YAOHUA = re.compile(rb"([+-])(\d{6})([0-4])([0-9A-F]{2})")
YAOHUA_CONTENT_BYTES = 10
YAOHUA_OVERLOAD = b"999999"
SICS = re.compile(rb"S ([SD]) ( *-?\d+\.\d{3}) kg")
SICS_VALUE_BYTES = 10
GRAM_PLACES = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """One word of a scale. `weight_g` None: no weight now (overload, cannot); `stable` None: the format has no flag."""

    weight_g: int | None
    stable: bool | None
    fault: str = ""


OVERLOAD = Reading(None, False, "overload")
UNDERLOAD = Reading(None, False, "underload")
ERROR = Reading(None, False, "scale_error")
CANNOT = Reading(None, False, "scale_cannot")
SICS_FAULTS = {b"S +": OVERLOAD, b"S -": UNDERLOAD, b"S I": CANNOT, b"ES": ERROR}


def read_cas(line: bytes) -> Reading | None:
    """`ST,GS,+  1.235kg` without its CR LF."""
    found = CAS.fullmatch(line)
    if found is None or len(line) != CAS_LINE_BYTES:
        return None
    state, _, sign, number = found.groups()
    if state == b"OL":
        return OVERLOAD
    if number.startswith(b"-"):
        return None
    return Reading(_signed(sign, _grams(number)), state == b"ST")


def read_yaohua(content: bytes) -> Reading | None:
    """`+00123531D`: sign, six digits, decimal places, XOR of these eight bytes; the content between STX and ETX."""
    found = YAOHUA.fullmatch(content)
    if found is None:
        return None
    sign, digits, places, check = found.groups()
    if reduce(lambda left, right: left ^ right, content[:8]) != int(check, 16):
        return None
    if digits == YAOHUA_OVERLOAD:
        return OVERLOAD
    scaled = int(digits) * 10**GRAM_PLACES
    # Four places are tenths of a gram: rounded half up, as the display does.
    divisor = 10 ** int(places)
    return Reading(_signed(sign, (scaled + divisor // 2) // divisor), None)


def read_sics(line: bytes) -> Reading | None:
    """The answer to `SI`, without its CR LF."""
    if line in SICS_FAULTS:
        return SICS_FAULTS[line]
    found = SICS.fullmatch(line)
    if found is None or len(found[2]) != SICS_VALUE_BYTES:
        return None
    return Reading(_grams(found[2]), found[1] == b"S")


def _grams(kilograms: bytes) -> int:
    """Three places, so the digits are the grams."""
    return int(kilograms.replace(b" ", b"").replace(b".", b""))


def _signed(sign: bytes, weight_g: int) -> int:
    return -weight_g if sign == b"-" else weight_g
