"""The lasting memory of the simulated PLC: a journal of JSON lines that outlives reboots and the process.

It keeps what the page asks a PLC to keep: confirmations not acknowledged, the parcel counter, the session number, and
which parcels were on the line (they are reported LOST after a reboot).
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

LINES_BEFORE_COMPACTING = 50_000


@dataclass(frozen=True, slots=True)
class KeptConfirmation:
    """A CFM as it is sent, as often as it takes."""

    pid: int
    codes: tuple[str, ...]
    chute: int | None
    result: str
    carrier: int | None
    time_ms: int | None


class Memory:
    """Without a path it lasts as long as the process, which is enough for reboots."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.session = 0
        self.next_pid = int(time.time()) % 40_000_000 * 100 or 1
        self.unacknowledged: dict[int, KeptConfirmation] = {}
        self.on_line: dict[int, tuple[tuple[str, ...], int | None]] = {}
        self._file: IO[str] | None = None
        self._lines = 0
        if path is not None:
            self._read(path)
            self._compact()

    def give_pid(self, codes: tuple[str, ...], carrier: int | None) -> int:
        """The next parcel number; the parcel is on the line from now on."""
        pid = self.next_pid
        self.next_pid = pid % 4_294_967_295 + 1
        self.on_line[pid] = (codes, carrier)
        self._note({"pid": pid, "codes": codes, "carrier": carrier})
        return pid

    def read_again(self, pid: int, codes: tuple[str, ...]) -> None:
        """A later lap may have read other codes."""
        self.on_line[pid] = (codes, self.on_line[pid][1])
        self._note({"again": pid, "codes": codes})

    def begin_session(self, session: int) -> None:
        self.session = session
        self._note({"session": session})

    def confirm(self, confirmation: KeptConfirmation) -> None:
        """The parcel has left the line; to be told until somebody acknowledges."""
        self.on_line.pop(confirmation.pid, None)
        self.unacknowledged[confirmation.pid] = confirmation
        self._note({"cfm": asdict(confirmation)})

    def acknowledge(self, pid: int) -> None:
        self.unacknowledged.pop(pid, None)
        self._note({"acknowledged": pid})

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _note(self, entry: dict[str, object]) -> None:
        if self._file is None:
            return
        self._file.write(json.dumps(entry) + "\n")
        self._file.flush()
        self._lines += 1
        if self._lines > LINES_BEFORE_COMPACTING:
            self._compact()

    def _read(self, path: Path) -> None:
        if not path.exists():
            return
        with path.open(encoding="ascii") as file:
            for line in file:
                if line.endswith("\n"):  # a line without its end was cut by a power failure
                    self._replay(json.loads(line))

    def _replay(self, entry: dict[str, object]) -> None:
        match entry:
            case {"next_pid": int(pid), "session": int(session)}:
                self.next_pid, self.session = pid, session
            case {"session": int(session)}:
                self.session = session
            case {"pid": int(pid), "codes": list(codes), "carrier": carrier}:
                self.next_pid = pid % 4_294_967_295 + 1
                self.on_line[pid] = (tuple(codes), carrier)  # type: ignore[assignment]  # our own file
            case {"again": int(pid), "codes": list(codes)} if pid in self.on_line:
                self.on_line[pid] = (tuple(codes), self.on_line[pid][1])
            case {"cfm": dict(kept)}:
                confirmation = KeptConfirmation(**{**kept, "codes": tuple(kept["codes"])})
                self.on_line.pop(confirmation.pid, None)
                self.unacknowledged[confirmation.pid] = confirmation
            case {"acknowledged": int(pid)}:
                self.unacknowledged.pop(pid, None)

    def _compact(self) -> None:
        """Write only what still holds, then go on behind it."""
        assert self.path is not None
        self.close()
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(json.dumps({"next_pid": self.next_pid, "session": self.session}) + "\n")
            for pid, (codes, carrier) in self.on_line.items():
                file.write(json.dumps({"pid": pid, "codes": codes, "carrier": carrier}) + "\n")
            file.write(json.dumps({"next_pid": self.next_pid, "session": self.session}) + "\n")
            for confirmation in self.unacknowledged.values():
                file.write(json.dumps({"cfm": asdict(confirmation)}) + "\n")
        fresh.replace(self.path)
        self._file = self.path.open("a", encoding="ascii")
        self._lines = 0
