"""The manifest as PDF: read back with another program's eyes."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import datetime

import pypdfium2
import pytest

from wms.printing.papers import manifest_pdf
from wms.printing.values import ManifestPaper, ManifestRow

AT = datetime(2026, 11, 11, 15, 42)  # noqa: DTZ001 - printed wall time of the warehouse
PAPER = ManifestPaper(
    "M261111-00007",
    "绩溪园区仓",
    "韵达",
    "皖P 12345",
    AT,
    AT,
    "王师傅",
    "",
    (ManifestRow("2611110017", "杭州分拨", 42, 18_640, bag=True), ManifestRow("YD400", "上海分拨", 1, 900, bag=False)),
)


def text_of(pdf: bytes) -> list[str]:
    document = pypdfium2.PdfDocument(io.BytesIO(pdf))
    return [page.get_textpage().get_text_range() for page in document]


def test_a_manifest_says_what_the_driver_takes() -> None:
    (page,) = text_of(manifest_pdf(PAPER))
    for words in ("M261111-00007", "韵达", "皖P 12345", "王师傅", "2611110017", "杭州分拨", "YD400", "43", "19.54"):
        assert words in page, words


def test_a_long_manifest_has_its_head_and_number_on_every_page() -> None:
    rows = tuple(ManifestRow(f"YD{number:06}", "杭州", 1, 500, bag=False) for number in range(200))
    pages = text_of(manifest_pdf(replace(PAPER, rows=rows)))
    assert len(pages) > 3
    assert all("M261111-00007" in page and "Hub" in page for page in pages[:-1])
    assert sum(page.count("YD000") for page in pages) == 200


def test_the_same_manifest_is_the_same_file() -> None:
    assert manifest_pdf(PAPER) == manifest_pdf(PAPER)


@pytest.mark.parametrize("name", ["<b>王</b>", "a & b", "<img src='file:///etc/passwd'/>", "\u202e王", "x" * 3000])
def test_what_strangers_wrote_is_text(name: str) -> None:
    (page, *_) = text_of(manifest_pdf(replace(PAPER, signed_by=name, courier=name)))
    assert "root:" not in page
    assert "\u202e" not in page


def test_an_open_manifest_without_rows_is_a_paper_too() -> None:
    (page,) = text_of(manifest_pdf(replace(PAPER, rows=(), closed_at=None, signed_by="")))
    assert "M261111-00007" in page
