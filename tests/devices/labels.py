"""Small labels in the printers' own languages; each carries its number in its dots, so that copies can be counted."""

from __future__ import annotations


def dots(number: int, rows: int = 8, width_bytes: int = 4) -> bytes:
    return (number.to_bytes(width_bytes, "big") * rows)[: rows * width_bytes]


def escpos_label(number: int, rows: int = 8) -> bytes:
    head = b"\x1dv0\x00" + (4).to_bytes(2, "little") + rows.to_bytes(2, "little")
    return b"\x1b@" + head + dots(number, rows) + b"\x1dV\x42\x00"


def tspl_label(number: int, rows: int = 8) -> bytes:
    inverted = bytes(255 - byte for byte in dots(number, rows))
    head = b"SIZE 4 mm,1 mm\r\nGAP 2 mm,0 mm\r\nDIRECTION 0\r\nREFERENCE 0,0\r\nCLS\r\n"
    return head + f"BITMAP 0,0,4,{rows},0,".encode() + inverted + b"\r\nPRINT 1,1\r\n"


def zpl_label(number: int, rows: int = 8) -> bytes:
    field = f"^FO0,0^GFA,{4 * rows},{4 * rows},4,{dots(number, rows).hex().upper()}^FS"
    return f"^XA\n^PW32\n^LL{rows}\n^LH0,0\n{field}\n^PQ1\n^XZ\n".encode()
