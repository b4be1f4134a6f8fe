"""The finished picture of one label: rows of dots, and nothing a printer could take for a command."""

from __future__ import annotations

import io
from dataclasses import dataclass

from PIL import Image


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A label as black and white dots.

    `rows` holds `height_dots` rows of `row_bytes` bytes; the most significant bit is the leftmost dot, 1 is black,
    and the bits after the last dot of a row are 0. `missing_glyphs` are the characters that were printed as □,
    each once and sorted, so that a screen can name them before the label is stuck on a parcel.
    """

    width_dots: int
    height_dots: int
    dpi: int
    rows: bytes
    missing_glyphs: str = ""

    def __post_init__(self) -> None:
        assert len(self.rows) == self.row_bytes * self.height_dots, "rows and size disagree"

    @property
    def row_bytes(self) -> int:
        return (self.width_dots + 7) // 8

    def image(self) -> Image.Image:
        """The picture as a Pillow image of mode "1" (black 0, white 255)."""
        return Image.frombytes("1", (self.width_dots, self.height_dots), self.rows, "raw", "1;I")


def bitmap_of(image: Image.Image, dpi: int, missing_glyphs: str = "") -> Bitmap:
    """The dots of a Pillow image of mode "1"."""
    assert image.mode == "1", "only black and white images become dots"
    return Bitmap(image.width, image.height, dpi, image.tobytes("raw", "1;I"), missing_glyphs)


def to_png(bitmap: Bitmap) -> bytes:
    """The bitmap as a PNG file of the label's true size, for previews. Equal bitmaps give equal bytes."""
    file = io.BytesIO()
    bitmap.image().save(file, format="PNG", dpi=(bitmap.dpi, bitmap.dpi), optimize=True)
    return file.getvalue()
