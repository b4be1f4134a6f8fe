"""A simulated label printer: `wms-devices simulate printer --language escpos --tcp 0 --out /tmp/labels`.

It reads strictly, prints at its pace, keeps each label as a PNG, and stops in the middle when told to. Controls:
`{"paper": "ok|low|out"}`, `{"cover": "open|closed"}`, `{"pause": true|false}`, `{"mute": true|false}` (silent),
`{"stop_after_rows": n, "why": "paper_out|cover_open|paused"}`, `{"reset_after_bytes": n, "late_s": s}`,
`{"mend": true}`, `{"report": true}`, `{"unplug": seconds}`.

A partly read command is forgotten when the connection ends, as most network printers do it.
"""

from __future__ import annotations

import argparse
import hashlib
import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from devices.simulators.bench import Answer, Cable, add_common_arguments, chosen_faults, make_end, parse, say, stay
from devices.simulators.printer_languages import EscposReader, Operation, Reader, TsplReader
from devices.simulators.printer_zpl import ZplReader

READERS: Final[dict[str, Callable[[], Reader]]] = {"escpos": EscposReader, "tspl": TsplReader, "zpl": ZplReader}
BUFFER_BYTES: Final = 65_536
DOTS_PER_MM: Final = 8
ROWS_AT_A_TIME: Final = 8
STANDSTILL_S: Final = 0.01
HANG_UP: Final = Operation("hang_up", 0)
# An operation and the connection it came by.
Waiting = tuple[int, Operation]


class Page:
    """The rows of the label under the print head; 1 is black."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []

    def save(self, path: Path) -> str:
        """Write a PNG and return the SHA-256 of the dots."""
        from PIL import Image

        width_bytes = max((len(row) for row in self.rows), default=1)
        dots = b"".join(row.ljust(width_bytes, b"\x00") for row in self.rows)
        inverted = bytes(255 - byte for byte in dots)
        Image.frombytes("1", (width_bytes * 8, max(1, len(self.rows))), inverted or b"\xff").save(path)
        return hashlib.sha256(dots).hexdigest()


class SimulatedPrinter:
    """The printer behind the cable. `speed_mm_s` 0: as fast as it goes."""

    def __init__(
        self, language: str, out: Path, speed_mm_s: float, tell: Callable[[dict[str, Any]], None] = say
    ) -> None:
        self.language = language
        self.labels: list[dict[str, Any]] = []
        self.errors: list[str] = []
        self.cable: Cable | None = None
        self._reader = READERS[language]()
        self._out = out
        self._row_s = 1 / (speed_mm_s * DOTS_PER_MM) if speed_mm_s else 0.0
        self._tell = tell
        self._paper = "ok"
        self._cover_open = self._paused = self._mute = False
        self._rows_until_stop: int | None = None
        self._stop_reason = "paper_out"
        self._waiting: queue.SimpleQueue[Waiting] = queue.SimpleQueue()
        self._connection = 0
        self._waiting_bytes = 0
        self._undone = 0
        self._page = Page()
        self._changing = threading.Lock()
        self._thread = threading.Thread(target=self._work_for_ever, name="print head", daemon=True)
        self._thread.start()

    # --- the cable's side ---------------------------------------------------------------------------------------------

    def heard(self, content: bytes) -> None:
        for operation in self._reader.feed(content):
            if operation.do == "status":
                self._answer_at_once(operation)
            if operation.do in ("status", "set"):
                continue
            with self._changing:
                self._waiting_bytes += operation.bytes_used
                self._undone += 1
            self._waiting.put((self._connection, operation))

    def can_take(self) -> bool:
        return self._waiting_bytes < BUFFER_BYTES

    def hung_up(self) -> None:
        self._reader.forget()
        with self._changing:
            self._undone += 1
        self._waiting.put((self._connection, HANG_UP))
        self._connection += 1

    # --- controls -----------------------------------------------------------------------------------------------------

    def handle(self, asked: dict[str, Any]) -> Answer:
        if asked.get("report"):
            return {"labels": self.labels, "errors": self.errors, "busy": self._busy()}
        if asked.get("mend"):
            self._mend()
        elif "paper" in asked:
            self._paper = str(asked["paper"])
        elif "cover" in asked:
            self._cover_open = asked["cover"] == "open"
        elif "pause" in asked:
            self._paused = bool(asked["pause"])
        elif "mute" in asked:
            self._mute = bool(asked["mute"])
        elif "stop_after_rows" in asked:
            self._stop_reason = str(asked.get("why", "paper_out"))
            self._rows_until_stop = int(asked["stop_after_rows"])
        elif "reset_after_bytes" in asked and self.cable is not None:
            self.cable.reset_after(int(asked["reset_after_bytes"]), float(asked.get("late_s", 0)))
        else:
            raise ValueError(
                "known are paper, cover, pause, mute, stop_after_rows, reset_after_bytes, mend, report, unplug"
            )
        return {"ok": True}

    def _mend(self) -> None:
        self._paper, self._cover_open, self._paused, self._mute = "ok", False, False, False
        self._rows_until_stop = None
        self.errors.clear()

    # --- status -------------------------------------------------------------------------------------------------------

    def _standing_still(self) -> bool:
        return self._paper == "out" or self._cover_open or self._paused

    def _busy(self) -> bool:
        return self._undone > 0

    def _answer_at_once(self, asked: Operation) -> None:
        if self._mute:
            return
        if self.language == "zpl":
            self._say(self._zpl_status())
        elif self.language == "tspl":
            self._say(self._tspl_long_status() if asked.content == b"S" else bytes([self._tspl_status()]))
        elif 1 <= asked.number <= 4:
            self._say(bytes([self._escpos_status(asked.number)]))
        else:
            self._unknown(asked)

    def _escpos_status(self, part: int) -> int:
        """The table of printers' status bytes, DLE EOT 1 to 4."""
        if part == 1:
            return 0x1A if self._standing_still() or self.errors else 0x12
        if part == 2:
            error = 0x40 if self.errors else 0
            return 0x12 | error | (0x04 if self._cover_open else 0) | (0x20 if self._paper == "out" else 0)
        if part == 4:
            return {"ok": 0x12, "low": 0x1E, "out": 0x7E}[self._paper]
        return 0x12

    def _tspl_status(self) -> int:
        faults = (
            (0x01 if self._cover_open else 0) | (0x04 if self._paper == "out" else 0) | (0x80 if self.errors else 0)
        )
        faults |= 0x10 if self._paused else 0
        return faults | (0x20 if self._busy() and not faults else 0)

    def _tspl_long_status(self) -> bytes:
        doing = b"`" if self._paused and not self._cover_open and self._paper != "out" else b"@"
        if self._cover_open or self._paper == "out" or self.errors:
            doing = b"E"
        elif doing == b"@" and self._busy():
            doing = b"P"
        warning = b"A" if self._paper == "low" else b"@"
        media = 0x40 | (0x01 if self._paper == "out" else 0) | (0x20 if self._cover_open else 0)
        return b"\x02" + doing + warning + (b"P" if self.errors else b"@") + bytes([media]) + b"\x03\r\n"

    def _zpl_status(self) -> bytes:
        """Three lines; a printer that stands still says pause, whatever made it stop."""
        out, still = int(self._paper == "out"), int(self._standing_still() or bool(self.errors))
        formats, head = int(self._busy()), int(self._cover_open)
        lines = (
            f"030,{out},{still},1440,{formats:03d},0,0,0,000,0,0,0",
            f"001,0,{head},0,1,2,6,0,{formats:08d},1,000",
            "1234,0",
        )
        return b"".join(b"\x02" + line.encode("ascii") + b"\x03\r\n" for line in lines)

    # --- printing -----------------------------------------------------------------------------------------------------

    def _work_for_ever(self) -> None:
        while True:
            connection, operation = self._waiting.get()
            self._do(operation, connection)
            with self._changing:
                self._waiting_bytes -= operation.bytes_used
                self._undone -= 1

    def _do(self, operation: Operation, connection: int) -> None:
        if operation.do == "hang_up":
            if self._page.rows:
                self._keep(partial=True)
        elif operation.do == "unknown":
            self._unknown(operation)
        elif self.errors:
            return  # after a mistake nothing is printed until somebody looked
        elif operation.do == "raster":
            width = operation.width_bytes
            self._print_rows([operation.content[at : at + width] for at in range(0, len(operation.content), width)])
        elif operation.do == "feed":
            self._print_rows([b""] * operation.number)
        elif operation.do == "text":
            self._print_rows(text_rows(operation.content))
        elif operation.do == "form":
            self._page = Page()
        elif operation.do == "eject":
            self._eject(max(1, operation.number))
        elif operation.do == "ask":
            self._wait_while_standing_still()
            if not self._mute and connection == self._connection:
                self._say(b"\x03" if self._paper == "low" else b"\x00")

    def _print_rows(self, rows: list[bytes]) -> None:
        for at in range(0, len(rows), ROWS_AT_A_TIME):
            some = rows[at : at + ROWS_AT_A_TIME]
            if self._rows_until_stop is not None:
                self._rows_until_stop -= len(some)
                if self._rows_until_stop < 0:
                    self._stop_now()
            self._wait_while_standing_still()
            self._page.rows += some
            if self._row_s:
                time.sleep(self._row_s * len(some))

    def _stop_now(self) -> None:
        self._rows_until_stop = None
        if self._stop_reason == "cover_open":
            self._cover_open = True
        elif self._stop_reason == "paused":
            self._paused = True
        else:
            self._paper = "out"

    def _wait_while_standing_still(self) -> None:
        while self._standing_still():
            time.sleep(STANDSTILL_S)

    def _eject(self, copies: int) -> None:
        self._wait_while_standing_still()
        for _ in range(copies):
            self._keep(partial=False, last=False)
        self._page = Page()

    def _keep(self, *, partial: bool, last: bool = True) -> None:
        number = len(self.labels) + 1
        path = self._out / f"label-{number:05d}{'-partial' if partial else ''}.png"
        label = {"label": str(path), "number": number, "partial": partial, "dots_sha256": self._page.save(path)}
        if last:
            self._page = Page()
        self.labels.append(label)
        self._tell(label)

    def _unknown(self, operation: Operation) -> None:
        error = f"unknown command {operation.content[:16].hex(' ')}"
        self.errors.append(error)
        self._tell({"error": error})

    def _say(self, content: bytes) -> None:
        if self.cable is not None:
            self.cable.say(content)


def text_rows(text: bytes) -> list[bytes]:
    """The dots of one line of plain text in a small built-in font."""
    from PIL import Image, ImageDraw

    image = Image.new("1", (max(8, 8 * len(text)), 24), 0)
    ImageDraw.Draw(image).text((0, 4), text.decode("ascii"), fill=1)
    width = (image.width + 7) // 8
    dots = image.tobytes()
    return [dots[at : at + width] for at in range(0, len(dots), width)]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate printer", description=__doc__)
    add_common_arguments(parser, baud=0)
    parser.add_argument("--language", choices=sorted(READERS), default="escpos")
    parser.add_argument("--out", type=Path, default=Path("labels"), metavar="FOLDER", help="where the PNG files go")
    parser.add_argument("--speed", type=float, default=100.0, metavar="MM_S", help="paper speed; 0: as fast as it goes")
    chosen = parse(parser, argv)
    with suppress(FileExistsError):
        chosen.out.mkdir(parents=True)
    printer = SimulatedPrinter(chosen.language, chosen.out, chosen.speed)
    cable = Cable(
        make_end(chosen),
        printer.heard,
        baud=chosen.baud,
        faults=chosen_faults(chosen),
        seed=chosen.seed,
        hung_up=printer.hung_up,
        can_take=printer.can_take,
    )
    printer.cable = cable
    return stay("printer", cable, printer.handle, chosen.control, language=chosen.language, out=str(chosen.out))
