"""The vocabulary of templates: what can stand on a label, as data. Millimetres from the top left corner throughout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from wms.printing.raster import Box, Type
from wms.printing.symbols import Kind

HAIR, THIN, THICK = 0.125, 0.25, 0.5  # one, two and four dots at 203 dpi


@dataclass(frozen=True, slots=True)
class Words:
    """`say` with {names} of the label's words, set in `box`. Left out if any word of `needs` is empty."""

    box: Box
    say: str
    type: Type
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Code:
    """The word `content` as a bar code or matrix code; `box` includes the quiet zone and belongs to nothing else."""

    box: Box
    kind: Kind
    content: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Across:
    x: float
    y: float
    length: float
    weight: float = THIN
    dash: float = 0.0


@dataclass(frozen=True, slots=True)
class Down:
    x: float
    y: float
    length: float
    weight: float = THIN


@dataclass(frozen=True, slots=True)
class Frame:
    box: Box
    weight: float = THIN
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Fill:
    box: Box
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Disc:
    """A filled circle, or a ring if a weight is given."""

    box: Box
    weight: float | None = None


@dataclass(frozen=True, slots=True)
class Picture:
    """A PNG picture in black and white, as large as its box allows: a merchant's logo."""

    box: Box
    png: bytes


Element = Words | Code | Across | Down | Frame | Fill | Disc | Picture


@dataclass(frozen=True, slots=True)
class Rows:
    """The same elements once per row of the values, each `step` lower; at most `rows_max` on a page."""

    step: float
    rows_max: int
    elements: tuple[Element, ...]


@dataclass(frozen=True, slots=True)
class Template:
    """One label: its paper, its name in the gateway's contract (`media`), and everything on it."""

    name: str
    width_mm: float
    height_mm: float
    elements: tuple[Element, ...]
    rows: Rows | None = None
    gap_mm: float = 2.0

    @property
    def media(self) -> str:
        return f"{self.width_mm:g}x{self.height_mm:g}"

    def codes(self) -> Iterator[Code]:
        return (element for element in self.elements if isinstance(element, Code))
