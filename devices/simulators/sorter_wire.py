"""The simulated line's own reading and writing of WSP/1 frames.

Written from docs/reference/wsp.md alone and sharing no code with `devices.framing.wsp`, so that a mistake in one end is
not repeated in the other. A telegram is a plain list of texts here: type, seq, session, then the fields as on the page.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

STX, ETX, END = 2, 3, 13
BODY_MAX: Final = 240
HEX: Final = "0123456789ABCDEF"

FieldValue = int | str | Sequence[str] | None


def checksum(body: bytes) -> int:
    """CRC-16 by shifting: poly 1021, init FFFF."""
    register = 0xFFFF
    for byte in body:
        register = ((register << 8) & 0xFFFF) ^ _TABLE[(register >> 8) ^ byte]
    return register


def _table_entry(byte: int) -> int:
    register = byte << 8
    for _ in range(8):
        register = (register << 1) ^ 0x1021 if register & 0x8000 else register << 1
    return register & 0xFFFF


_TABLE: Final = [_table_entry(byte) for byte in range(256)]


def put_into_field(text: str) -> str:
    """Escape what may not stand in a field."""
    written = []
    for byte in text.encode("utf-8", "surrogateescape"):
        plain = 0x20 <= byte <= 0x7E and chr(byte) not in "%|;"
        written.append(chr(byte) if plain else f"%{HEX[byte >> 4]}{HEX[byte & 15]}")
    return "".join(written)


def take_from_field(written: str) -> str:
    """Undo `put_into_field`. Raises ValueError on a broken escape."""
    taken = bytearray()
    rest = iter(written)
    for character in rest:
        if character != "%":
            taken.append(ord(character))
            continue
        high, low = next(rest, ""), next(rest, "")
        if not high or not low or high not in HEX or low not in HEX:
            raise ValueError("broken escape")
        taken.append(HEX.index(high) * 16 + HEX.index(low))
    return taken.decode("utf-8", "surrogateescape")


def build(kind: str, seq: int, session: int, *fields: FieldValue) -> bytes:
    """The frame of one telegram. Raises ValueError where the body would be too long."""
    body = "|".join([kind, str(seq), str(session), *map(_field, fields)]).encode("ascii")
    if len(body) > BODY_MAX:
        raise ValueError(f"{len(body)} bytes do not fit into a body of {BODY_MAX}")
    return bytes([STX]) + body + bytes([ETX]) + f"{checksum(body):04X}".encode("ascii") + bytes([END])


def _field(value: FieldValue) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return put_into_field(value)
    return ";".join(map(put_into_field, value))


class Ear:
    """Takes bytes one by one, as a PLC's receive block does, and gives the bodies of sound frames as lists of texts."""

    def __init__(self) -> None:
        self.broken = 0
        self.outside = 0
        self._body: bytearray | None = None
        self._tail: bytearray | None = None

    def listen(self, received: Iterable[int]) -> list[list[str]]:
        """The telegrams completed by `received`, still escaped inside their fields."""
        heard: list[list[str]] = []
        for byte in received:
            body = self._take(byte)
            if body is not None:
                heard.append(body.decode("ascii").split("|"))
        return heard

    def _take(self, byte: int) -> bytes | None:
        if byte == STX:
            self.broken += self._body is not None
            self._body, self._tail = bytearray(), None
        elif self._body is None:
            self.outside += 1
        elif self._tail is not None:
            self._tail.append(byte)
            if len(self._tail) == 5:
                return self._finish(bytes(self._body), bytes(self._tail))
        elif byte == ETX:
            self._tail = bytearray()
        else:
            self._body.append(byte)
            if len(self._body) > BODY_MAX:
                self._drop()
        return None

    def _finish(self, body: bytes, tail: bytes) -> bytes | None:
        sound = tail == f"{checksum(body):04X}".encode("ascii") + bytes([END])
        if not sound or not body or any(not 0x20 <= byte <= 0x7E for byte in body):
            self._drop()
            return None
        self._body = self._tail = None
        return body

    def _drop(self) -> None:
        self.broken += 1
        self._body = self._tail = None

    def forget(self) -> None:
        """The wire was cut or the power went."""
        self._body = self._tail = None
