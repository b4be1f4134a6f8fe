"""What waits to be sent, and in which order: answers to the line's own questions before anything that can wait.

HLO, then ACK, NAK and TSY, then RES, then repeats of what was not acknowledged, then new orders, then the heartbeat.
A telegram takes its seq when it leaves, so numbers are in the order of the wire.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from devices.drivers.sorter_wsp.deeds import Moment
from devices.framing.wsp import encode
from devices.framing.wsp_values import ChuteCommand, ChuteOrder, Heartbeat, Response, Telegram
from devices.routes import Decision

HEARTBEAT_S: Final = 0.5
REPEAT_S: Final = (0.080, 0.160, 0.320, 0.500)
BUSY_S: Final = 0.5
WINDOW: Final = 8
ORDER_PATIENCE_S: Final = 10.0
REPLIES_MAX: Final = 256
ANSWERS_MAX: Final = 1024
ORDERS_MAX: Final = 1024
# An answer that would reach the PLC after its window is not worth the wire.
WINDOW_MARGIN_MS: Final = 20

Make = Callable[[int, int, Moment], Telegram]


@dataclass(slots=True)
class DueAnswer:
    """A RES that waits for the wire. `scanned_s` is when the parcel was scanned, by our clock."""

    pid: int
    lap: int
    decision: Decision
    request_seq: int
    scanned_s: float
    heard_s: float


@dataclass(slots=True)
class ChuteTask:
    """One CHC until it is acknowledged, refused or given up."""

    command_id: str
    chute: int
    order: ChuteOrder
    asked_s: float
    seq: int = 0
    frame: bytes = b""
    sendings: int = 0
    next_s: float = 0.0

    def sent(self, now_s: float) -> None:
        """Count one sending and set the time of the next."""
        self.next_s = now_s + REPEAT_S[min(self.sendings, len(REPEAT_S) - 1)]
        self.sendings += 1


@dataclass(slots=True)
class Sending:
    """The queues of one wire. Each has its bound; the session empties them when a new one begins."""

    window_ms: int
    counters: Counter[str]
    hello: bytes = b""
    replies: deque[Make] = field(default_factory=lambda: deque(maxlen=REPLIES_MAX))
    answers: dict[tuple[int, int], DueAnswer] = field(default_factory=dict)
    orders: dict[str, ChuteTask] = field(default_factory=dict)
    answered: list[DueAnswer] = field(default_factory=list)
    session: int = 0
    seq: int = 1
    last_sent_s: float = 0.0

    def begin(self, session: int) -> None:
        """A new session: numbers restart after the HLO, unacknowledged orders go out anew, old answers do not."""
        self.session, self.seq = session, 1
        self.replies.clear()
        self.answers.clear()
        for task in self.orders.values():
            task.seq, task.frame, task.sendings, task.next_s = 0, b"", 0, 0.0

    def end(self) -> None:
        """No session: nothing but a hello may leave."""
        self.session = 0
        self.hello = b""
        self.replies.clear()
        self.answers.clear()

    def answer(self, due: DueAnswer) -> None:
        """Queue a RES; a repeat of the question while it waits does not make it two."""
        if len(self.answers) >= ANSWERS_MAX:
            self.answers.pop(next(iter(self.answers)))
            self.counters["answers_dropped"] += 1
        self.answers[due.pid, due.lap] = due

    def has_waiting(self, now_s: float) -> bool:
        """True if `next_frame` has something now."""
        if self.hello or self.replies:
            return True
        return self.session > 0 and (bool(self.answers) or self.wake_s() <= now_s)

    def wake_s(self) -> float:
        """When the next repeat or heartbeat is due (monotonic)."""
        if self.session == 0:
            return float("inf")
        times = [task.next_s for task in self._open_orders()]
        return min([self.last_sent_s + HEARTBEAT_S, *times])

    def next_frame(self, now: Moment) -> bytes | None:
        """The frame that goes next, or None. The caller sends it at once."""
        if self.hello:
            whole, self.hello = self.hello, b""
        else:
            whole = self._reply(now) or self._answer(now) or self._order(now) or self._heartbeat(now) or b""
        if not whole:
            return None
        self.last_sent_s = now.s
        self.counters["frames_out"] += 1
        return whole

    def next_seq(self) -> int:
        """The number of the telegram that leaves now."""
        self.seq += 1
        return self.seq

    def _reply(self, now: Moment) -> bytes | None:
        return encode(self.replies.popleft()(self.next_seq(), self.session, now)) if self.replies else None

    def _answer(self, now: Moment) -> bytes | None:
        while self.answers:
            due = self.answers.pop(next(iter(self.answers)))
            if int((now.s - due.scanned_s) * 1000) > self.window_ms - WINDOW_MARGIN_MS:
                self.counters["answers_too_late"] += 1
                continue
            self.answered.append(due)
            made = due.decision
            return encode(
                Response(
                    self.next_seq(),
                    self.session,
                    due.pid,
                    made.chute,
                    made.alternate,
                    made.reason,
                    made.table_version,
                    due.request_seq,
                )
            )
        return None

    def _open_orders(self) -> list[ChuteTask]:
        """The window: orders under way first, then new ones, in order, at most eight."""
        return list(self.orders.values())[:WINDOW]

    def _order(self, now: Moment) -> bytes | None:
        if self.session == 0:
            return None
        due = [task for task in self._open_orders() if task.next_s <= now.s]
        for task in sorted(due, key=lambda task: task.sendings == 0):
            if task.sendings == 0:
                task.seq = self.next_seq()
                task.frame = encode(ChuteCommand(task.seq, self.session, task.chute, task.order))
            else:
                self.counters["repeats_out"] += 1
            task.sent(now.s)
            return task.frame
        return None

    def _heartbeat(self, now: Moment) -> bytes | None:
        if self.session == 0 or now.s - self.last_sent_s < HEARTBEAT_S:
            return None
        return encode(Heartbeat(self.next_seq(), self.session))
