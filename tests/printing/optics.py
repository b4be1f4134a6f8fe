"""What wears a label out, and the eye that must still read it.

Damage is done to the printed dots: eroded strokes, noise, a dead heating element. The eye is a hand scanner's: it sees
the dots enlarged and slightly blurred, as a lens does, never pixel by pixel, and looks again from farther away if it
read nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import zxingcpp
from PIL import Image, ImageFilter

from wms.printing.bitmap import Bitmap
from wms.printing.raster import Box
from wms.printing.symbols import Kind

FORMATS = {
    Kind.CODE_128: "Code128",
    Kind.GS1_128: "Code128",
    Kind.DATA_MATRIX: "DataMatrix",
    Kind.GS1_DATA_MATRIX: "DataMatrix",
    Kind.QR: "QRCode",
}
_ENLARGED = 2
_LOOKS_BLUR_DOTS = (0.8, 1.6)


def zone(bitmap: Bitmap, box: Box, dots_per_mm: float) -> Image.Image:
    """The part of the label a scanner is pointed at: the code's box, grey, black 0."""
    left, top, right, bottom = (round(edge * dots_per_mm) for edge in (box.x, box.y, box.x + box.w, box.y + box.h))
    return bitmap.image().convert("L").crop((left, top, right, bottom))


def eroded(label: Image.Image) -> Image.Image:
    """Every black stroke one dot thinner on each of its sides, as from a head that is too cold."""
    return label.filter(ImageFilter.MaxFilter(3))


def noisy(label: Image.Image, share: float = 0.02, seed: int = 1) -> Image.Image:
    """`share` of all dots turned over."""
    dots = np.array(label)
    hit = np.random.default_rng(seed).random(dots.shape) < share
    dots[hit] = 255 - dots[hit]
    return Image.fromarray(dots)


def skewed(label: Image.Image, degrees: float = 3.0) -> Image.Image:
    return label.rotate(degrees, expand=True, fillcolor=255, resample=Image.Resampling.BICUBIC)


def dead_column(label: Image.Image, x: int) -> Image.Image:
    """The dots of one heating element missing from top to bottom."""
    dots = np.array(label)
    dots[:, x] = 255
    return Image.fromarray(dots)


def seen(label: Image.Image, blur_dots: float) -> Image.Image:
    """The label through a lens, on a white table."""
    table = Image.new("L", (label.width + 40, label.height + 40), 255)
    table.paste(label, (20, 20))
    large = table.resize((table.width * _ENLARGED, table.height * _ENLARGED), Image.Resampling.BICUBIC)
    return large.filter(ImageFilter.GaussianBlur(blur_dots * _ENLARGED))


def scan(label: Image.Image, kind: Kind) -> list[bytes]:
    """The contents of all codes of that kind the eye reads in the first look that shows any."""
    for blur_dots in _LOOKS_BLUR_DOTS:
        if found := zxingcpp.read_barcodes(
            seen(label, blur_dots), formats=zxingcpp.barcode_formats_from_str(FORMATS[kind])
        ):
            return [bytes(code.bytes) for code in found]
    return []


DAMAGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "as printed": lambda label: label,
    "eroded by one dot": eroded,
    "2 % noise": noisy,
    "3 degrees of skew": skewed,
    "3 degrees the other way": lambda label: skewed(label, -3.0),
}
