"""TSPL/TSPL2: paper size, an empty page, one BITMAP of the whole label, PRINT.

Only our own numbers stand in the commands. In BITMAP a bit of 0 is black (TSC TSPL/TSPL2 programming manual), the
opposite of ours, and the bits after the last dot of a row are white.
"""

from __future__ import annotations

from wms.printing.bitmap import Bitmap

OVERWRITE = 0
_INVERTED = bytes(255 - byte for byte in range(256))


def to_tspl(bitmap: Bitmap, width_mm: float, height_mm: float, gap_mm: float = 2.0) -> bytes:
    """The bytes of one label on paper of the given size; `gap_mm` is 0 for endless paper."""
    head = [
        f"SIZE {width_mm:g} mm,{height_mm:g} mm",
        f"GAP {gap_mm:g} mm,0 mm",
        "DIRECTION 0",
        "REFERENCE 0,0",
        "CLS",
    ]
    picture = f"BITMAP 0,0,{bitmap.row_bytes},{bitmap.height_dots},{OVERWRITE},".encode("ascii")
    lines = "".join(f"{line}\r\n" for line in head).encode("ascii")
    return lines + picture + bitmap.rows.translate(_INVERTED) + b"\r\nPRINT 1,1\r\n"
