"""Rows out of CSV and XLSX files, as text, with the number a person sees in front of them. Files are data, never
trusted.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

BYTES_MAX = 10 * 1024 * 1024
UNPACKED_BYTES_MAX = 200 * 1024 * 1024
ROWS_MAX = 500_000
COLUMNS_MAX = 200
CELL_LENGTH_MAX = 2_000
_GZIP, _ZIP, _OLE = b"\x1f\x8b", b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")
# What a spreadsheet shows where a formula found no value.
_SHEET_ERRORS = frozenset({"#REF!", "#N/A", "#VALUE!", "#NAME?", "#DIV/0!", "#NUM!", "#NULL!"})


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (the header is row 1) and its cells by lower-case column name, stripped.

    Every column of the header has a cell. `trouble` says why the row cannot be read at all, where it cannot.
    """

    number: int
    cells: dict[str, str]
    trouble: str = ""


def read_rows(path: Path, *, bytes_max: int = BYTES_MAX) -> list[Row]:
    """All rows of a file with a header. CSV may be UTF-8 (with or without mark) or GB18030, also gzipped; what the
    bytes are counts, not the name. Raises BadFile.
    """
    if path.stat().st_size > bytes_max:
        raise BadFile(f"larger than {bytes_max // 1024 // 1024} MB: split it")
    raw = path.read_bytes()
    if raw.startswith(_OLE):
        raise BadFile("is an old .xls workbook: save it as .xlsx or CSV")
    table = _xlsx(raw) if raw.startswith(_ZIP) else _csv(raw)
    if not table:
        raise BadFile("is empty: the first row must name the columns")
    header = _header(table[0])
    return [
        _row(number, header, cells)
        for number, cells in enumerate(table[1:], 2)
        if any(value.strip() for value in cells)
    ]


def _header(cells: list[str]) -> list[str]:
    """Names of columns; empty ones at the end are what a spreadsheet leaves behind."""
    names = [name.strip().lower().lstrip("\ufeff") for name in cells]
    while names and not names[-1]:
        names.pop()
    if not names or not all(names):
        raise BadFile("a column has no name in the first row")
    if len(names) > COLUMNS_MAX:
        raise BadFile(f"has more than {COLUMNS_MAX} columns")
    if len(set(names)) != len(names):
        raise BadFile("two columns have the same name")
    return names


def _row(number: int, header: list[str], cells: list[str]) -> Row:
    values = [_cell(value) for value in cells]
    while len(values) > len(header) and not values[-1]:
        values.pop()
    trouble = ""
    if len(values) > len(header):
        trouble = f"has {len(values)} cells, the header names {len(header)} columns"
    values += [""] * (len(header) - len(values))
    named = dict(zip(header, values, strict=False))
    return Row(number, named, trouble or next(_unreadable(named), ""))


def _unreadable(cells: dict[str, str]) -> Iterator[str]:
    for name, value in cells.items():
        if len(value) > CELL_LENGTH_MAX:
            yield f"{name} has {len(value)} characters, {CELL_LENGTH_MAX} at most"
        elif not value.isprintable():
            yield f"{name} holds a control character (a line break, a tab or worse)"
        elif value in _SHEET_ERRORS:
            yield f"{name} is {value}: the formula behind it has no value"


def _cell(value: str) -> str:
    """Spreadsheets write long numbers as '1 or ="1", and what begins like a formula with a ': the text is meant."""
    text = value.strip()
    if text.startswith('="') and text.endswith('"') and len(text) > 2:
        return text[2:-1].strip()
    if text.startswith("'") and text[1:2] and (text[1].isdecimal() or text[1] in "=+-@"):
        return text[1:]
    return text


def _csv(raw: bytes) -> list[list[str]]:
    text = _decoded(_unpacked(raw) if raw.startswith(_GZIP) else raw)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadFile(f"is not CSV: {error}") from error
    if len(table) > ROWS_MAX:
        raise BadFile(f"has more than {ROWS_MAX:,} rows: split it")
    return table


def _unpacked(raw: bytes) -> bytes:
    try:
        with gzip.open(io.BytesIO(raw)) as packed:
            unpacked = packed.read(UNPACKED_BYTES_MAX + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise BadFile("is a damaged gzip file") from error
    if len(unpacked) > UNPACKED_BYTES_MAX:
        raise BadFile(f"unpacks to more than {UNPACKED_BYTES_MAX // 1024 // 1024} MB: split it")
    return unpacked


def _decoded(raw: bytes) -> str:
    if raw.startswith(_UTF_16):
        raise BadFile("is UTF-16 text: save it as CSV UTF-8 or as .xlsx")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("is neither UTF-8 nor GB18030 text, nor an .xlsx workbook")


def _xlsx(raw: bytes) -> list[list[str]]:
    """The first sheet. A workbook is a zip of XML files: damaged and hostile ones are told apart from good ones by
    whatever they trip over.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(raw)) as packed:
            if sum(part.file_size for part in packed.infolist()) > UNPACKED_BYTES_MAX:
                raise BadFile(f"unpacks to more than {UNPACKED_BYTES_MAX // 1024 // 1024} MB: split it")
        book = load_workbook(io.BytesIO(raw), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        rows = sheet.iter_rows(values_only=True, max_row=ROWS_MAX + 1, max_col=COLUMNS_MAX + 1)
        table = [[_written(cell) for cell in row] for row in rows]
        book.close()
    except (
        zipfile.BadZipFile,
        InvalidFileException,
        LookupError,
        ValueError,
        TypeError,
        AttributeError,
        OSError,
        EOFError,
        SyntaxError,
        zlib.error,
    ) as error:
        raise BadFile("is not an XLSX workbook, or a damaged one") from error
    if len(table) > ROWS_MAX:
        raise BadFile(f"has more than {ROWS_MAX:,} rows: split it")
    return table


def _written(cell: Any) -> str:
    """A workbook's value as a person would write it into CSV: 6 not 6.0, 16:00 not 16:00:00."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.isoformat(" ")
    if isinstance(cell, time):
        return cell.strftime("%H:%M")
    return str(cell)
