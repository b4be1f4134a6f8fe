"""WSP/1 framing: bytes to telegrams and back, nothing else. No port, no clock, no session.

A frame is ``02`` body ``03`` four CRC digits ``0D``. What cannot be read is dropped and counted, never answered; only a
frame with a sound CRC whose body breaks a rule comes out, as `Unreadable`, so that the session can answer NAK.
The written page is docs/reference/wsp.md, and its examples are this file's test vectors.
"""

from __future__ import annotations

import re
from binascii import crc_hqx
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from functools import partial
from typing import Final

from devices.framing.wsp_values import (
    VERSION,
    Acknowledge,
    ChuteCommand,
    ChuteOrder,
    ChuteReport,
    ChuteState,
    Confirmation,
    Heartbeat,
    Hello,
    Line,
    LineReport,
    Nak,
    Reason,
    Refusal,
    ReplayBegin,
    ReplayEnd,
    Request,
    Response,
    Result,
    Telegram,
    TimeExchange,
    Unreadable,
)

STX: Final = 0x02
ETX: Final = 0x03
CR: Final = 0x0D
BODY_BYTES_MAX: Final = 240
TAIL_BYTES: Final = 5  # four digits of the CRC and the CR; the receiver decides at the last of them
FRAME_BYTES_MAX: Final = 1 + BODY_BYTES_MAX + 1 + TAIL_BYTES
NUMBER_MAX: Final = 999_999_999_999_999
SESSION_MAX: Final = 65_535
PID_MAX: Final = 4_294_967_295
CHUTE_MAX: Final = 9_999
NODE_CHARACTERS_MAX: Final = 16

_FRAME = re.compile(rb"\x02([\x20-\x7e]{1,240})\x03([0-9A-F]{4})\x0d")
_NUMBER = re.compile(rb"(?:0|[1-9][0-9]{0,14})\Z")
_BOOT = re.compile(r"[0-9A-F]{8}\Z")
_ESCAPE = re.compile(rb"%([0-9A-F]{2})?")
_TO_ESCAPE = re.compile(rb"[^\x20-\x7e]|[%|;]")


class FieldRefused(ValueError):
    """A field breaks its rule; the telegram is answered with NAK FORMAT."""


def crc16(body: bytes) -> int:
    """CRC-16/CCITT-FALSE (poly 1021, init FFFF, not reflected, no final xor); ``123456789`` gives 29B1."""
    return crc_hqx(body, 0xFFFF)


def escape(text: str) -> bytes:
    """Text as it stands in a field. Bytes that were no UTF-8 go out as they came in."""
    return _TO_ESCAPE.sub(lambda found: b"%%%02X" % found[0][0], text.encode("utf-8", "surrogateescape"))


def unescape(raw: bytes) -> str:
    """Text of a field. Bytes that are no UTF-8 are kept as lone surrogates, so that codes still compare as bytes."""
    return _plain(raw).decode("utf-8", "surrogateescape")


def _plain(raw: bytes) -> bytes:
    return _ESCAPE.sub(_unescaped, raw) if b"%" in raw else raw


def _unescaped(found: re.Match[bytes]) -> bytes:
    if found[1] is None:
        raise FieldRefused("% without two capital hex digits")
    return bytes.fromhex(found[1].decode())


# --- fields: how one attribute is read from and written to the wire ---------------------------------------------------


@dataclass(frozen=True, slots=True)
class Field:
    """One place between two bars: how its raw bytes become a value (or `FieldRefused`) and go back."""

    read: Callable[[bytes], object]
    write: Callable[[object], bytes]


def _read_number(raw: bytes, *, lowest: int, highest: int) -> int:
    raw = _plain(raw)
    if not _NUMBER.match(raw) or not lowest <= int(raw) <= highest:
        raise FieldRefused(f"{raw!r} is not a number from {lowest} to {highest}")
    return int(raw)


def _write_number(value: object) -> bytes:
    return b"%d" % value if isinstance(value, int) else b""


def _number(lowest: int = 0, highest: int = NUMBER_MAX) -> Field:
    return Field(partial(_read_number, lowest=lowest, highest=highest), _write_number)


def _number_or_empty(lowest: int = 0, highest: int = NUMBER_MAX) -> Field:
    def read(raw: bytes) -> int | None:
        return _read_number(raw, lowest=lowest, highest=highest) if raw else None

    return Field(read, _write_number)


def _word(words: type[StrEnum]) -> Field:
    def read(raw: bytes) -> StrEnum:
        try:
            return words(unescape(raw))
        except ValueError as error:
            raise FieldRefused(f"{raw!r} is none of {', '.join(words)}") from error

    return Field(read, lambda value: str(value).encode())


def _text(allowed: Callable[[str], bool], rule: str) -> Field:
    def read(raw: bytes) -> str:
        value = unescape(raw)
        if not allowed(value):
            raise FieldRefused(f"{raw!r} is not {rule}")
        return value

    return Field(read, lambda value: escape(str(value)))


def _read_list(raw: bytes) -> tuple[str, ...]:
    return tuple(unescape(item) for item in raw.split(b";")) if raw else ()


def _read_codes(raw: bytes) -> tuple[str, ...]:
    codes = _read_list(raw)
    if "" in codes:
        raise FieldRefused("a code in the list is empty")
    return codes


def _write_list(value: object) -> bytes:
    return b";".join(escape(item) for item in value) if isinstance(value, tuple) else b""


_SEQ = _number(1)
_SESSION = _number(0, SESSION_MAX)
_PID = _number(1, PID_MAX)
_CHUTE = _number(0, CHUTE_MAX)
_CODES = Field(_read_codes, _write_list)

# --- layouts: which fields a type has, in the order of the wire -------------------------------------------------------

LAYOUTS: Final[Mapping[str, tuple[Callable[..., Telegram], tuple[Field, ...]]]] = {
    "HLO": (
        Hello,
        (
            _text(lambda text: text == VERSION, VERSION),
            _text(lambda text: 1 <= len(text) <= NODE_CHARACTERS_MAX, "a node name of 1 to 16 characters"),
            _text(lambda text: bool(_BOOT.match(text)), "a boot id of 8 capital hex digits"),
            _number(),
            _number(),
        ),
    ),
    "SYB": (ReplayBegin, (_number(),)),
    "SYE": (ReplayEnd, (_number(),)),
    "REQ": (
        Request,
        (_PID, _number(), _number_or_empty(), _CODES, Field(_read_list, _write_list))
        + (_number_or_empty(),) * 4
        + (_number(), _number()),
    ),
    "RES": (
        Response,
        (_PID, _CHUTE, _number_or_empty(1, CHUTE_MAX), _word(Reason), _number(), _SEQ),
    ),
    "CFM": (
        Confirmation,
        (_PID, _CODES, _number_or_empty(0, CHUTE_MAX), _word(Result), _number_or_empty(), _number_or_empty()),
    ),
    "CHS": (ChuteReport, (_CHUTE, _word(ChuteState), _number())),
    "CHC": (ChuteCommand, (_CHUTE, _word(ChuteOrder))),
    "STS": (LineReport, (_word(Line), _number())),
    "HB": (Heartbeat, ()),
    "TSY": (TimeExchange, (_number(), _number_or_empty(), _number_or_empty())),
    "ACK": (Acknowledge, (_SEQ,)),
    "NAK": (Refusal, (_SEQ, _word(Nak))),
}
_TYPE_OF: Final[Mapping[object, str]] = {made: kind for kind, (made, _) in LAYOUTS.items()}


def encode(telegram: Telegram) -> bytes:
    """The whole frame of `telegram`. Raises ValueError where the body would pass 240 bytes."""
    kind = _TYPE_OF[type(telegram)]
    values = [getattr(telegram, place.name) for place in fields(telegram)]
    parts = [kind.encode(), b"%d" % values[0], b"%d" % values[1]]
    parts += [place.write(value) for place, value in zip(LAYOUTS[kind][1], values[2:], strict=True)]
    return frame(b"|".join(parts))


def frame(body: bytes) -> bytes:
    """`body`, already escaped, with STX, ETX, CRC and CR around it."""
    if not 1 <= len(body) <= BODY_BYTES_MAX:
        raise ValueError(f"a body of {len(body)} bytes; 1 to {BODY_BYTES_MAX} can be sent")
    return b"\x02%b\x03%04X\r" % (body, crc16(body))


def decode(buffer: bytes) -> tuple[int, Telegram | Unreadable | None]:
    """Bytes used, and the telegram if a whole sound frame was there. (0, None) asks for more.

    (n, None) with n > 0 means n bytes to forget: stray ones before a frame, or, where the first is STX, a broken frame.
    """
    used, body = cut(buffer)
    return used, None if body is None else read_body(body)


def cut(buffer: bytes) -> tuple[int, bytes | None]:
    """Bytes used and the body of the frame at the start of `buffer`; the same rules as `decode`."""
    whole = _FRAME.match(buffer)
    if whole:
        sound = crc16(whole[1]) == int(whole[2], 16)
        return whole.end(), whole[1] if sound else None
    start = buffer.find(STX)
    if start != 0:
        return (start if start > 0 else len(buffer)), None
    return _used_of_broken(buffer), None


def _used_of_broken(buffer: bytes) -> int:
    """How much of a buffer that begins with STX, and with no sound frame, can be dropped already; 0 means wait."""
    again = buffer.find(STX, 1)
    end = buffer.find(ETX, 1, 2 + BODY_BYTES_MAX)
    decided = end + 1 + TAIL_BYTES if end > 0 else 2 + BODY_BYTES_MAX
    if 0 < again < decided:
        return again
    return decided if len(buffer) >= decided else 0


def read_body(body: bytes) -> Telegram | Unreadable | None:
    """The telegram in a sound body; None where not even its seq and session can be read."""
    parts = body.split(b"|")
    if len(parts) < 3:
        return None
    try:
        kind = unescape(parts[0])
        seq, session = _SEQ.read(parts[1]), _SESSION.read(parts[2])
    except FieldRefused:
        return None
    assert isinstance(seq, int)
    assert isinstance(session, int)
    return _read_fields(kind, seq, session, parts[3:])


def _read_fields(kind: str, seq: int, session: int, raw: list[bytes]) -> Telegram | Unreadable:
    layout = LAYOUTS.get(kind)
    if layout is None:
        return Unreadable(seq, session, kind, Nak.TYPE, f"unknown type {kind!r}")
    if kind == "HLO" and raw and _plain_or_empty(raw[0]) != VERSION.encode():
        return Unreadable(seq, session, kind, Nak.VERSION, f"version {raw[0]!r}, not {VERSION}")
    try:
        return _build(layout, seq, session, raw)
    except FieldRefused as error:
        return Unreadable(seq, session, kind, Nak.FORMAT, str(error))


def _plain_or_empty(raw: bytes) -> bytes:
    try:
        return _plain(raw)
    except FieldRefused:
        return b""


def _build(
    layout: tuple[Callable[..., Telegram], tuple[Field, ...]], seq: int, session: int, raw: list[bytes]
) -> Telegram:
    make, places = layout
    if len(raw) < len(places):
        raise FieldRefused(f"{len(raw)} fields, {len(places)} needed")
    for extra in raw[len(places) :]:
        _plain(extra)  # ignored, but a broken escape is a broken telegram wherever it stands
    telegram = make(seq, session, *(place.read(part) for place, part in zip(places, raw, strict=False)))
    _check_together(telegram)
    return telegram


def _check_together(telegram: Telegram) -> None:
    """Rules that bind several fields of one telegram."""
    if telegram.session == 0 and not isinstance(telegram, Hello):
        raise FieldRefused("session 0 is only for a prompt")
    if isinstance(telegram, Request) and telegram.aims and len(telegram.aims) != len(telegram.codes):
        raise FieldRefused(f"{len(telegram.aims)} AIM ids for {len(telegram.codes)} codes")
    if isinstance(telegram, Response) and telegram.chute == 0 and telegram.alternate is not None:
        raise FieldRefused("the reject exit has no alternate")


@dataclass(slots=True)
class Reader:
    """Collects bytes of one wire and yields what they say; counts what it had to drop. Holds at most one frame."""

    frames: int = 0
    broken_frames: int = 0
    stray_bytes: int = 0
    nameless_bodies: int = 0
    _buffer: bytes = field(default=b"", repr=False)

    def feed(self, received: bytes) -> list[Telegram | Unreadable]:
        """What `received` completed, in order."""
        heard: list[Telegram | Unreadable] = []
        buffer = self._buffer + received
        while buffer:
            used, body = cut(buffer)
            if used == 0:
                break
            self._count(buffer, used, body)
            telegram = None if body is None else read_body(body)
            if telegram is not None:
                heard.append(telegram)
            elif body is not None:
                self.nameless_bodies += 1
            buffer = buffer[used:]
        self._buffer = buffer
        return heard

    def _count(self, buffer: bytes, used: int, body: bytes | None) -> None:
        if body is not None:
            self.frames += 1
        elif buffer[0] == STX:
            self.broken_frames += 1
        else:
            self.stray_bytes += used

    def forget(self) -> None:
        """Drop what was begun: the wire was cut."""
        self._buffer = b""
