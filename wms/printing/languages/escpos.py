"""ESC/POS: the label as raster strips (`GS v 0`), then a cut or a form feed.

Only four commands are ever sent, with numbers we counted ourselves: ESC @, GS v 0, GS V and FF. No text goes to the
printer, so no text can be a command. Command names and bytes as in Epson's ESC/POS command reference.
"""

from __future__ import annotations

from enum import StrEnum

from wms.printing.bitmap import Bitmap

RESET = b"\x1b@"
FEED_AND_CUT = b"\x1dV\x42\x00"
FORM_FEED = b"\x0c"
STRIP_ROWS = 128  # 12.8 kB at 800 dots: less than the receive buffer of common printers


class End(StrEnum):
    """How the paper ends: a knife for rolls, a feed to the next gap for labels."""

    CUT = "cut"
    FORM_FEED = "form_feed"


def to_escpos(bitmap: Bitmap, end: End = End.CUT) -> bytes:
    """The bytes of one label. The strips join without a gap; bit 1 is black."""
    strips = [_strip(bitmap, first) for first in range(0, bitmap.height_dots, STRIP_ROWS)]
    return b"".join([RESET, *strips, FEED_AND_CUT if end is End.CUT else FORM_FEED])


def _strip(bitmap: Bitmap, first: int) -> bytes:
    rows = min(STRIP_ROWS, bitmap.height_dots - first)
    width = bitmap.row_bytes
    header = b"\x1dv0\x00" + width.to_bytes(2, "little") + rows.to_bytes(2, "little")
    return header + bitmap.rows[first * width : (first + rows) * width]
