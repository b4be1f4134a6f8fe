"""Frames between STX and ETX of a known length: scales of the XK3190 family."""

from __future__ import annotations

STX = 0x02
ETX = 0x03


def decode(buffer: bytes, content_bytes: int) -> tuple[int, bytes | None]:
    """Bytes used, and the frame's content if a whole frame of `content_bytes` was there. (0, None) asks for more.

    (n, None) with n > 0 are bytes that belong to no frame; the caller counts them.
    """
    start = buffer.find(STX)
    if start != 0:
        return (len(buffer) if start < 0 else start), None
    again = buffer.find(STX, 1, content_bytes + 2)
    if again > 0:
        return again, None
    if len(buffer) < content_bytes + 2:
        return 0, None
    if buffer[content_bytes + 1] != ETX:
        return 1, None
    return content_bytes + 2, buffer[1 : content_bytes + 1]
