"""The one font of all labels: WenQuanYi Micro Hei, shipped unchanged, and which characters it can draw.

The font has one weight. Bold is made by widening the strokes in proportion to the size, which a thermal printer's
coarse dots render as cleanly as a drawn bold.
"""

from __future__ import annotations

import struct
from functools import lru_cache
from pathlib import Path

from PIL import ImageFont

FONT_FILE = Path(__file__).parent / "fonts" / "wqy-microhei.ttc"
BOX = "□"  # U+25A1 stands for every character the font does not have
FACE = 0  # the collection holds the proportional face first, the monospaced one second
FACES_KEPT = 64

_COLLECTION_HEADER_BYTES = 12
_UNICODE_TABLES = ((3, 10), (0, 4), (3, 1), (0, 3))  # (platform, encoding), the widest repertoire first


@lru_cache(maxsize=FACES_KEPT)
def face(size_dots: int) -> ImageFont.FreeTypeFont:
    """The font at an em of `size_dots`. Plain layout: the same dots on every machine, nothing reordered."""
    return ImageFont.truetype(str(FONT_FILE), size_dots, index=FACE, layout_engine=ImageFont.Layout.BASIC)


@lru_cache(maxsize=1)
def characters() -> frozenset[int]:
    """All code points the font can draw, read from its `cmap` table (OpenType 1.9, tables `ttcf` and `cmap`)."""
    font = FONT_FILE.read_bytes()
    cmap = _cmap_table(font)
    subtables = {}
    for entry in range(_uint16(cmap, 2)):
        platform, encoding, offset = struct.unpack_from(">HHI", cmap, 4 + 8 * entry)
        subtables[platform, encoding] = offset
    best = next(key for key in _UNICODE_TABLES if key in subtables)
    subtable = cmap[subtables[best] :]
    reader = {4: _segments_of_format_4, 12: _groups_of_format_12}[_uint16(subtable, 0)]
    return frozenset(reader(subtable))


def can_draw(character: str) -> bool:
    return ord(character) in characters()


def _cmap_table(font: bytes) -> bytes:
    (directory,) = struct.unpack_from(">I", font, _COLLECTION_HEADER_BYTES + 4 * FACE)
    for table in range(_uint16(font, directory + 4)):
        tag, _checksum, offset, length = struct.unpack_from(">4sIII", font, directory + 12 + 16 * table)
        if tag == b"cmap":
            return font[offset : offset + length]
    raise ValueError(f"{FONT_FILE.name} has no cmap table")


def _groups_of_format_12(subtable: bytes) -> set[int]:
    (groups,) = struct.unpack_from(">I", subtable, 12)
    found: set[int] = set()
    for group in range(groups):
        first, last, _glyph = struct.unpack_from(">III", subtable, 16 + 12 * group)
        found.update(range(first, last + 1))
    return found


def _segments_of_format_4(subtable: bytes) -> set[int]:
    count = _uint16(subtable, 6) // 2
    last_of = struct.unpack_from(f">{count}H", subtable, 14)
    first_of = struct.unpack_from(f">{count}H", subtable, 16 + 2 * count)
    shift_of = struct.unpack_from(f">{count}H", subtable, 16 + 4 * count)
    ranges_at = 16 + 6 * count
    found: set[int] = set()
    for segment in range(count):
        range_offset = _uint16(subtable, ranges_at + 2 * segment)
        for code in range(first_of[segment], last_of[segment] + 1):
            if range_offset == 0:
                glyph = (code + shift_of[segment]) & 0xFFFF
            else:
                place = ranges_at + 2 * segment + range_offset + 2 * (code - first_of[segment])
                glyph = _uint16(subtable, place)
            if glyph and code != 0xFFFF:
                found.add(code)
    return found


def _uint16(table: bytes, offset: int) -> int:
    (value,) = struct.unpack_from(">H", table, offset)
    return int(value)
