"""What strangers wrote, made fit for paper: the filter of every text field, and the masks of names and phones."""

from __future__ import annotations

import re
import unicodedata

from wms.printing.font import BOX, can_draw

LENGTH_MAX = 200
MARKS_MAX = 2  # accents kept on one letter; more is a stack meant to run over its neighbours
ELLIPSIS = "…"

# Formally letters, marks or symbols, yet they print nothing, so a name could hide behind them.
_INVISIBLE = frozenset(map(chr, (0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0))) | frozenset(
    map(chr, (*range(0x180B, 0x1810), *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)))
)
_BLANKS = frozenset("\t\n\r\v\f\x85\u2028\u2029\u2800")
_DROPPED_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

_MOBILE_DIGITS = 11
_VIRTUAL = re.compile(r"(1\d{10})[-,_转 ]{1,2}(\d{3,6})")
_MASKED = re.compile(r"\d{3,4}\*{4}\d{2,4}")
_COUNTRY_PREFIX = re.compile(r"^(?:\+|00)86-?(?=\d)")


def clean(text: str, length_max: int = LENGTH_MAX) -> str:
    """`text` as one line of visible characters, composed (NFC), at most `length_max` characters long.

    Dropped: control characters, bidirectional controls, zero-width and other invisible characters, surrogates,
    private-use and unassigned code points. Line breaks and runs of blanks become one space.
    """
    assert length_max >= 1
    # A hostile field may be megabytes long; what can never be printed is not even looked at.
    bounded = text[: 8 * length_max]
    visible = "".join(map(_visible, unicodedata.normalize("NFC", bounded)))
    line = " ".join(_without_stacked_marks(visible).split())
    return line if len(line) <= length_max else line[: length_max - 1] + ELLIPSIS


def _visible(character: str) -> str:
    if character in _BLANKS or unicodedata.category(character) == "Zs":
        return " "
    if character in _INVISIBLE or unicodedata.category(character) in _DROPPED_CATEGORIES:
        return ""
    return character


def _without_stacked_marks(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in text:
        marks = marks + 1 if unicodedata.category(character) in {"Mn", "Me"} else 0
        if marks <= MARKS_MAX:
            kept.append(character)
    return "".join(kept)


def drawable(text: str) -> tuple[str, frozenset[str]]:
    """`text` with □ for every character the font lacks, and the set of those characters."""
    missing = frozenset(character for character in text if not can_draw(character))
    return "".join(BOX if character in missing else character for character in text), missing


def mask_name(name: str) -> str:
    """张三丰 -> 张**. The number of stars says nothing about the length of the name."""
    first = clean(name)[:1]
    return f"{first}**" if first else ""


def mask_phone(phone: str) -> str:
    """13800000000 -> 138****0000; a virtual number with its extension stays whole, since it is nobody's own.

    Numbers of 7 to 10 digits keep their first three and last two; anything shorter is hidden altogether.
    """
    line = _COUNTRY_PREFIX.sub("", clean(phone).replace(" ", ""))
    if not line or _MASKED.fullmatch(line):
        return line
    if virtual := _VIRTUAL.fullmatch(line):
        return f"{virtual[1]}-{virtual[2]}"
    digits = "".join(character for character in line if character in "0123456789")
    if len(digits) < 7:
        return "****"
    kept_at_end = 4 if len(digits) >= _MOBILE_DIGITS else 2
    return f"{digits[:3]}****{digits[-kept_at_end:]}"
