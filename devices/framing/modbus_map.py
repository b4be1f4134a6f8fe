"""The registers of a sorting line over Modbus: blocks and ring entries as values, lists of 16-bit numbers on the wire.

Pure, like all framing. The map is in docs/reference/modbus.md; text, CRC and words are those of WSP/1.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from devices.framing.wsp import FieldRefused, crc16, escape, unescape
from devices.framing.wsp_values import (
    ChuteOrder,
    ChuteReport,
    ChuteState,
    Confirmation,
    Line,
    Reason,
    Request,
    Result,
)
from devices.routes import Decision

MAP_VERSION: Final = 1
SLOTS: Final = 8
PLC_AT: Final = 0
GATEWAY_AT: Final = 32
BLOCK: Final = 16
CHUTE_UNKNOWN: Final = 65_535
COUNTERS: Final = 65_536

LINES: Final = (Line.STOP, Line.RUN, Line.ESTOP, Line.JAM)
STATES: Final = (ChuteState.OPEN, ChuteState.FULL, ChuteState.LOCK, ChuteState.JAM)
ORDERS: Final = (ChuteOrder.OPEN, ChuteOrder.LOCK, ChuteOrder.CLEAR)
RESULTS: Final = (Result.OK, Result.FULL, Result.LATE, Result.NOREAD, Result.REJ, Result.LOST, Result.MISS)
REASONS: Final = (
    Reason.ROUTE,
    Reason.ALT,
    Reason.OVER,
    Reason.NOREAD,
    Reason.UNKNOWN,
    Reason.MULTI,
    Reason.HOLD,
    Reason.CLOSED,
    Reason.STALE,
    Reason.PID,
    Reason.ERROR,
)
CODES: Final = slice(12, 36)
AIMS: Final = slice(36, 42)

Word = TypeVar("Word")
Registers = Sequence[int]


@dataclass(frozen=True, slots=True)
class Ring:
    """Eight slots from register `at`, `size` registers each. The entry with counter c lies in slot c mod 8."""

    at: int
    size: int

    def address(self, counter: int) -> int:
        return self.at + counter % SLOTS * self.size


REQ: Final = Ring(100, 48)
RES: Final = Ring(500, 16)
CFM: Final = Ring(700, 48)
CHS: Final = Ring(1100, 8)
CHC: Final = Ring(1200, 8)


@dataclass(frozen=True, slots=True)
class PlcBlock:
    """What the PLC says of itself. Heads are the last counters written, acks the last taken; all wrap at 65,536."""

    session: int
    beat: int
    line: Line
    speed_mm_s: int
    request_head: int
    confirm_head: int
    chute_head: int
    answer_ack: int
    order_ack: int
    boot: int
    clock_ms: int


@dataclass(frozen=True, slots=True)
class GatewayBlock:
    """What the gateway says of itself; written whole after every poll."""

    session: int
    beat: int
    request_ack: int
    confirm_ack: int
    chute_ack: int
    answer_head: int
    order_head: int
    boot: int
    table_version: int


def sealed(registers: Registers) -> list[int]:
    """The registers with their CRC behind them."""
    return [*registers, crc16(_bytes(registers))]


def is_sealed(registers: Registers) -> bool:
    """True if the last register is the CRC of those before it."""
    return registers[-1] == crc16(_bytes(registers[:-1]))


def read_plc_block(registers: Registers) -> PlcBlock | None:
    """Registers 0 to 15, None if torn, damaged or of another map."""
    if len(registers) != BLOCK or not is_sealed(registers) or registers[0] != MAP_VERSION:
        return None
    line = _word(LINES, registers[3])
    if line is None:
        return None
    clock_ms = _long(registers[12:14]) * 1000 + registers[14]
    return PlcBlock(
        session=registers[1],
        beat=registers[2],
        line=line,
        speed_mm_s=registers[4],
        request_head=registers[5],
        confirm_head=registers[6],
        chute_head=registers[7],
        answer_ack=registers[8],
        order_ack=registers[9],
        boot=_long(registers[10:12]),
        clock_ms=clock_ms,
    )


def write_gateway_block(block: GatewayBlock) -> list[int]:
    """Registers 32 to 47."""
    counters = (block.request_ack, block.confirm_ack, block.chute_ack, block.answer_head, block.order_head)
    head = [MAP_VERSION, block.session, block.beat, *counters, *_halves(block.boot), *_halves(block.table_version)]
    return sealed([*head, 0, 0, 0])


def read_request(slot: Registers, counter: int, session: int) -> Request | None:
    """A REQ entry, None if it is not (yet) the one with `counter`. Raises FieldRefused for text nobody can read."""
    if not _is_entry(slot, REQ, counter):
        return None
    weight, length, width, height = _long(slot[7:9]), *slot[9:12]
    return Request(
        counter,
        session,
        _long(slot[1:3]),
        slot[3],
        slot[4] or None,
        _texts(slot[CODES]),
        _texts(slot[AIMS]),
        weight or None,
        length or None,
        width or None,
        height or None,
        slot[5],
        slot[6],
    )


def read_confirmation(slot: Registers, counter: int, session: int) -> Confirmation | None:
    """A CFM entry; as `read_request`."""
    if not _is_entry(slot, CFM, counter):
        return None
    result = _word(RESULTS, slot[4] - 1)
    if result is None:
        raise FieldRefused(f"result {slot[4]} is unknown")
    chute = None if slot[3] == CHUTE_UNKNOWN else slot[3]
    seconds = _long(slot[6:8])
    time_ms = seconds * 1000 + slot[8] if seconds else None
    codes = _texts(slot[CODES])
    return Confirmation(counter, session, _long(slot[1:3]), codes, chute, result, slot[5] or None, time_ms)


def read_chute(slot: Registers, counter: int, seq: int, session: int) -> ChuteReport | None:
    """A CHS entry; `seq` is the counter that does not wrap. As `read_request`."""
    if not _is_entry(slot, CHS, counter):
        return None
    state = _word(STATES, slot[2])
    if state is None:
        raise FieldRefused(f"chute state {slot[2]} is unknown")
    return ChuteReport(seq, session, slot[1], state, slot[3])


def write_answer(counter: int, pid: int, lap: int, made: Decision, request_counter: int) -> list[int]:
    """A RES entry."""
    reason = REASONS.index(made.reason) + 1
    head = [counter, *_halves(pid), lap, made.chute, made.alternate or 0, reason, *_halves(made.table_version)]
    return sealed([*head, request_counter, 0, 0, 0, 0, 0])


def write_order(counter: int, chute: int, order: ChuteOrder) -> list[int]:
    """A CHC entry."""
    return sealed([counter, chute, ORDERS.index(order) + 1, 0, 0, 0, 0])


def pack_text(text: str, registers: int) -> list[int]:
    """Escaped text, two characters a register, padded with 00. Raises FieldRefused where it does not fit."""
    return _packed(escape(text), registers)


def _packed(raw: bytes, registers: int) -> list[int]:
    if len(raw) > 2 * registers:
        raise FieldRefused(f"{len(raw)} bytes do not fit into {registers} registers")
    padded = raw.ljust(2 * registers, b"\x00")
    return [padded[at] << 8 | padded[at + 1] for at in range(0, len(padded), 2)]


def _texts(registers: Registers) -> tuple[str, ...]:
    """A list of texts, joined by `;` and escaped."""
    raw = _bytes(registers).rstrip(b"\x00")
    if any(not 0x20 <= byte <= 0x7E for byte in raw):
        raise FieldRefused("a text holds bytes outside 20 to 7E")
    return tuple(unescape(part) for part in raw.split(b";")) if raw else ()


def _is_entry(slot: Registers, ring: Ring, counter: int) -> bool:
    return len(slot) == ring.size and slot[0] == counter % COUNTERS and is_sealed(slot)


def _word(words: Sequence[Word], number: int) -> Word | None:
    return words[number] if 0 <= number < len(words) else None


def _bytes(registers: Registers) -> bytes:
    return b"".join(register.to_bytes(2, "big") for register in registers)


def _long(registers: Registers) -> int:
    return registers[0] << 16 | registers[1]


def _halves(number: int) -> tuple[int, int]:
    return number >> 16 & 0xFFFF, number & 0xFFFF
