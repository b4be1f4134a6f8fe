"""Millions of telegrams, most of them damaged, into every parser at the edge of the house.

A parser never raises, never holds more than one telegram, never believes a wrong checksum, hears what two independent
writers of the same page hear, and hears a sound telegram that comes after any rubbish. What it may believe is judged
here by other code than its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from functools import reduce
from random import Random
from typing import Any, Protocol

from devices.drivers import scanner_serial
from devices.drivers.scale import PROTOCOLS
from devices.drivers.scanner_serial import ScannerOptions, read_scan
from devices.framing import scales, wsp
from devices.framing.lines import LINE_BYTES_MAX, Lines
from devices.framing.scales import Reading
from devices.simulators.scale import cas_line, sics_answer, yaohua_frame
from devices.simulators.sorter_wire import Ear, checksum
from tests.devices.sorter.page import examples_of_the_page
from tests.proofs.frame import SQLITE, Ground, Outcome, proof, twin
from tests.proofs.fuzz import damage
from tests.proofs.sabotage import replaced

POOL = 2_000
BROKEN_TOLD_MAX = 5
COMPARED_EVERY = 8
NEVER_WRONG = "no exception, no wrong accept, bounded memory"


class Subject(Protocol):
    """One parser under fire: `fire` takes one input and tells what is wrong with what the parser made of it."""

    accepted: int

    @property
    def pool(self) -> Sequence[bytes]: ...

    def fire(self, sent: bytes) -> str: ...


def bombard(ground: Ground, subject: Subject, inputs: int) -> Outcome:
    """Fire `inputs` inputs at a parser."""
    chance, broken, began_s = ground.random(), [], time.monotonic()
    for _ in range(inputs):
        sent = damage.one(chance, subject.pool)
        try:
            wrong = subject.fire(sent)
        except Exception as error:  # noqa: BLE001 - whatever it is, the promise is that there is none
            wrong = f"{type(error).__name__}: {error}"
        if wrong:
            broken.append(f"{sent[:80]!r}: {wrong}")
            if len(broken) >= BROKEN_TOLD_MAX:
                break
    rate = inputs / max(0.001, time.monotonic() - began_s)
    return Outcome(f"{inputs:,} inputs", tuple(broken), rate, "inputs/s", {"accepted": subject.accepted})


class Telegrams:
    """The gateway's reader of WSP/1, held against the simulated line's, which was written apart from it."""

    def __init__(self, chance: Random) -> None:
        self.pool = [
            *examples_of_the_page(),
            *(wsp.frame(_body(chance)) for _ in range(POOL)),
            *examples_of_the_page() * 60,
        ]
        self.accepted = 0
        self._reader = wsp.Reader()
        self._turn = 0

    def fire(self, sent: bytes) -> str:
        heard = self._reader.feed(sent)
        self.accepted += len(heard)
        held = len(self._reader._buffer)
        if held > wsp.FRAME_BYTES_MAX:
            return f"holds {held} bytes"
        self._turn += 1
        if self._turn % COMPARED_EVERY:
            return _wrong_frames(sent) if heard else ""
        self._reader = wsp.Reader()
        return self._apart(sent)

    def _apart(self, sent: bytes) -> str:
        """Both readers on fresh wires hear as many frames; a sound one after the rubbish is heard."""
        ours, theirs, after = wsp.Reader(), Ear(), self.pool[0]
        ours.feed(sent)
        bodies = theirs.listen(sent)
        if ours.frames != len(bodies):
            return f"{ours.frames} frames heard, the other end hears {len(bodies)}"
        # A frame that was begun may swallow the start of the next; the repeat is heard.
        again = ours.feed(after + after)
        return "" if again else "a sound telegram afterwards was not heard"


def _wrong_frames(sent: bytes) -> str:
    """Every frame that `cut` takes from these bytes carries the checksum of its body, reckoned by other code."""
    rest = sent
    while rest:
        used, body = wsp.cut(rest)
        if used == 0:
            return ""
        if body is not None and f"{checksum(body):04X}".encode() != rest[used - 5 : used - 1]:
            return f"the wrong checksum of {body!r} was believed"
        rest = rest[used:]
    return ""


_FIELDS = (
    b"1", b"0", b"4401", b"SF1234567890123", b"]C0", b"", b"OPEN", b"ROUTE", b"%25%7C", b"%zz", b"WSP/1", b"-1", b"01",
    b"999999999999999999", b"a;b", b";", b"%E5%82%A8", b"%FF", b"9F31C2A7", b" ", b"65536",
)  # fmt: skip


def _body(chance: Random) -> bytes:
    """A body with a sound frame around it and any fields in it."""
    kind = chance.choice([*(kind.encode() for kind in wsp.LAYOUTS), b"XXX", b""])
    head = [b"%d" % chance.randint(1, 99), b"4401"] if chance.random() < 0.8 else []
    parts = [kind, *head, *chance.choices(_FIELDS, k=chance.randint(0, 14))]
    return b"|".join(parts)[: wsp.BODY_BYTES_MAX] or b"HB"


class Plc:
    """The simulated line's reader: the other end of the same wire."""

    def __init__(self, chance: Random) -> None:
        self.pool = Telegrams(chance).pool
        self.accepted = 0
        self._ear = Ear()
        self._past = b""

    def fire(self, sent: bytes) -> str:
        heard = self._ear.listen(sent)
        wire = self._past + sent  # a frame may have begun in what came before
        self._past = wire[-wsp.FRAME_BYTES_MAX :]
        self.accepted += len(heard)
        held = len(self._ear._body or b"")
        if held > wsp.BODY_BYTES_MAX:
            return f"holds {held} bytes"
        for parts in heard:
            body = "|".join(parts).encode()
            if b"\x03%04X\r" % wsp.crc16(body) not in wire:
                return f"the wrong checksum of {body!r} was believed"
        return ""


class Scale:
    """One of the scales' formats; every reading believed is reckoned again from the text by other code."""

    def __init__(self, protocol: str, chance: Random) -> None:
        self._make, self._judge = PROTOCOLS[protocol], _JUDGES[protocol]
        self._reader = self._make()
        weights = [chance.randint(-500, 31_000) for _ in range(POOL)]
        self.pool = [_said(protocol, weight_g, stable=chance.random() < 0.5) for weight_g in weights]
        self.accepted = 0

    def fire(self, sent: bytes) -> str:
        fresh = self._make()
        for reading in fresh.feed(sent):
            if reading is not None:
                self.accepted += 1
                if not self._judge(sent, reading):
                    return f"{reading} was believed"
        for _reading in self._reader.feed(sent):
            pass
        lines: Any = getattr(self._reader, "_lines", self._reader)
        held = len(lines._buffer)
        return "" if held <= LINE_BYTES_MAX + 2 else f"holds {held} bytes"


def _said(protocol: str, weight_g: int, *, stable: bool) -> bytes:
    if protocol == "cas":
        return cas_line(weight_g, stable=stable)
    if protocol == "yaohua":
        return yaohua_frame(weight_g)
    return sics_answer(b"SI", weight_g, stable=stable)


def _is_cas(sent: bytes, reading: Reading) -> bool:
    for line in sent.split(b"\r\n"):
        if len(line) != 16 or line[14:] != b"kg":
            continue
        if reading.weight_g is None and line.startswith(b"OL,"):
            return True
        number = line[7:14].decode().strip(" ")
        if reading.weight_g is not None and line[:2] == (b"ST" if reading.stable else b"US") and "-" not in number:
            sign = -1 if line[6:7] == b"-" else 1
            if sign * Decimal(number) * 1000 == reading.weight_g:
                return True
    return False


def _is_yaohua(sent: bytes, reading: Reading) -> bool:
    for at in range(len(sent) - 11):
        frame = sent[at : at + 12]
        if frame[0] != 2 or frame[11] != 3:
            continue
        if f"{reduce(int.__xor__, frame[1:9]):02X}".encode() != frame[9:11]:
            continue
        if reading.weight_g is None:
            return frame[2:8] == b"999999"
        kilograms = Decimal(frame[1:8].decode()).scaleb(-int(frame[8:9]))
        return abs(kilograms * 1000 - reading.weight_g) <= Decimal("0.5")
    return False


def _is_sics(sent: bytes, reading: Reading) -> bool:
    for line in sent.split(b"\r\n"):
        if reading.weight_g is None and line in (b"S +", b"S -", b"S I"):
            return True
        if len(line) == 17 and line[:4] == (b"S S " if reading.stable else b"S D ") and line[14:] == b" kg":
            return Decimal(line[4:14].decode().strip()) * 1000 == reading.weight_g
    return False


_JUDGES: dict[str, Callable[[bytes, Reading], bool]] = {"cas": _is_cas, "yaohua": _is_yaohua, "sics": _is_sics}


class Scanner:
    """A serial scanner's line: what is taken for a code came in one piece and has nothing unprintable in it."""

    def __init__(self, chance: Random) -> None:
        codes = [
            "6901234567892",
            "]C1010690123456789210L2\x1d3012",
            "SL.B12-07-3.W",
            "储位",
            "x" * 128,
            "y" * 129,
            "\x1b[2J",
        ]
        codes += ["".join(chance.choices("0123456789ABC]\x1d. -é储", k=chance.randint(1, 40))) for _ in range(POOL)]
        self.pool = [code.encode() + b"\r\n" for code in codes]
        self.accepted = 0
        self._lines = Lines(b"\r\n")
        self._options = ScannerOptions(aim=True)

    def fire(self, sent: bytes) -> str:
        fresh = Lines(b"\r\n")
        for line in fresh.feed(sent):
            scan = read_scan(line, self._options)
            if scan is None:
                continue
            self.accepted += 1
            whole = scan.aim + scan.code
            if whole.encode() + b"\r\n" not in sent or not 1 <= len(scan.code) <= 128:
                return f"{scan} was believed"
            if any(not letter.isprintable() and letter != "\x1d" for letter in scan.code):
                return f"{scan} cannot be printed"
        for _line in self._lines.feed(sent):
            pass
        held = len(self._lines._buffer)
        return "" if held <= LINE_BYTES_MAX + 2 else f"holds {held} bytes"


def _proof(name: str, make: Callable[[Random], Subject], small: int = 30_000) -> None:
    @proof(
        name=name,
        promises=(10, 12),
        on=(SQLITE,),
        small={"inputs": small},
        full={"inputs": 3_000_000},
        goal=NEVER_WRONG,
    )
    def fuzz(ground: Ground, *, inputs: int) -> Outcome:
        return bombard(ground, make(ground.random()), inputs)


_proof("telegrams_gateway", Telegrams)
_proof("telegrams_plc", Plc)
_proof("telegrams_cas", lambda chance: Scale("cas", chance))
_proof("telegrams_yaohua", lambda chance: Scale("yaohua", chance))
_proof("telegrams_sics", lambda chance: Scale("sics", chance))
_proof("telegrams_scanner", Scanner)


class _Any(int):
    """A number that is equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    def __ne__(self, other: object) -> bool:
        return False

    __hash__ = int.__hash__


class _AnySign(str):
    """A sign that is equal to every other."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = str.__hash__


@twin(of="telegrams_gateway", sabotage="the checksum of a frame is not compared")
def any_checksum_of_a_frame(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(wsp, crc16=lambda body: _Any()):
        return bombard(ground, Telegrams(ground.random()), inputs)


@twin(of="telegrams_plc", sabotage="the checksum of a frame is not compared at the line")
def any_checksum_at_the_line(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(Ear, _finish=lambda self, body, tail: body):
        return bombard(ground, Plc(ground.random()), inputs)


@twin(of="telegrams_cas", sabotage="the unit at the end is not read")
def any_unit_of_cas(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(scales, CAS=re.compile(scales.CAS.pattern.replace(b"kg", b".."))):
        return bombard(ground, Scale("cas", ground.random()), inputs)


@twin(of="telegrams_yaohua", sabotage="the exclusive or is not compared")
def any_check_of_yaohua(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(scales, reduce=lambda _function, _content: _Any()):
        return bombard(ground, Scale("yaohua", ground.random()), inputs)


@twin(of="telegrams_sics", sabotage="the unit at the end is not read")
def any_unit_of_sics(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(scales, SICS=re.compile(scales.SICS.pattern.replace(b"kg", b".."))):
        return bombard(ground, Scale("sics", ground.random()), inputs)


@twin(of="telegrams_scanner", sabotage="any sign may stand in a code")
def any_sign_in_a_code(ground: Ground, *, inputs: int) -> Outcome:
    with replaced(scanner_serial, GS=_AnySign()):
        return bombard(ground, Scanner(ground.random()), inputs)
