"""Printers get the picture and nothing else: three strict interpreters give the same dots back."""

from __future__ import annotations

import hashlib

import pytest

from tests.printing.interpreters import Printed, UnknownCommand, escpos_paper, tspl_paper, zpl_paper
from wms.printing import Language, render, to_bytes, to_png
from wms.printing.bitmap import Bitmap, bitmap_of
from wms.printing.languages.escpos import End, to_escpos
from wms.printing.languages.tspl import to_tspl
from wms.printing.samples import Sample, samples
from wms.printing.templates import WAYBILL_76X130

READERS = {Language.ESCPOS: escpos_paper, Language.TSPL: tspl_paper, Language.ZPL: zpl_paper}


@pytest.mark.parametrize("dpi", [203, 300])
@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.template.name)
def test_each_language_prints_exactly_the_bitmap(sample: Sample, language: Language, dpi: int) -> None:
    bitmap = render(sample.template, sample.values, dpi)
    job = to_bytes(bitmap, sample.template, language)
    assert READERS[language](job) == Printed(bitmap.row_bytes, bitmap.rows)


@pytest.mark.parametrize("language", list(Language))
def test_the_same_label_gives_the_same_bytes(language: Language) -> None:
    sums = set()
    for _ in range(2):
        sample = samples()[0]
        job = to_bytes(render(sample.template, sample.values), sample.template, language)
        sums.add(hashlib.sha256(job).hexdigest())
    assert len(sums) == 1


@pytest.mark.parametrize("width", [1, 7, 8, 9, 607])
@pytest.mark.parametrize("language", list(Language))
def test_the_bits_after_the_last_dot_stay_white(width: int, language: Language) -> None:
    row_bytes = (width + 7) // 8
    row = (((1 << width) - 1) << (8 * row_bytes - width)).to_bytes(row_bytes, "big")
    black = Bitmap(width, 3, 203, row * 3)
    assert READERS[language](to_bytes(black, WAYBILL_76X130, language)) == Printed(row_bytes, row * 3)
    assert bitmap_of(black.image(), 203) == black


def test_a_roll_is_cut_and_a_label_is_fed_to_its_gap() -> None:
    bitmap = Bitmap(8, 1, 203, b"\xff")
    assert to_escpos(bitmap).endswith(b"\x1dV\x42\x00")
    assert to_escpos(bitmap, End.FORM_FEED).endswith(b"\x0c")


def test_a_zero_bit_is_black_in_tspl() -> None:
    job = to_tspl(Bitmap(8, 1, 203, b"\x80"), 100, 60)
    assert job == (
        b"SIZE 100 mm,60 mm\r\nGAP 2 mm,0 mm\r\nDIRECTION 0\r\nREFERENCE 0,0\r\nCLS\r\n"
        b"BITMAP 0,0,1,1,0,\x7f\r\nPRINT 1,1\r\n"
    )


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("extra", [b"\x10\x04\x01", b"~JR", b"^XA", b"SELFTEST\r\n", b"\x1b@", b"A"])
def test_the_interpreters_stop_at_anything_unknown(language: Language, extra: bytes) -> None:
    job = to_bytes(Bitmap(8, 1, 203, b"\x80"), WAYBILL_76X130, language)
    for foreign in (extra + job, job + extra, job[:-1]):
        with pytest.raises(UnknownCommand):
            READERS[language](foreign)


def test_a_preview_is_a_png_of_the_same_dots() -> None:
    bitmap = render(samples()[0].template, samples()[0].values)
    assert to_png(bitmap).startswith(b"\x89PNG\r\n\x1a\n")
    assert to_png(bitmap) == to_png(bitmap)
