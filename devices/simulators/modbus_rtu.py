"""The same small Modbus server on a serial line: RTU frames, on a pseudo-terminal with a symlink.

Written from the public specification of Modbus over serial line. A request of another unit, or with a wrong CRC, is
not answered; what was begun is dropped when the line falls silent.
"""

from __future__ import annotations

import select
import time
from pathlib import Path
from typing import Final

from devices.simulators.modbus_server import Registers
from devices.simulators.sorter_cable import PtyEnd

BITS_PER_BYTE: Final = 10
# A frame ends where the line is silent for 3.5 characters; a pseudo-terminal has no characters' time, and a busy
# machine may bring a frame in two pieces, so wait longer.
SILENCE_S: Final = 0.05
FRAME_BYTES_MAX: Final = 256
HEAD_BYTES: Final = 8


def crc16(frame: bytes) -> bytes:
    """CRC-16/MODBUS, low byte first."""
    register = 0xFFFF
    for byte in frame:
        register ^= byte
        for _ in range(8):
            register = register >> 1 ^ 0xA001 if register & 1 else register >> 1
    return register.to_bytes(2, "little")


class ModbusRtuServer:
    """`serve(timeout_s)` answers what has come, as fast as `baud` lets bytes through."""

    def __init__(self, registers: Registers, link: Path, *, baud: int = 115_200, unit: int = 1) -> None:
        self._registers = registers
        self._end = PtyEnd(link, baud)
        self.address = self._end.address
        self._byte_s = BITS_PER_BYTE / baud
        self._unit = unit
        self._begun = b""

    def serve(self, timeout_s: float) -> None:
        """Wait at most `timeout_s` for the other end, and answer it."""
        sources = self._end.sources()
        wait_s = SILENCE_S if self._begun else timeout_s
        if not sources:
            time.sleep(max(0.0, wait_s))
            return
        ready, _, _ = select.select(sources, [], [], max(0.0, wait_s))
        heard = self._end.read() if ready else b""
        if not heard:
            self._begun = b""
            return
        self._begun = (self._begun + heard)[-FRAME_BYTES_MAX:]
        if self._is_whole():
            frame, self._begun = self._begun, b""
            self._answer(frame)

    def unplug(self) -> None:
        """The cable is out."""
        self._begun = b""
        self._end.unplug()

    def plug(self) -> None:
        if not self._end.sources():
            self._end.plug()

    def _is_whole(self) -> bool:
        frame = self._begun
        if len(frame) < HEAD_BYTES:
            return False
        writes_many = frame[1] in (15, 16)
        return len(frame) >= (HEAD_BYTES + 1 + frame[6] if writes_many else HEAD_BYTES)

    def _answer(self, frame: bytes) -> None:
        unit, request = frame[0], frame[1:-2]
        if unit != self._unit or crc16(frame[:-2]) != frame[-2:]:
            return
        response = bytes([unit]) + self._registers.answer(request)
        time.sleep((len(frame) + len(response) + 2) * self._byte_s)
        self._end.write(response + crc16(response))
