"""A simulated scanner that plays keyboard: `wms-devices simulate scanner_evdev --port /tmp/keyboard`.

It writes the kernel's records into a named pipe, which a gateway opens as `evdev:///tmp/keyboard`. Controls:
`{"scan": "LPN-0001", "aim": "]C1"}`, `{"noread": true}`, `{"dropped": true}` (the kernel lost some), `{"unplug": s}`.
"""

from __future__ import annotations

import argparse
import os
import struct
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from devices.simulators.bench import Answer, Cable, parse, stay

RECORD: Final = struct.Struct("@llHHi")
SYN, KEY = (0, 0, 0), 1
DROPPED: Final = (0, 3, 0)
LEFT_SHIFT, LEFT_CONTROL, ENTER, BRACKET = 42, 29, 28, 27
# Kernel key names of linux/input-event-codes.h, as far as codes use them.
KEYS_IN_ROWS: Final = ((2, "1234567890-="), (16, "qwertyuiop[]"), (30, "asdfghjkl;'`"), (43, "\\zxcvbnm,./"), (57, " "))
CODES: Final = {letter: first + place for first, row in KEYS_IN_ROWS for place, letter in enumerate(row)}
WITH_SHIFT: Final = dict(zip('!@#$%^&*()_+{}:"~|<>?', "1234567890-=[];'`\\,./", strict=True))


def typed(text: str) -> bytes:
    """The records of somebody typing `text` and Enter. Raises KeyError for a character that no key gives."""
    return b"".join(_stroke(letter) for letter in text) + _keys((ENTER, 1), (ENTER, 0))


def _stroke(letter: str) -> bytes:
    if letter == "\x1d":
        return _keys((LEFT_CONTROL, 1), (BRACKET, 1), (BRACKET, 0), (LEFT_CONTROL, 0))
    plain = WITH_SHIFT.get(letter, letter.lower())
    code = CODES[plain]
    if plain == letter:
        return _keys((code, 1), (code, 0))
    return _keys((LEFT_SHIFT, 1), (code, 1), (code, 2), (code, 0), (LEFT_SHIFT, 0))


def _keys(*changes: tuple[int, int]) -> bytes:
    return b"".join(record(KEY, code, value) + record(*SYN) for code, value in changes)


def record(kind: int, code: int, value: int) -> bytes:
    seconds, nanoseconds = divmod(time.time_ns(), 1_000_000_000)
    return RECORD.pack(seconds, nanoseconds // 1000, kind, code, value)


class FifoEnd:
    """The keyboard's end of a named pipe."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor: int | None = None
        self.plug()

    @property
    def shown(self) -> dict[str, object]:
        return {"port": str(self._path), "url": f"evdev://{self._path}"}

    def sources(self) -> list[int]:
        """Nobody speaks to a keyboard."""
        return []

    def read(self, timeout_s: float) -> bytes | None:
        time.sleep(min(timeout_s, 0.01))
        return b""

    def write(self, content: bytes) -> None:
        if self._descriptor is not None:
            with suppress(OSError):
                os.write(self._descriptor, content)

    def unplug(self) -> None:
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)
            self._path.unlink(missing_ok=True)

    def plug(self) -> None:
        with suppress(FileExistsError):
            os.mkfifo(self._path)
        # Opened both ways it neither waits for a reader nor breaks when one goes.
        self._descriptor = os.open(self._path, os.O_RDWR | os.O_NONBLOCK)

    close = unplug


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate scanner_evdev", description=__doc__)
    parser.add_argument("--port", type=Path, required=True, metavar="PATH", help="the named pipe to make")
    parser.add_argument("--control", type=int, default=0, metavar="PORT", help="control port on loopback; 0: any free")
    parser.add_argument("--noread", default="NOREAD", help="the text for no code found")
    chosen = parse(parser, argv)
    cable = Cable(FifoEnd(chosen.port), lambda content: None)

    def handle(asked: dict[str, Any]) -> Answer:
        if asked.get("dropped"):
            cable.say(_stroke("x") + record(*DROPPED) + record(*SYN))
        elif asked.get("noread"):
            cable.say(typed(chosen.noread))
        else:
            cable.say(typed(f"{asked.get('aim', '')}{asked['scan']}"))
        return {"ok": True}

    return stay("scanner_evdev", cable, handle, chosen.control)
