"""Rows out of CSV and XLSX files, as text, with the number a person sees in front of them. Files are data, never
trusted.
"""

from __future__ import annotations

import csv
import gzip
import io
from dataclasses import dataclass
from pathlib import Path
from zipfile import BadZipFile

from openpyxl import load_workbook
from openpyxl.utils.exceptions import InvalidFileException

BYTES_MAX = 10 * 1024 * 1024
ROWS_MAX = 500_000
XLSX = frozenset({".xlsx", ".xlsm"})


class BadFile(Exception):
    """The file as a whole cannot be read; the message says why and how to mend it."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its number in the file (the header is row 1) and its cells by lower-case column name, stripped."""

    number: int
    cells: dict[str, str]


def read_rows(path: Path, *, bytes_max: int = BYTES_MAX) -> list[Row]:
    """All rows of a file with a header. CSV may be UTF-8 (with or without mark) or GB18030, also gzipped. Raises
    BadFile.
    """
    if path.stat().st_size > bytes_max:
        raise BadFile(f"larger than {bytes_max // 1024 // 1024} MB: split it")
    table = _xlsx(path) if path.suffix.lower() in XLSX else _csv(path)
    if not table:
        raise BadFile("is empty: the first row must name the columns")
    header = [name.strip().lower().lstrip("\ufeff") for name in table[0]]
    if len(set(header)) != len(header):
        raise BadFile("two columns have the same name")
    return [
        Row(number, {name: _cell(value) for name, value in zip(header, cells, strict=False)})
        for number, cells in enumerate(table[1:], 2)
        if any(value.strip() for value in cells)
    ]


def _cell(value: str) -> str:
    """Spreadsheets write long numbers as '1 or ="1": the number is meant."""
    text = value.strip()
    if text.startswith('="') and text.endswith('"'):
        return text[2:-1]
    return text[1:] if text.startswith("'") else text


def _csv(path: Path) -> list[list[str]]:
    raw = path.read_bytes()
    if raw[:2] == b"\x1f\x8b":
        with gzip.open(io.BytesIO(raw)) as packed:
            raw = packed.read(BYTES_MAX * 20 + 1)
        if len(raw) > BYTES_MAX * 20:
            raise BadFile("unpacks to more than 200 MB: split it")
    text = _decoded(raw)
    try:
        table = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise BadFile(f"is not CSV: {error}") from error
    if len(table) > ROWS_MAX:
        raise BadFile(f"has more than {ROWS_MAX:,} rows: split it")
    return table


def _decoded(raw: bytes) -> str:
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise BadFile("is neither UTF-8 nor GB18030 text")


def _xlsx(path: Path) -> list[list[str]]:
    try:
        book = load_workbook(path, read_only=True, data_only=True)
    except (BadZipFile, InvalidFileException, KeyError, OSError) as error:
        raise BadFile("is not an XLSX workbook") from error
    sheet = book.worksheets[0]
    table = [
        ["" if cell is None else str(cell) for cell in row]
        for row in sheet.iter_rows(values_only=True, max_row=ROWS_MAX)
    ]
    book.close()
    return table
