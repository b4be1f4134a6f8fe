"""Papers as PDF: values in, bytes out, on A4, in the house's own font. The same values always give the same bytes."""

from __future__ import annotations

import io
from datetime import datetime
from functools import cache
from typing import Any

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from wms.printing.font import FACE, FONT_FILE
from wms.printing.text import clean, drawable
from wms.printing.values import ManifestPaper

FONT = "chuwei"
MARGIN = 16 * mm
WIDTHS = (12 * mm, 62 * mm, 48 * mm, 24 * mm, 32 * mm)
HEAD = ("序 No.", "集包 / 运单 Bag or waybill", "集散点 Hub", "件 Parcels", "重量 Weight kg")
_SMALL_PT, _TEXT_PT, _TITLE_PT = 8, 10, 18


@cache
def _font() -> str:
    pdfmetrics.registerFont(TTFont(FONT, str(FONT_FILE), subfontIndex=FACE))
    return FONT


def manifest_pdf(paper: ManifestPaper) -> bytes:
    """A manifest to sign: head, what was handed over row by row, sums, and the lines for two names."""
    file = io.BytesIO()
    document = SimpleDocTemplate(
        file,
        pagesize=A4,
        leftMargin=MARGIN,
        rightMargin=MARGIN,
        topMargin=MARGIN,
        bottomMargin=MARGIN + 6 * mm,
        title=f"交接单 {paper.no}",
        author=clean(paper.warehouse),
        invariant=1,
    )

    def foot(canvas: Any, page: Any) -> None:
        canvas.setFont(_font(), _SMALL_PT)
        canvas.drawString(MARGIN, 10 * mm, f"{paper.no}  {clean(paper.courier)}")
        canvas.drawRightString(A4[0] - MARGIN, 10 * mm, f"第 {page.page} 页  page {page.page}")

    document.build(_story(paper), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


def _story(paper: ManifestPaper) -> list[Flowable]:
    return [
        _line(f"交接单 Manifest  {paper.no}", _TITLE_PT),
        Spacer(0, 3 * mm),
        _facts(paper),
        Spacer(0, 4 * mm),
        _rows(paper),
        Spacer(0, 6 * mm),
        _signatures(paper),
    ]


def _style(size_pt: int) -> ParagraphStyle:
    return ParagraphStyle("line", fontName=_font(), fontSize=size_pt, leading=size_pt * 1.35, wordWrap="CJK")


def _line(words: str, size_pt: int = _TEXT_PT) -> Paragraph:
    """One run of text; what strangers wrote is filtered, and can be no markup."""
    shown, _ = drawable(clean(words))
    return Paragraph(shown.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"), _style(size_pt))


def _facts(paper: ManifestPaper) -> Table:
    weight = f"{paper.weight_g / 1000:,.2f} kg"
    cells = [
        [("快递 Courier", paper.courier), ("园区 Warehouse", paper.warehouse), ("车辆 Vehicle", paper.vehicle or "–")],
        [("件 Parcels", f"{paper.parcels:,}"), ("集包 Bags", f"{paper.bags:,}"), ("重量 Weight", weight)],
        [
            ("开单 Opened", _when(paper.opened_at)),
            ("交接 Handed over", _when(paper.closed_at)),
            ("留下原因 Left behind", paper.missing_reason or "–"),
        ],
    ]
    drawn = [[[_line(label, _SMALL_PT), _line(value)] for label, value in row] for row in cells]
    return Table(
        drawn, colWidths=[sum(WIDTHS) / 3] * 3, style=TableStyle([("GRID", (0, 0), (-1, -1), 0.5, colors.grey)])
    )


def _when(moment: datetime | None) -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment else "–"


def _rows(paper: ManifestPaper) -> Table:
    body = [
        [str(number), _line(row.code), _line(row.hub), f"{row.parcels:,}", f"{row.weight_g / 1000:,.2f}"]
        for number, row in enumerate(paper.rows, start=1)
    ]
    total = ["", _line("合计 Total"), "", f"{paper.parcels:,}", f"{paper.weight_g / 1000:,.2f}"]
    look = [
        ("FONT", (0, 0), (-1, -1), _font(), _TEXT_PT),
        ("FONT", (0, 0), (-1, 0), _font(), _SMALL_PT),
        ("ALIGN", (0, 0), (0, -1), "RIGHT"),
        ("ALIGN", (3, 0), (-1, -1), "RIGHT"),
        ("LINEBELOW", (0, 0), (-1, 0), 1, colors.black),
        ("LINEBELOW", (0, 1), (-1, -2), 0.25, colors.lightgrey),
        ("LINEABOVE", (0, -1), (-1, -1), 1, colors.black),
        ("VALIGN", (0, 0), (-1, -1), "MIDDLE"),
    ]
    return Table([HEAD, *body, total], colWidths=WIDTHS, repeatRows=1, style=TableStyle(look))


def _signatures(paper: ManifestPaper) -> Table:
    names = [[_line("交出 Handed over by", _SMALL_PT), _line("接收 Received by", _SMALL_PT)]]
    lines = [["", _line(paper.signed_by, 12)], ["_" * 34, "_" * 34]]
    return Table(
        [*names, *lines],
        colWidths=[sum(WIDTHS) / 2] * 2,
        style=TableStyle([("FONT", (0, 0), (-1, -1), _font(), _TEXT_PT)]),
    )
