"""What a DWS machine (dimensions, weight, scan) says: one JSON object a line. The page is docs/reference/dws.md."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

LINE_BYTES_MAX: Final = 4_096
CODES_MAX: Final = 8
CODE_CHARACTERS_MAX: Final = 128
WEIGHT_G_MAX: Final = 1_000_000
SIZE_MM_MAX: Final = 10_000
ID_MAX: Final = 2**53
BOOT_CHARACTERS: Final = 8
FAULTS: Final = frozenset({"motion", "overload", "under", "size_unknown", "scale_error"})
GS: Final = "\x1d"
SIDES: Final = ("length", "width", "height")


class MeasureRefused(ValueError):
    """A line that is no measure; `measure_id` names it if that much could be read."""

    def __init__(self, message: str, measure_id: int | None = None) -> None:
        super().__init__(message)
        self.measure_id = measure_id


@dataclass(frozen=True, slots=True)
class Measure:
    """One parcel as it passed. Grams and millimetres, None where not measured; `fault` says why."""

    boot: str
    measure_id: int
    codes: tuple[str, ...]
    weight_g: int | None
    length_mm: int | None
    width_mm: int | None
    height_mm: int | None
    fault: str = ""


def read_line(line: bytes) -> Measure | None:
    """The measure in one line, None for the beat `{"beat": n}`. Raises MeasureRefused."""
    try:
        found = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise MeasureRefused("no JSON") from error
    if not isinstance(found, dict):
        raise MeasureRefused("no JSON object")
    if "beat" in found:
        return None
    measure_id = found.get("id")
    if type(measure_id) is not int or not 1 <= measure_id < ID_MAX:
        raise MeasureRefused("id is missing or no number")
    try:
        return _measure(found, measure_id)
    except ValueError as error:
        raise MeasureRefused(str(error), measure_id) from error


def _measure(found: Mapping[str, object], measure_id: int) -> Measure:
    boot, fault = found.get("boot"), found.get("fault", "")
    if not isinstance(boot, str) or len(boot) != BOOT_CHARACTERS or not boot.isalnum() or not boot.isascii():
        raise ValueError(f"boot must be {BOOT_CHARACTERS} letters or digits")
    if fault != "" and fault not in FAULTS:
        raise ValueError(f"fault must be one of {', '.join(sorted(FAULTS))}")
    weight_g = _number(found, "weight_g", WEIGHT_G_MAX)
    length_mm, width_mm, height_mm = (_number(found, f"{side}_mm", SIZE_MM_MAX) for side in SIDES)
    codes = _codes(found.get("codes", []))
    return Measure(boot, measure_id, codes, weight_g, length_mm, width_mm, height_mm, str(fault))


def _number(found: Mapping[str, object], name: str, most: int) -> int | None:
    value = found.get(name)
    if value is None:
        return None
    if type(value) is not int or not 0 <= value <= most:
        raise ValueError(f"{name} must be a whole number from 0 to {most}, or null")
    return value


def _codes(value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > CODES_MAX or not all(map(_is_code, value)):
        raise ValueError(f"codes must be at most {CODES_MAX} texts of 1 to {CODE_CHARACTERS_MAX} printable characters")
    return tuple(value)


def _is_code(code: object) -> bool:
    return (
        isinstance(code, str)
        and 0 < len(code) <= CODE_CHARACTERS_MAX
        and all(letter == GS or letter.isprintable() for letter in code)
    )


def acknowledgement(boot: str, measure_id: int) -> bytes:
    """After the commit: the machine may forget the measure. With its boot, since a new one counts from 1 again."""
    return json.dumps({"ack": measure_id, "boot": boot}).encode("ascii") + b"\n"


def refusal(measure_id: int, reason: str) -> bytes:
    """`FORMAT`: not to be sent again; `BUSY`: again, please."""
    return json.dumps({"nak": measure_id, "reason": reason}).encode("ascii") + b"\n"
