"""The belt of the simulated line: parcels from the scan over one or two laps to their chute.

The belt knows windows, laps, chutes and results; what is said about them on the wire is `sorter_plc`'s business.
All times are seconds on a clock that does not jump.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from devices.simulators.sorter_memory import KeptConfirmation, Memory

REJECT: Final = 0
LAST_LAP: Final = 1
REQUEST_EVERY_S: Final = 0.020
REQUEST_STOPS_BEFORE_S: Final = 0.015
CARRIERS: Final = 400
LATENCIES_MAX: Final = 2_000_000


@dataclass(frozen=True, slots=True)
class BeltTimes:
    """All from the scan: the window for an answer, the moment at the chute, the next scan after going round."""

    window_s: float = 0.300
    chute_s: float = 1.000
    lap_s: float = 4.000


@dataclass(frozen=True, slots=True)
class Offer:
    """A parcel as somebody puts it on the line. `fate`: "" as it should, "miss" wrong chute, "lost" tracking lost.

    `codes_later`: what the scanner reads in the second lap, None for the same.
    """

    codes: tuple[str, ...]
    aims: tuple[str, ...] = ()
    induct: int = 1
    weight_g: int | None = None
    length_mm: int | None = None
    width_mm: int | None = None
    height_mm: int | None = None
    codes_later: tuple[str, ...] | None = None
    fate: str = ""


@dataclass(slots=True)
class Parcel:
    """A parcel on the belt."""

    pid: int
    offer: Offer
    carrier: int
    codes: tuple[str, ...]
    scanned_s: float
    lap: int = 0
    seq: int = 0
    next_request_s: float = 0.0
    answer: tuple[int, int | None, str] | None = None
    answers: list[str] = field(default_factory=list)
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Discharge:
    """What became of a parcel, for whoever watches the line. `latency_ms`: scan to answer, of its last lap."""

    pid: int
    codes: tuple[str, ...]
    chute: int | None
    result: str
    lap: int
    reason: str
    latency_ms: float | None


class Belt:
    """Parcels in their order; `tick` moves them."""

    def __init__(self, times: BeltTimes, chutes: Iterable[int], memory: Memory) -> None:
        self.times = times
        self.chutes: dict[int, str] = dict.fromkeys(chutes, "OPEN")
        self.counts: dict[int, int] = dict.fromkeys(self.chutes, 0)
        self.latencies_ms: deque[float] = deque(maxlen=LATENCIES_MAX)
        self.scans = 0
        self.unanswered = 0
        self.discharges: deque[Discharge] = deque(maxlen=LATENCIES_MAX)
        self.on_count: Callable[[int], None] = lambda chute: None
        self._memory = memory
        self._carrier = 0
        self.asking: dict[int, Parcel] = {}
        self._moving: dict[int, Parcel] = {}
        self._rounds: dict[int, Parcel] = {}

    def scan(self, offer: Offer, now_s: float) -> Parcel:
        """A new parcel passes the scanner at `now_s`."""
        self._carrier = self._carrier % CARRIERS + 1
        pid = self._memory.give_pid(offer.codes, self._carrier)
        parcel = Parcel(pid, offer, self._carrier, offer.codes, now_s, next_request_s=now_s)
        self._begin_lap(parcel)
        return parcel

    def _begin_lap(self, parcel: Parcel) -> None:
        self.scans += 1
        self.asking[parcel.pid] = parcel

    def request_due(self, now_s: float) -> Parcel | None:
        """The parcel whose REQ should have gone first."""
        due = [parcel for parcel in self.asking.values() if self._wants_request(parcel, now_s)]
        return min(due, key=lambda parcel: parcel.next_request_s, default=None)

    def _wants_request(self, parcel: Parcel, now_s: float) -> bool:
        last_s = parcel.scanned_s + self.times.window_s - REQUEST_STOPS_BEFORE_S
        return parcel.answer is None and parcel.next_request_s <= now_s < last_s

    def requested(self, parcel: Parcel, now_s: float) -> None:
        """A REQ begins to leave now; its repeat is counted from here."""
        parcel.next_request_s = now_s + REQUEST_EVERY_S

    def answered(self, pid: int, seq: int, answer: tuple[int, int | None, str], now_s: float) -> bool:
        """Take a RES if it belongs to the REQ of a lap that still runs; the first counts."""
        parcel = self.asking.get(pid)
        if parcel is None or parcel.seq != seq or parcel.seq == 0:
            return False
        if parcel.answer is not None or now_s >= parcel.scanned_s + self.times.window_s:
            return False
        parcel.answer = answer
        parcel.answers.append(answer[2])
        parcel.latency_ms = (now_s - parcel.scanned_s) * 1000
        self.latencies_ms.append(parcel.latency_ms)
        return True

    def forget_requests(self) -> None:
        """A new session: what is unanswered is asked with new numbers, at once."""
        for parcel in self.asking.values():
            parcel.seq = 0
            if parcel.answer is None:
                parcel.next_request_s = parcel.scanned_s

    def tick(self, now_s: float, clock_ms: int) -> list[KeptConfirmation]:
        """Move everything to `now_s`; the confirmations of what left the line."""
        for parcel in [parcel for parcel in self._rounds.values() if parcel.scanned_s <= now_s]:
            del self._rounds[parcel.pid]
            self._begin_lap(parcel)
        for parcel in [p for p in self.asking.values() if p.scanned_s + self.times.window_s <= now_s]:
            del self.asking[parcel.pid]
            self.unanswered += parcel.answer is None
            self._moving[parcel.pid] = parcel
        at_chute = [p for p in self._moving.values() if p.scanned_s + self.times.chute_s <= now_s]
        left = [self._at_chute(parcel, clock_ms) for parcel in at_chute]
        return [confirmation for confirmation in left if confirmation is not None]

    def next_request_s(self) -> float:
        """When the next REQ should go."""
        wanting = (p.next_request_s for p in self.asking.values() if self._wants_request(p, p.next_request_s))
        return min(wanting, default=float("inf"))

    def next_s(self) -> float:
        """When `tick` next has something to do."""
        times = [parcel.scanned_s for parcel in self._rounds.values()]
        times += [parcel.scanned_s + self.times.window_s for parcel in self.asking.values()]
        times += [parcel.scanned_s + self.times.chute_s for parcel in self._moving.values()]
        return min(times, default=float("inf"))

    def parcels(self) -> int:
        """How many are on the line."""
        return len(self.asking) + len(self._moving) + len(self._rounds)

    def _at_chute(self, parcel: Parcel, clock_ms: int) -> KeptConfirmation | None:
        del self._moving[parcel.pid]
        ends = self._end_of(parcel)
        if ends is None:
            self._go_round(parcel)
            return None
        chute, result = ends
        return self._leave(parcel, chute, result, clock_ms)

    def _end_of(self, parcel: Parcel) -> tuple[int | None, str] | None:
        """Chute and result, or None to go round."""
        if parcel.offer.fate == "lost":
            return None, "LOST"
        last = parcel.lap >= LAST_LAP
        if parcel.answer is None:
            late = "LATE" if not parcel.answers else "FULL"
            return (REJECT, "NOREAD" if not parcel.codes else late) if last else None
        chute, alternate, reason = parcel.answer
        if chute == REJECT:
            return REJECT, "NOREAD" if reason == "NOREAD" else "REJ"
        if chute not in self.chutes:
            return REJECT, "REJ"
        for wanted in (chute, alternate):
            if wanted is not None and self.chutes.get(wanted) == "OPEN":
                return (REJECT, "MISS") if parcel.offer.fate == "miss" else (wanted, "OK")
        return (REJECT, "FULL") if last else None

    def _go_round(self, parcel: Parcel) -> None:
        parcel.lap += 1
        parcel.scanned_s += self.times.lap_s
        parcel.next_request_s = parcel.scanned_s
        parcel.seq, parcel.answer, parcel.latency_ms = 0, None, None
        if parcel.offer.codes_later is not None:
            parcel.codes = parcel.offer.codes_later
            self._memory.read_again(parcel.pid, parcel.codes)
        self._rounds[parcel.pid] = parcel

    def _leave(self, parcel: Parcel, chute: int | None, result: str, clock_ms: int) -> KeptConfirmation:
        reason = parcel.answer[2] if parcel.answer else ""
        self.discharges.append(
            Discharge(parcel.pid, parcel.codes, chute, result, parcel.lap, reason, parcel.latency_ms)
        )
        confirmation = KeptConfirmation(parcel.pid, parcel.codes, chute, result, parcel.carrier, clock_ms)
        self._memory.confirm(confirmation)
        if chute in self.counts and chute is not None:
            self.counts[chute] += 1
            self.on_count(chute)
        return confirmation

    def power_off(self) -> None:
        """What was on the belt is no longer known, except to the lasting memory."""
        self.asking.clear()
        self._moving.clear()
        self._rounds.clear()

    def report_lost(self) -> list[KeptConfirmation]:
        """After a reboot: every parcel that was on the line is given up."""
        lost = []
        for pid, (codes, carrier) in list(self._memory.on_line.items()):
            confirmation = KeptConfirmation(pid, codes, None, "LOST", carrier, None)
            self._memory.confirm(confirmation)
            self.discharges.append(Discharge(pid, codes, None, "LOST", 0, "", None))
            lost.append(confirmation)
        return lost
