"""Three small printers: each understands what ours may send, and stops the test at anything else."""

from __future__ import annotations

import re
from dataclasses import dataclass


class UnknownCommand(AssertionError):
    """The printer was sent something it was never meant to get."""


@dataclass(frozen=True, slots=True)
class Printed:
    """What lies on the paper: rows of `row_bytes` bytes, 1 is black."""

    row_bytes: int
    rows: bytes


def escpos_paper(job: bytes) -> Printed:
    """ESC @ first, GS v 0 strips of one width, one cut or form feed last; nothing else, nothing after."""
    rest = _after(job, b"\x1b@")
    width = 0
    rows = b""
    while rest.startswith(b"\x1dv0\x00"):
        strip_width, height = int.from_bytes(rest[4:6], "little"), int.from_bytes(rest[6:8], "little")
        if width not in (0, strip_width) or not 1 <= height <= 2303:
            raise UnknownCommand(f"strip of {strip_width} x {height}")
        width = strip_width
        strip = rest[8 : 8 + width * height]
        if len(strip) != width * height:
            raise UnknownCommand("raster data ends early")
        rows += strip
        rest = rest[8 + width * height :]
    if rest not in (b"\x1dV\x42\x00", b"\x0c"):
        raise UnknownCommand(repr(rest[:20]))
    return Printed(width, rows)


_TSPL_HEAD = re.compile(
    rb"SIZE \d+(?:\.\d+)? mm,\d+(?:\.\d+)? mm\r\nGAP \d+(?:\.\d+)? mm,0 mm\r\n"
    rb"DIRECTION [01]\r\nREFERENCE 0,0\r\nCLS\r\n"
)
_TSPL_BITMAP = re.compile(rb"BITMAP 0,0,(\d+),(\d+),[01],")


def tspl_paper(job: bytes) -> Printed:
    """SIZE, GAP, DIRECTION, REFERENCE, CLS, one BITMAP, PRINT 1,1; a 0 bit is black."""
    head = _TSPL_HEAD.match(job)
    if head is None:
        raise UnknownCommand(repr(job[:80]))
    picture = _TSPL_BITMAP.match(job, head.end())
    if picture is None:
        raise UnknownCommand(repr(job[head.end() : head.end() + 40]))
    width, height = int(picture[1]), int(picture[2])
    begin = picture.end()
    data = job[begin : begin + width * height]
    if job[begin + width * height :] != b"\r\nPRINT 1,1\r\n":
        raise UnknownCommand(repr(job[begin + width * height :][:40]))
    return Printed(width, bytes(byte ^ 0xFF for byte in data))


_ZPL = re.compile(
    rb"\^XA\n\^PW(\d+)\n\^LL(\d+)\n\^LH0,0\n\^FO0,0\^GFA,(\d+),(\d+),(\d+),([0-9A-Fg-zG-Y:,!]*)\^FS\n\^PQ1\n\^XZ\n"
)


def zpl_paper(job: bytes) -> Printed:
    """One page with one compressed hexadecimal graphic field and nothing besides."""
    page = _ZPL.fullmatch(job)
    if page is None:
        raise UnknownCommand(repr(job[:80]) + " ... " + repr(job[-40:]))
    sent, total, width = int(page[3]), int(page[4]), int(page[5])
    rows = _expanded(page[6].decode("ascii"), width)
    if not sent == total == len(rows):
        raise UnknownCommand(f"{sent} and {total} bytes announced, {len(rows)} came")
    return Printed(width, rows)


def _expanded(text: str, width: int) -> bytes:
    """ZPL's compression: G-Y are 1-19, g-z are 20-400 repeats of the next digit; `,` `!` fill a row, `:` repeats it."""
    rows: list[str] = []
    row, repeats = "", 0
    for sign in text:
        if sign == ":":
            if row or repeats:
                raise UnknownCommand("a row repeated in the middle of one")
            rows.append(rows[-1])
        elif sign in ",!":
            rows.append(row + ("0" if sign == "," else "F") * (2 * width - len(row)))
            row = ""
        elif "G" <= sign <= "Y":
            repeats += ord(sign) - ord("F")
        elif "g" <= sign <= "z":
            repeats += 20 * (ord(sign) - ord("f"))
        else:
            row += sign * max(1, repeats)
            repeats = 0
        if len(row) > 2 * width:
            raise UnknownCommand("a row longer than the picture is wide")
        if len(row) == 2 * width:
            rows.append(row)
            row = ""
    if row or repeats:
        raise UnknownCommand("the picture ends within a row")
    return bytes.fromhex("".join(rows))


def _after(job: bytes, start: bytes) -> bytes:
    if not job.startswith(start):
        raise UnknownCommand(repr(job[:20]))
    return job[len(start) :]
