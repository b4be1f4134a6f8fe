"""ZPL II: one graphic field of the whole label between ^XA and ^XZ; the field itself is written by zebrafy.

The graphic is compressed hexadecimal, which every ZPL printer reads; nothing but digits and letters stands in it, so no
caret or tilde of a label's text reaches the printer.
"""

from __future__ import annotations

from zebrafy.zebrafy_image import ZebrafyImage

from wms.printing.bitmap import Bitmap


def to_zpl(bitmap: Bitmap) -> bytes:
    """The bytes of one label."""
    field = ZebrafyImage(bitmap.image(), format="ASCII_COMPRESSED", complete_zpl=False).to_zpl()
    page = f"^XA\n^PW{bitmap.width_dots}\n^LL{bitmap.height_dots}\n^LH0,0\n{field}\n^PQ1\n^XZ\n"
    return page.encode("ascii")
