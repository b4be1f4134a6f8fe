"""Values in, a bitmap out: a template filled with a label's words at a printer's resolution."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from wms.printing.bitmap import Bitmap
from wms.printing.raster import Box, Canvas
from wms.printing.templates.elements import Across, Code, Disc, Down, Element, Fill, Frame, Picture, Template, Words
from wms.printing.text import clean
from wms.printing.values import HasRows, LabelValues, PackingList


def render(template: Template, values: LabelValues, dpi: int = 203) -> Bitmap:
    """The label's dots; the same values always give the same dots.

    Every text passes the filter of `text.clean`. Refuses CODE_UNPRINTABLE where a code's content cannot be encoded or
    does not fit its place: a label whose code nobody can scan is not printed.
    """
    canvas = Canvas(template.width_mm, template.height_mm, dpi)
    _draw(canvas, template.elements, values.words())
    if template.rows is not None:
        assert isinstance(values, HasRows), "this label lists rows"
        rows = values.rows()
        assert len(rows) <= template.rows.rows_max, "pages_of splits a long list"
        for number, row in enumerate(rows):
            _draw(canvas, _lowered(template.rows.elements, number * template.rows.step), row)
    return canvas.bitmap()


def pages_of(whole: PackingList, template: Template) -> tuple[PackingList, ...]:
    """A packing list as pages of at most as many lines as the template has room for; an empty one is one page."""
    assert template.rows is not None
    room = template.rows.rows_max
    starts = range(0, max(1, len(whole.lines)), room)
    total = sum(line.quantity for line in whole.lines)
    return tuple(
        replace(
            whole,
            lines=whole.lines[start : start + room],
            page=number,
            pages=len(starts),
            quantity_total=total,
            lines_before=start,
        )
        for number, start in enumerate(starts, start=1)
    )


def _draw(canvas: Canvas, elements: Iterable[Element], raw: Mapping[str, str]) -> None:
    shown = {name: clean(word) for name, word in raw.items()}
    for element in elements:
        if _is_wanted(element, shown):
            _draw_one(canvas, element, raw, shown)


def _is_wanted(element: Element, shown: Mapping[str, str]) -> bool:
    needs = element.needs if isinstance(element, (Words, Code, Frame, Fill)) else ""
    return not needs or bool(shown[needs])


def _draw_one(canvas: Canvas, element: Element, raw: Mapping[str, str], shown: Mapping[str, str]) -> None:
    match element:
        case Words(box, say, style):
            canvas.text(box, say.format_map(shown), style)
        case Code(box, kind, content):
            # A code is encoded exactly as it is or refused; cleaning it would print another code.
            canvas.code(box, kind, raw[content])
        case Across(x, y, length, weight, dash):
            canvas.across(x, y, length, weight, dash)
        case Down(x, y, length, weight):
            canvas.down(x, y, length, weight)
        case Frame(box, weight):
            canvas.frame(box, weight)
        case Fill(box):
            canvas.fill(box)
        case Disc(box, weight):
            canvas.disc(box, weight)
        case Picture(box, png):
            canvas.picture(box, png)


def _lowered(elements: Iterable[Element], by_mm: float) -> tuple[Element, ...]:
    return tuple(_lower(element, by_mm) for element in elements)


def _lower(element: Element, by_mm: float) -> Element:
    if isinstance(element, (Across, Down)):
        return replace(element, y=element.y + by_mm)
    box = element.box
    return replace(element, box=Box(box.x, box.y + by_mm, box.w, box.h))
