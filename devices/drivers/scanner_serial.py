"""Serial scanners: prefix? AIM id? code suffix. One trigger pull is one scan, stored before anyone hears of it."""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.driver import Context, State
from devices.drivers.line_reader import LineReader
from devices.errors import OutboxFull
from devices.framing.lines import SUFFIXES, Lines
from devices.options import read_options, require
from devices.transport import Transport

# A scanner sends a code in one go: after this silence the rest will not come.
SILENCE_S = 0.2
IDLE_READ_S = 0.5
CODE_CHARACTERS_MAX = 128
GS = "\x1d"
AIM = re.compile(r"\][A-Za-z][0-9A-Za-z]")


@dataclass(frozen=True, slots=True)
class ScannerOptions:
    """`prefix` may hold escapes such as `\\x02`; `aim`: the scanner is set to send AIM ids; `noread`: no code found."""

    prefix: str = ""
    suffix: str = "CRLF"
    aim: bool = False
    repeat_ms: int = 400
    noread: str = ""

    def __post_init__(self) -> None:
        require(self.suffix in SUFFIXES, f"suffix must be one of {', '.join(SUFFIXES)}")
        require(0 <= self.repeat_ms <= 10_000, "repeat_ms must be 0 to 10000")
        require(len(self.prefix) <= 8 and self.prefix.isascii(), "prefix must be at most 8 ASCII characters")


@dataclass(frozen=True, slots=True)
class Scan:
    code: str
    aim: str = ""


def read_scan(line: bytes, options: ScannerOptions) -> Scan | None:
    """The scan in one line, or None if it is not a sound code: printable characters and GS only, 1 to 128 of them."""
    prefix = options.prefix.encode("ascii")
    if not line.startswith(prefix):
        return None
    try:
        text = line[len(prefix) :].decode("utf-8")
    except UnicodeDecodeError:
        return None
    aim = AIM.match(text) if options.aim else None
    code = text[aim.end() :] if aim else text
    if not 0 < len(code) <= CODE_CHARACTERS_MAX or not all(letter == GS or letter.isprintable() for letter in code):
        return None
    return Scan(code, aim.group() if aim else "")


class Repeats:
    """The same code again within `repeat_s` of the end of the one before is the same scan: the trigger bounced."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._last: Scan | None = None
        self._ended_s = 0.0

    def is_repeat(self, scan: Scan, now_s: float) -> bool:
        repeat = scan == self._last and now_s - self._ended_s < self._repeat_s
        self._last, self._ended_s = scan, now_s
        return repeat


class SerialScanner(LineReader):
    """Emits `scan` {scan_id, code, aim?}."""

    kind: ClassVar[str] = "scanner_serial"
    machine: ClassVar[str] = "a scanner"
    comes_at_once: ClassVar[bool] = True

    def __init__(self, context: Context, options: ScannerOptions | None = None) -> None:
        super().__init__(context)
        self._options = options or read_options(ScannerOptions, context.options)
        self._repeats = Repeats(self._options.repeat_ms / 1000)

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(ScannerOptions, options)

    def _opened(self) -> Lines:
        return Lines(SUFFIXES[self._options.suffix])

    def _patience_s(self, lines: Lines) -> float:
        return SILENCE_S if lines.begun else IDLE_READ_S

    def _hear(self, wire: Transport, line: bytes) -> None:
        if not line or (self._options.noread and line == self._options.noread.encode()):
            self._board.count("noreads" if line else "empty")
            return
        scan = read_scan(line, self._options)
        if scan is None:
            self._board.count("unsound")
        elif self._repeats.is_repeat(scan, self._context.monotonic_s()):
            self._board.count("repeats")
        else:
            self._store(scan)

    def _store(self, scan: Scan) -> None:
        facts = {"scan_id": uuid.uuid4().hex, "code": scan.code}
        try:
            ticket = self._context.emit("scan", {**facts, "aim": scan.aim} if scan.aim else facts)
        except OutboxFull as error:
            self._not_stored(str(error))
            return
        ticket.on_commit(self._stored)
        ticket.on_failure(lambda: self._not_stored("the disk refused it"))

    def _stored(self) -> None:
        self._board.count("scans")
        self._board.turn(State.READY)

    def _not_stored(self, why: str) -> None:
        """The person sees no answer and scans again; the screen says why."""
        self._board.count("not_stored")
        self._board.turn(State.DEGRADED, f"outbox: {why}")
