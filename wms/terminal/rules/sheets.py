"""Tables as files for a spreadsheet: what a cell says is never a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import date

from openpyxl import Workbook
from openpyxl.cell import WriteOnlyCell

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
Table = Sequence[Sequence[object]]


def as_csv(table: Table) -> bytes:
    """UTF-8 with its mark, so that a spreadsheet knows it; text that begins like a formula gets a ' before it."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([_plain(cell) for cell in row] for row in table)
    return text.getvalue().encode("utf-8-sig")


def _plain(cell: object) -> object:
    if cell is None:
        return ""
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str) and cell.startswith(FORMULA_MARKS):
        return f"'{cell}"
    return cell


def as_xlsx(table: Table, title: str) -> bytes:
    """A workbook of one sheet; text stays text whatever it begins with."""
    book = Workbook(write_only=True)
    sheet = book.create_sheet(title)
    for row in table:
        cells = []
        for value in row:
            cell = WriteOnlyCell(sheet, value=value)
            if isinstance(value, str):
                cell.data_type = "s"
            cells.append(cell)
        sheet.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
