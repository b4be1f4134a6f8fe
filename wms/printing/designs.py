"""Designs: a label's template as data that people change, and back again. What they write is checked before it is used.

A design may move, add and leave out what stands on the paper, and bring a merchant's logo. It may not lose a code that
machines read, name words its label does not have, or put anything outside the paper.
"""

from __future__ import annotations

import base64
import binascii
import re
import string
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields, replace
from typing import Any

from wms.core.refusal import Reason, Refused
from wms.printing.raster import Align, Box, Type, picture_trouble
from wms.printing.samples import sample_of
from wms.printing.symbols import Kind
from wms.printing.templates.elements import (
    Across,
    Code,
    Disc,
    Down,
    Element,
    Fill,
    Frame,
    Picture,
    Template,
    Words,
)

ELEMENTS_MAX = 120
SAY_LENGTH_MAX = 200
PICTURE_BYTES_MAX = 30_000
SIZE_MM = (1.2, 40.0)
LINES_MAX = 12
WEIGHT_MM_MAX = 3.0
_WORD = re.compile(r"[a-z][a-z0-9_]{0,39}")
_KINDS: Mapping[str, type[Any]] = {
    "words": Words,
    "code": Code,
    "across": Across,
    "down": Down,
    "frame": Frame,
    "fill": Fill,
    "disc": Disc,
    "picture": Picture,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def to_json(template: Template) -> list[dict[str, Any]]:
    """A template's elements, one flat object each: `is`, place and size in millimetres, and what stands there."""
    return [_element_to_json(element) for element in template.elements]


def _element_to_json(element: Element) -> dict[str, Any]:
    told: dict[str, Any] = {"is": _NAMES[type(element)]}
    for field in fields(element):
        value = getattr(element, field.name)
        if isinstance(value, Box):
            told |= {"x": value.x, "y": value.y, "w": value.w, "h": value.h}
        elif isinstance(value, Type):
            told |= {name: word for name, word in asdict(value).items() if word != _default(name)}
        elif isinstance(value, bytes):
            told[field.name] = base64.b64encode(value).decode("ascii")
        elif value != field.default:
            told[field.name] = str(value) if isinstance(value, Kind) else value
    return told


def _default(name: str) -> Any:
    return next(field.default for field in fields(Type) if field.name == name)


def from_json(base: Template, told: object) -> Template:
    """`base` with the elements of a design. Refuses BAD_INPUT naming the element (counted from 1) and what is wrong."""
    if not isinstance(told, list) or not 1 <= len(told) <= ELEMENTS_MAX:
        raise Refused(Reason.BAD_INPUT, what=f"elements: a list of 1 to {ELEMENTS_MAX}")
    words = frozenset(sample_of(base.name).values.words())
    elements = tuple(_Reader(number, one, base, words).element() for number, one in enumerate(told, start=1))
    _keeps_codes(base, elements)
    return replace(base, elements=elements)


def _keeps_codes(base: Template, elements: Sequence[Element]) -> None:
    here = {(element.kind, element.content) for element in elements if isinstance(element, Code)}
    for code in base.codes():
        if (code.kind, code.content) not in here:
            raise Refused(
                Reason.BAD_INPUT, what=f"the {code.kind} code {{{code.content}}} is missing: machines read it"
            )


class _Reader:
    """One element as somebody wrote it."""

    def __init__(self, number: int, told: object, base: Template, words: frozenset[str]) -> None:
        self._number, self._base, self._names = number, base, words
        if not isinstance(told, dict):
            raise self._wrong("not an object")
        self._told: dict[str, Any] = told
        self._left = set(told) - {"is"}

    def element(self) -> Element:
        kind = self._told.get("is")
        if not isinstance(kind, str) or kind not in _KINDS:
            raise self._wrong(f"is: one of {', '.join(_KINDS)}")
        found: Element = getattr(self, f"_{kind}")()
        if self._left:
            raise self._wrong(f"{', '.join(sorted(map(str, self._left)))[:60]}: not known here")
        return found

    def _words(self) -> Words:
        box, say = self._box(), self._text("say", SAY_LENGTH_MAX)
        try:
            named = {name for _, name, _, _ in string.Formatter().parse(say) if name is not None}
        except ValueError as error:
            raise self._wrong("say: a brace without its other half") from error
        for name in named:
            self._known(name)
        return Words(box, say, self._type(), self._needs())

    def _code(self) -> Code:
        box, content = self._box(), self._known(self._text("content", 40))
        kind = self._text("kind", 40)
        if kind not in set(Kind):
            raise self._wrong(f"kind: one of {', '.join(Kind)}")
        return Code(box, Kind(kind), content, self._needs())

    def _across(self) -> Across:
        x, y, length = self._line(self._base.width_mm, across=True)
        return Across(x, y, length, self._weight(), self._number_of("dash", 0.0, 20.0, 0.0))

    def _down(self) -> Down:
        x, y, length = self._line(self._base.height_mm, across=False)
        return Down(x, y, length, self._weight())

    def _frame(self) -> Frame:
        return Frame(self._box(), self._weight(), self._needs())

    def _fill(self) -> Fill:
        return Fill(self._box(), self._needs())

    def _disc(self) -> Disc:
        return Disc(self._box(), self._weight() if self._told.get("weight") is not None else None)

    def _picture(self) -> Picture:
        box = self._box()
        try:
            png = base64.b64decode(self._text("png", PICTURE_BYTES_MAX * 4 // 3 + 4), validate=True)
        except (binascii.Error, ValueError) as error:
            raise self._wrong("png: not base64") from error
        trouble = picture_trouble(png)
        if trouble:
            raise self._wrong(f"png: {trouble}")
        return Picture(box, png)

    def _box(self) -> Box:
        paper = self._base
        x, y = self._number_of("x", 0.0, paper.width_mm), self._number_of("y", 0.0, paper.height_mm)
        return Box(x, y, self._number_of("w", 0.5, paper.width_mm - x), self._number_of("h", 0.5, paper.height_mm - y))

    def _line(self, most: float, *, across: bool) -> tuple[float, float, float]:
        x, y = self._number_of("x", 0.0, self._base.width_mm), self._number_of("y", 0.0, self._base.height_mm)
        return x, y, self._number_of("length", 0.5, most - (x if across else y))

    def _type(self) -> Type:
        align = self._text("align", 10, Align.LEFT.value)
        if align not in set(Align):
            raise self._wrong(f"align: one of {', '.join(Align)}")
        flags = {name: self._flag(name) for name in ("bold", "white", "on_ink", "top")}
        size = self._number_of("size", *SIZE_MM)
        least = self._number_of("least", 0.0, size, 0.0)
        lines = self._number_of("lines", 1, LINES_MAX, 1)
        if lines != int(lines):
            raise self._wrong("lines: a whole number")
        return Type(size, least, int(lines), align=Align(align), **flags)

    def _weight(self) -> float:
        return self._number_of("weight", 0.05, WEIGHT_MM_MAX, 0.25)

    def _needs(self) -> str:
        needs = self._text("needs", 40, "")
        return self._known(needs) if needs else ""

    def _known(self, name: str) -> str:
        if not _WORD.fullmatch(name) or name not in self._names:
            raise self._wrong(f"{{{name[:40]}}}: this label has {', '.join(sorted(self._names))}")
        return name

    def _text(self, name: str, length_max: int, default: str | None = None) -> str:
        self._left.discard(name)
        value = self._told.get(name, default)
        if not isinstance(value, str) or len(value) > length_max or (default is None and not value):
            raise self._wrong(f"{name}: a text of at most {length_max} characters")
        return value

    def _flag(self, name: str) -> bool:
        self._left.discard(name)
        value = self._told.get(name, False)
        if not isinstance(value, bool):
            raise self._wrong(f"{name}: true or false")
        return value

    def _number_of(self, name: str, least: float, most: float, default: float | None = None) -> float:
        self._left.discard(name)
        value = self._told.get(name, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise self._wrong(f"{name}: a number of mm from {least:g} to {most:g}")
        return float(value)

    def _wrong(self, why: str) -> Refused:
        return Refused(Reason.BAD_INPUT, what=f"element {self._number}: {why}")
