"""The drawing board: a label in millimetres, drawn straight onto the dots of one printer.

Everything lands on whole dots, so the modules of a code are all exactly as wide. Text is drawn into a picture of its
own box and pasted there: however long or odd it is, it cannot leave its box.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from PIL import Image, ImageDraw

from wms.core.refusal import Reason, Refused
from wms.printing import symbols
from wms.printing.bitmap import Bitmap, bitmap_of
from wms.printing.font import face
from wms.printing.text import ELLIPSIS, drawable

BLACK, WHITE = 0, 255
DOTS_PER_MM = {203: 8.0, 300: 300 / 25.4}  # heads sold as 203 dpi have 8 dots a millimetre
MODULE_DOTS_MIN = 2  # one dot alone does not survive a worn print head
MODULE_MM_MAX = 1.0
LINE_PITCH = 1.2  # of the em
ASCENT = 0.86  # of the em: where the baseline lies, so that Chinese characters fill the line
BOLD_STROKE = 0.018  # of the em, on each side of a stroke
INK_AT = 150  # grey darker than this becomes a black dot; a little above the middle, as thin strokes burn thin
PICTURE_DOTS_MAX = 1_200
TEXTS_KEPT = 512  # of some kilobytes each
WORD_LENGTH_MAX = 16  # longer runs of Latin letters may be broken anywhere


class Box(NamedTuple):
    """A place on the label in millimetres from its top left corner."""

    x: float
    y: float
    w: float
    h: float


class Align(StrEnum):
    LEFT = "left"
    CENTRE = "centre"
    RIGHT = "right"


@dataclass(frozen=True, slots=True)
class Type:
    """How a text is set. Sizes are ems in millimetres: it begins at `size` and shrinks to `least` before it is cut."""

    size: float
    least: float = 0.0
    lines: int = 1
    bold: bool = False
    align: Align = Align.LEFT
    white: bool = False  # white on a black ground
    on_ink: bool = False  # centred by what is seen, not by the line: for one huge code alone in its box
    top: bool = False  # begins at the top of the box instead of standing in its middle


@dataclass(frozen=True, slots=True)
class Zone:
    """Where a code ended up, in dots, quiet zone included."""

    left: int
    top: int
    right: int
    bottom: int
    module_dots: int


def read_picture(png: bytes) -> Image.Image:
    """A PNG file as shades of grey on white; what is see-through is white. Raises ValueError with what is wrong."""
    try:
        with Image.open(io.BytesIO(png), formats=("PNG",)) as found:
            if max(found.size) > PICTURE_DOTS_MAX:
                raise ValueError(f"larger than {PICTURE_DOTS_MAX} x {PICTURE_DOTS_MAX} dots")
            clear = found.convert("RGBA")
    except (OSError, SyntaxError) as error:
        raise ValueError("not a PNG picture") from error
    ground = Image.new("RGBA", clear.size, "white")
    return Image.alpha_composite(ground, clear).convert("L")


def picture_trouble(png: bytes) -> str:
    """What is wrong with a picture; "" when it can be printed."""
    try:
        read_picture(png)
    except ValueError as error:
        return str(error)
    return ""


class Canvas:
    """One label being drawn. `width_mm` and `height_mm` are the paper's, `dpi` the printer's: 203 or 300."""

    def __init__(self, width_mm: float, height_mm: float, dpi: int) -> None:
        assert dpi in DOTS_PER_MM, f"no printer of ours has {dpi} dpi"
        self.dpi = dpi
        self.dots_per_mm = DOTS_PER_MM[dpi]
        self._image = Image.new("1", (self.dots(width_mm), self.dots(height_mm)), WHITE)
        self._pen = ImageDraw.Draw(self._image)
        self._missing: set[str] = set()

    def dots(self, mm: float) -> int:
        return round(mm * self.dots_per_mm)

    def bitmap(self) -> Bitmap:
        return bitmap_of(self._image, self.dpi, "".join(sorted(self._missing)))

    def fill(self, box: Box) -> None:
        left, top, right, bottom = self._corners(box)
        self._pen.rectangle((left, top, right - 1, bottom - 1), fill=BLACK)

    def frame(self, box: Box, weight_mm: float) -> None:
        left, top, right, bottom = self._corners(box)
        self._pen.rectangle((left, top, right - 1, bottom - 1), outline=BLACK, width=self._weight(weight_mm))

    def disc(self, box: Box, weight_mm: float | None = None) -> None:
        """A circle in `box`: filled, or a ring of the given weight."""
        left, top, right, bottom = self._corners(box)
        where = (left, top, right - 1, bottom - 1)
        if weight_mm is None:
            self._pen.ellipse(where, fill=BLACK)
        else:
            self._pen.ellipse(where, outline=BLACK, width=self._weight(weight_mm))

    def picture(self, box: Box, png: bytes) -> None:
        """A picture in black and white, its shape kept, in the middle of its box."""
        left, top, right, bottom = self._corners(box)
        drawn = read_picture(png)
        drawn.thumbnail((right - left, bottom - top))
        dots = drawn.point(lambda grey: BLACK if grey < INK_AT else WHITE).convert("1")
        self._image.paste(dots, (left + (right - left - dots.width) // 2, top + (bottom - top - dots.height) // 2))

    def across(self, x_mm: float, y_mm: float, length_mm: float, weight_mm: float, dash_mm: float = 0.0) -> None:
        """A horizontal line, dashed if `dash_mm` is given."""
        left, right, top = self.dots(x_mm), self.dots(x_mm + length_mm), self.dots(y_mm)
        bottom = top + self._weight(weight_mm) - 1
        dash = self.dots(dash_mm)
        for begin in range(left, right, 2 * dash) if dash else (left,):
            end = min(begin + dash, right) if dash else right
            self._pen.rectangle((begin, top, end - 1, bottom), fill=BLACK)

    def down(self, x_mm: float, y_mm: float, length_mm: float, weight_mm: float) -> None:
        """A vertical line."""
        left, top, bottom = self.dots(x_mm), self.dots(y_mm), self.dots(y_mm + length_mm)
        self._pen.rectangle((left, top, left + self._weight(weight_mm) - 1, bottom - 1), fill=BLACK)

    def text(self, box: Box, words: str, style: Type) -> None:
        """`words` in `box`, shrunk, wrapped and at last cut with … to fit. Expects text that went through `clean`."""
        words, missing = drawable(words)
        self._missing |= missing
        if not words:
            return
        left, top, right, bottom = self._corners(box)
        inked = _inked(words, style, right - left, bottom - top, self.dpi)
        self._image.paste(WHITE if style.white else BLACK, (left, top), inked)

    def code(self, box: Box, kind: symbols.Kind, content: str) -> Zone:
        """The code as large as fits into `box` with its quiet zone, in its middle. Refuses what does not fit."""
        symbol = symbols.modules(kind, content)
        return self._bars(box, kind, symbol) if kind in symbols.LINEAR else self._matrix(box, kind, symbol)

    def _bars(self, box: Box, kind: symbols.Kind, symbol: Image.Image) -> Zone:
        left, top, right, bottom = self._corners(box)
        quiet = symbols.QUIET_MODULES[kind]
        module = self._module_dots(kind, right - left, symbol.width + 2 * quiet)
        bars = symbol.resize((symbol.width * module, bottom - top), Image.Resampling.NEAREST)
        begin = left + (right - left - bars.width) // 2
        self._image.paste(bars, (begin, top))
        return Zone(begin - quiet * module, top, begin + bars.width + quiet * module, bottom, module)

    def _matrix(self, box: Box, kind: symbols.Kind, symbol: Image.Image) -> Zone:
        left, top, right, bottom = self._corners(box)
        quiet = symbols.QUIET_MODULES[kind]
        module = self._module_dots(kind, min(right - left, bottom - top), symbol.width + 2 * quiet)
        side = symbol.width * module
        picture = symbol.resize((side, side), Image.Resampling.NEAREST)
        x = left + (right - left - side) // 2
        y = top + (bottom - top - side) // 2
        self._image.paste(picture, (x, y))
        rim = quiet * module
        return Zone(x - rim, y - rim, x + side + rim, y + side + rim, module)

    def _module_dots(self, kind: symbols.Kind, room_dots: int, modules: int) -> int:
        fits = room_dots // modules
        if fits < MODULE_DOTS_MIN:
            raise Refused(Reason.CODE_UNPRINTABLE, kind=kind.value, why="it does not fit its place on the label")
        return min(fits, max(MODULE_DOTS_MIN, self.dots(MODULE_MM_MAX)))

    def _corners(self, box: Box) -> tuple[int, int, int, int]:
        return self.dots(box.x), self.dots(box.y), self.dots(box.x + box.w), self.dots(box.y + box.h)

    def _weight(self, weight_mm: float) -> int:
        return max(1, self.dots(weight_mm))


@lru_cache(maxsize=TEXTS_KEPT)
def _inked(words: str, style: Type, width: int, height: int, dpi: int) -> Image.Image:
    """Where ink goes in a box of so many dots. Most of what stands on a label stands on the next one too: it is drawn
    once. Nobody draws into what comes back.
    """
    picture = Image.new("L", (width, height), WHITE)
    lines, em = _fitted(words, style, width, height, DOTS_PER_MM[dpi])
    if style.on_ink and len(lines) == 1:
        _write_on_ink(picture, lines[0], em, style)
    else:
        _write_lines(picture, lines, em, style)
    return picture.point(lambda grey: 255 if grey < INK_AT else 0).convert("1")


def _fitted(words: str, style: Type, width: int, height: int, dots_per_mm: float) -> tuple[tuple[str, ...], int]:
    """The lines of a text and their em in dots, as large as fits."""
    largest = max(1, round(style.size * dots_per_mm))
    least = max(1, round(style.least * dots_per_mm)) if style.least else largest
    for em in range(largest, least - 1, -1):
        lines = _wrapped(words, em, width, style.bold)
        if len(lines) <= style.lines and _block_height(len(lines), em) <= height:
            return lines, em
    fitting = max(1, min(style.lines, 1 + int((height - least) / (least * LINE_PITCH))))
    lines = _wrapped(words, least, width, style.bold)
    if len(lines) <= fitting:
        return lines, least
    return (*lines[: fitting - 1], _cut(lines[fitting - 1], least, width, style.bold)), least


def _block_height(lines: int, em: int) -> float:
    return em + (lines - 1) * em * LINE_PITCH


def _stroke(em: int, bold: bool) -> float:
    return round(max(0.3, em * BOLD_STROKE), 1) if bold else 0.0


@lru_cache(maxsize=20_000)
def _advance(character: str, em: int) -> float:
    return float(face(em).getlength(character))


def _length(text: str, em: int, bold: bool) -> float:
    return sum(_advance(character, em) for character in text) + 2 * _stroke(em, bold)


def _wrapped(text: str, em: int, width: int, bold: bool) -> tuple[str, ...]:
    """Lines no longer than `width`: Chinese breaks anywhere, Latin words at blanks unless they are very long."""
    lines: list[str] = []
    line = ""
    for piece in _pieces(text):
        if line and _length((line + piece).rstrip(), em, bold) > width:
            lines.append(line.rstrip())
            line = ""
        line += piece if line else piece.lstrip()
    return (*lines, line.rstrip()) if line.strip() else tuple(lines)


@lru_cache(maxsize=512)
def _pieces(text: str) -> tuple[str, ...]:
    """What may not be broken: one Chinese character, or a run of ASCII signs up to a blank."""
    pieces: list[str] = []
    run = ""
    for character in text:
        joins = character.isascii() and character != " " and len(run) < WORD_LENGTH_MAX
        if joins and run:
            run += character
            continue
        if run:
            pieces.append(run)
        run = character if joins else ""
        if not joins:
            pieces.append(character)
    return (*pieces, run) if run else tuple(pieces)


def _cut(line: str, em: int, width: int, bold: bool) -> str:
    while line and _length(line + ELLIPSIS, em, bold) > width:
        line = line[:-1]
    return line + ELLIPSIS


def _write_lines(picture: Image.Image, lines: tuple[str, ...], em: int, style: Type) -> None:
    pen = ImageDraw.Draw(picture)
    spare = max(0.0, picture.height - _block_height(len(lines), em))
    top = 0.0 if style.top else spare / 2
    stroke = _stroke(em, style.bold)
    for number, line in enumerate(lines):
        baseline = round(top + number * em * LINE_PITCH + em * ASCENT)
        x = _beginning(picture.width, _length(line, em, style.bold), style.align) + stroke
        pen.text((x, baseline), line, font=face(em), fill=BLACK, anchor="ls", stroke_width=stroke)


def _write_on_ink(picture: Image.Image, line: str, em: int, style: Type) -> None:
    pen = ImageDraw.Draw(picture)
    stroke = _stroke(em, style.bold)
    left, top, right, bottom = pen.textbbox((0, 0), line, font=face(em), anchor="ls", stroke_width=stroke)
    x = _beginning(picture.width, right - left, style.align) - left
    y = round((picture.height - (bottom - top)) / 2 - top)
    pen.text((x, y), line, font=face(em), fill=BLACK, anchor="ls", stroke_width=stroke)


def _beginning(width: int, length: float, align: Align) -> int:
    spare = max(0.0, width - length)
    return {Align.LEFT: 0, Align.CENTRE: round(spare / 2), Align.RIGHT: int(spare)}[align]
