"""What drivers share that read lines from a wire: health, opening and closing, and the loop that reads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Final

from devices.driver import Context, Health, State
from devices.errors import ConfigError
from devices.framing.lines import Lines
from devices.health import HealthBoard
from devices.transport import Transport

READ_BYTES_MAX: Final = 8_192


class LineReader(ABC):
    """A driver whose machine sends lines. A class of its own says how lines are cut and what one means."""

    machine: ClassVar[str]  # as people call it: "a scanner"
    comes_at_once: ClassVar[bool] = False  # a line that stops in the middle will not be finished

    def __init__(self, context: Context) -> None:
        self._context = context
        self._board = HealthBoard(context.now_ms)

    def health(self) -> Health:
        return self._board.health()

    def submit(self, command: Mapping[str, object]) -> None:
        """Raises ConfigError: such a machine only tells."""
        raise ConfigError(f"{self.machine} takes no commands")

    def run(self) -> None:
        """Read lines until the gateway stops; raises DeviceError when the machine is lost."""
        self._board.turn(State.CONNECTING)
        wire = self._context.open_transport()
        try:
            self._board.turn(State.READY)
            self._read_for_ever(wire)
        finally:
            wire.close()

    def _read_for_ever(self, wire: Transport) -> None:
        lines = self._opened()
        dropped_before = self._board.health().counters.get("dropped", 0)
        while not self._context.stopping():
            content = wire.read(READ_BYTES_MAX, self._patience_s(lines))
            if not content and self.comes_at_once:
                lines.silence()
            for line in lines.feed(self._letters(content)):
                self._hear(wire, line)
            self._turn(wire, dropped_before + lines.dropped)

    @abstractmethod
    def _opened(self) -> Lines:
        """The wire was opened: how its lines are cut."""

    @abstractmethod
    def _patience_s(self, lines: Lines) -> float:
        """How long to wait for the next byte."""

    @abstractmethod
    def _hear(self, wire: Transport, line: bytes) -> None:
        """Take one line."""

    def _letters(self, content: bytes) -> bytes:
        """The bytes of lines in what the wire brought."""
        return content

    def _turn(self, wire: Transport, dropped: int) -> None:
        """What is to be done between two reads; `dropped` lines were half or too long."""
        self._board.note("dropped", dropped)
