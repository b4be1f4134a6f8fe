"""Keys of a scanner that plays keyboard, as the Linux kernel reports them, and the characters they stand for.

A record is `struct input_event` of linux/input.h in the machine's own sizes. The keyboard is the US one, to which the
scanner must be set; Ctrl+] is GS, as scanners type it.
"""

from __future__ import annotations

import struct
from typing import Final

RECORD: Final = struct.Struct("@llHHi")
EV_SYN, EV_KEY = 0, 1
SYN_REPORT, SYN_DROPPED = 0, 3
RELEASED, PRESSED = 0, 1
ENTER: Final = frozenset({28, 96})
TAB: Final = 15
CONTROL: Final = frozenset({29, 97})
SHIFT: Final = frozenset({42, 54})
RIGHT_BRACKET: Final = 27
GS: Final = b"\x1d"
END: Final = b"\n"

_ROWS: Final = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (43, "\\zxcvbnm,./"), (57, " "))
_SHIFTED: Final = str.maketrans("1234567890-=[];'`\\,./", '!@#$%^&*()_+{}:"~|<>?')
_PAD: Final = {71: "7", 72: "8", 73: "9", 74: "-", 75: "4", 76: "5", 77: "6", 78: "+", 79: "1", 80: "2", 81: "3"} | {
    82: "0",
    83: ".",
    55: "*",
    98: "/",
}
PLAIN: Final = {first + place: sign for first, row in _ROWS for place, sign in enumerate(row)}
SHIFTED: Final = {code: sign.upper().translate(_SHIFTED) for code, sign in PLAIN.items()}


class Keys:
    """Collects records into characters; a code ends with `END`. `lost` counts records the kernel threw away."""

    def __init__(self, *, tab_ends: bool = False) -> None:
        self._buffer = b""
        self._tab_ends = tab_ends
        self._held: set[int] = set()
        self._dropping = False
        self.lost = 0
        self.unknown = 0

    def feed(self, content: bytes) -> bytes:
        """The characters typed by the records in `content`."""
        self._buffer += content
        whole = len(self._buffer) - len(self._buffer) % RECORD.size
        typed = b"".join(self._take(*record[2:]) for record in RECORD.iter_unpack(self._buffer[:whole]))
        self._buffer = self._buffer[whole:]
        return typed

    def forget(self) -> None:
        """The device went away: what was begun and held is over."""
        self._buffer = b""
        self._held.clear()
        self._dropping = False

    def _take(self, kind: int, code: int, value: int) -> bytes:
        if kind == EV_SYN:
            return self._synchronise(code)
        if kind != EV_KEY or self._dropping:
            return b""
        if code in CONTROL or code in SHIFT:
            (self._held.discard if value == RELEASED else self._held.add)(code)
            return b""
        return self._typed(code) if value == PRESSED else b""

    def _synchronise(self, code: int) -> bytes:
        """After SYN_DROPPED nothing is known until the next report: what was begun ends as a code nobody can take."""
        if code == SYN_DROPPED:
            self._dropping = True
            self.lost += 1
            self._held.clear()
            return b"\x00"
        if code == SYN_REPORT:
            self._dropping = False
        return b""

    def _typed(self, code: int) -> bytes:
        if code in ENTER or (self._tab_ends and code == TAB):
            return END
        if self._held & CONTROL:
            return GS if code == RIGHT_BRACKET else b""
        sign = (SHIFTED if self._held & SHIFT else PLAIN).get(code) or _PAD.get(code)
        if sign is None:
            self.unknown += 1
            return b""
        return sign.encode("ascii")
