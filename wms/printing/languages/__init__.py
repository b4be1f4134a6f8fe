"""Printer languages: a bitmap in, the bytes for one printer out. The same bitmap always gives the same bytes."""

from __future__ import annotations

from enum import StrEnum
from typing import assert_never

from wms.printing.bitmap import Bitmap
from wms.printing.languages.escpos import to_escpos
from wms.printing.languages.tspl import to_tspl
from wms.printing.languages.zpl import to_zpl
from wms.printing.templates.elements import Template


class Language(StrEnum):
    ESCPOS = "escpos"
    TSPL = "tspl"
    ZPL = "zpl"


def to_bytes(bitmap: Bitmap, template: Template, language: Language) -> bytes:
    """One label as the printer wants it."""
    match language:
        case Language.ESCPOS:
            return to_escpos(bitmap)
        case Language.TSPL:
            return to_tspl(bitmap, template.width_mm, template.height_mm, template.gap_mm)
        case Language.ZPL:
            return to_zpl(bitmap)
    assert_never(language)
