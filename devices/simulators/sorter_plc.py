"""The simulated PLC's end of WSP/1, from the written page: sessions, replay, repeats, the window of 8.

It has no port and no thread: bytes and the time go in, frames come out, as in the gateway, but with none of its code.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from devices.simulators.sorter_belt import Belt, Offer, Parcel
from devices.simulators.sorter_memory import KeptConfirmation, Memory
from devices.simulators.sorter_wire import Ear, FieldValue, build, take_from_field

HELLO_EVERY_S: Final = 0.200
SILENCE_S: Final = 1.500
PROMPT_DEAF_S: Final = 0.200
HEARTBEAT_S: Final = 0.500
TIME_EVERY_S: Final = 60.0
REPEATS_S: Final = (0.080, 0.160, 0.320, 0.500)
BUSY_S: Final = 0.500
WINDOW: Final = 8
SPEED_MM_S: Final = 2000

Reply = Callable[[int, int, int], bytes]


@dataclass(slots=True)
class Telegram:
    """One CFM, CHS, STS, SYB or SYE on its way to being acknowledged."""

    kind: str
    fields: tuple[FieldValue, ...]
    pid: int = 0
    seq: int = 0
    frame: bytes = b""
    sendings: int = 0
    next_s: float = 0.0


class Plc:
    """The controller of one line. `clock_ms` is its own wall clock, which may be wrong and may jump."""

    def __init__(self, belt: Belt, memory: Memory, clock_ms: Callable[[], int], node: str = "PLC1") -> None:
        self.belt = belt
        self.counters: Counter[str] = Counter()
        self.line = "RUN"
        self.powered = False
        self.answered = False
        self.shown_to_person: deque[str] = deque(maxlen=100)
        self._memory = memory
        self._clock_ms = clock_ms
        self._node = node
        self._boot = ""
        self._ear = Ear()
        self._session = 0
        self._seq = 0
        self._peer_seq = 0
        self._hello = b""
        self._hello_next_s = 0.0
        self._began_s = 0.0
        self._heard_s = 0.0
        self._sent_s = 0.0
        self._time_next_s = 0.0
        self._replies: deque[Reply] = deque(maxlen=256)
        self._fresh: deque[Telegram] = deque()
        self._window: dict[int, Telegram] = {}
        self._orders_done: dict[int, bool] = {}
        self._replay: set[int] = set()
        self._replay_count = 0
        self._phase = "none"

    # --- power and cable ----------------------------------------------------------------------------------------------

    def power_on(self, now_s: float) -> None:
        """Boot: what was on the line is lost, and a session begins."""
        self.powered = True
        self._boot = secrets.token_hex(4).upper()
        self.belt.report_lost()
        self._begin_session(now_s)

    def power_off(self) -> None:
        """All but the lasting memory is gone."""
        self.powered = self.answered = False
        self.belt.power_off()
        self._ear.forget()
        self._end_talk()

    def connected(self, now_s: float) -> None:
        """A TCP connection was accepted."""
        self._ear.forget()
        if self.powered:
            self._begin_session(now_s)

    def _begin_session(self, now_s: float) -> None:
        self.counters["sessions"] += 1
        last = self._memory.session or secrets.randbelow(65_535)
        self._session = last % 65_535 + 1
        self._memory.begin_session(self._session)
        self._end_talk()
        self._seq, self.answered = 1, False
        self._hello = build("HLO", 1, self._session, "WSP/1", self._node, self._boot, self._peer_seq, self._clock_ms())
        self._peer_seq = 0
        self._hello_next_s = self._began_s = self._heard_s = now_s

    def _end_talk(self) -> None:
        self._replies.clear()
        self._fresh.clear()
        self._window.clear()
        self._orders_done.clear()
        self._phase = "none"
        self.belt.forget_requests()

    # --- what happens on the line -------------------------------------------------------------------------------------

    def offer(self, offer: Offer, now_s: float) -> Parcel:
        """A parcel passes the scanner."""
        return self.belt.scan(offer, now_s)

    def set_chute(self, chute: int, state: str) -> None:
        """A sensor or a hand at the chute."""
        self.belt.chutes[chute] = state
        self._tell("CHS", chute, state, self.belt.counts.get(chute, 0))

    def set_line(self, state: str) -> None:
        self.line = state
        self._tell("STS", state, SPEED_MM_S if state == "RUN" else 0)

    def tick(self, now_s: float) -> None:
        """Timers of the belt and of the session."""
        if not self.powered:
            return
        for confirmation in self.belt.tick(now_s, self._clock_ms()):
            if self._phase == "open":
                self._fresh.append(_telegram_of(confirmation))
        if now_s - self._heard_s >= SILENCE_S and self.answered:
            self.counters["silences"] += 1
            self._begin_session(now_s)
        if self.answered and now_s >= self._time_next_s:
            self._time_next_s = now_s + TIME_EVERY_S
            self._replies.append(lambda seq, session, clock: build("TSY", seq, session, clock, None, None))

    def next_s(self) -> float:
        """When `tick` next has something to do."""
        if not self.powered:
            return float("inf")
        silence = [self._heard_s + SILENCE_S, self._time_next_s] if self.answered else []
        return min([self.belt.next_s(), *silence])

    def next_frame_s(self) -> float:
        """When `next_frame` next has something to say; in the past if it waits for the wire."""
        if not self.powered:
            return float("inf")
        if not self.answered:
            return self._hello_next_s
        if self._replies or (self._fresh and len(self._window) < WINDOW):
            return 0.0
        repeats = [telegram.next_s for telegram in self._window.values()]
        return min([self._sent_s + HEARTBEAT_S, self.belt.next_request_s(), *repeats])

    # --- sending ------------------------------------------------------------------------------------------------------

    def next_frame(self, now_s: float) -> bytes:
        """What goes on the wire now, empty if nothing."""
        if not self.powered:
            return b""
        if not self.answered:
            return self._say_hello(now_s)
        frame = self._reply() or self._request(now_s) or self._repeat(now_s) or self._first_sending(now_s)
        if not frame and now_s - self._sent_s >= HEARTBEAT_S:
            frame = build("HB", self._next_seq(), self._session)
        if frame:
            self._sent_s = now_s
        return frame

    def _next_seq(self) -> int:
        self._seq += 1
        return self._seq

    def _say_hello(self, now_s: float) -> bytes:
        if now_s < self._hello_next_s:
            return b""
        self._hello_next_s = now_s + HELLO_EVERY_S
        self._sent_s = now_s
        return self._hello

    def _reply(self) -> bytes:
        return self._replies.popleft()(self._next_seq(), self._session, self._clock_ms()) if self._replies else b""

    def _request(self, now_s: float) -> bytes:
        parcel = self.belt.request_due(now_s)
        if parcel is None:
            return b""
        parcel.seq = parcel.seq or self._next_seq()
        self.belt.requested(parcel, now_s)
        self.counters["requests"] += 1
        offer = parcel.offer
        return build(
            "REQ",
            parcel.seq,
            self._session,
            parcel.pid,
            offer.induct,
            parcel.carrier,
            parcel.codes,
            offer.aims if parcel.codes == offer.codes else (),
            offer.weight_g,
            offer.length_mm,
            offer.width_mm,
            offer.height_mm,
            parcel.lap,
            int((now_s - parcel.scanned_s) * 1000),
        )

    def _repeat(self, now_s: float) -> bytes:
        for telegram in self._window.values():
            if telegram.next_s <= now_s:
                self.counters["repeats"] += 1
                return self._sent(telegram, now_s)
        return b""

    def _first_sending(self, now_s: float) -> bytes:
        if not self._fresh or len(self._window) >= WINDOW:
            return b""
        telegram = self._fresh.popleft()
        telegram.seq = self._next_seq()
        telegram.frame = build(telegram.kind, telegram.seq, self._session, *telegram.fields)
        self._window[telegram.seq] = telegram
        return self._sent(telegram, now_s)

    @staticmethod
    def _sent(telegram: Telegram, now_s: float) -> bytes:
        telegram.next_s = now_s + REPEATS_S[min(telegram.sendings, len(REPEATS_S) - 1)]
        telegram.sendings += 1
        return telegram.frame

    def _tell(self, kind: str, *fields: FieldValue) -> None:
        if self.answered:
            self._fresh.append(Telegram(kind, fields))

    # --- hearing ------------------------------------------------------------------------------------------------------

    def hear(self, received: bytes, now_s: float) -> None:
        """Bytes that have arrived."""
        if not self.powered:
            return
        for parts in self._ear.listen(received):
            self.counters["frames_in"] += 1
            try:
                self._hear(parts, now_s)
            except (ValueError, IndexError):
                self.counters["telegrams_unreadable"] += 1
                self._refuse_unreadable(parts)

    def _refuse_unreadable(self, parts: list[str]) -> None:
        if len(parts) > 2 and parts[1].isdecimal() and parts[2] == str(self._session) and parts[0] != "NAK":
            refused = int(parts[1])
            self._replies.append(lambda seq, session, _: build("NAK", seq, session, refused, "FORMAT"))

    def _hear(self, parts: list[str], now_s: float) -> None:
        kind, seq, session = parts[0], int(parts[1]), int(parts[2])
        fields = [take_from_field(part) for part in parts[3:]]
        if kind == "HLO":
            self._hear_hello(session, now_s)
        elif session != self._session or not (self.answered or kind == "NAK"):
            self.counters["telegrams_of_other_sessions"] += 1
        else:
            self._heard_s = now_s
            self._peer_seq = max(self._peer_seq, seq)
            self._hear_in_session(kind, seq, fields, now_s)

    def _hear_hello(self, session: int, now_s: float) -> None:
        if session == 0:
            if now_s - self._began_s > PROMPT_DEAF_S:
                self.counters["prompts"] += 1
                self._begin_session(now_s)
        elif session == self._session:
            self._heard_s = now_s
            if not self.answered:
                self.answered = True
                self._open_session(now_s)

    def _open_session(self, now_s: float) -> None:
        """The gateway is there: states, then the replay."""
        for chute, state in self.belt.chutes.items():
            if state != "OPEN":
                self._tell("CHS", chute, state, self.belt.counts[chute])
        self._tell("STS", self.line, SPEED_MM_S if self.line == "RUN" else 0)
        self._replay = set(self._memory.unacknowledged)
        self._replay_count = len(self._replay)
        self._tell("SYB", self._replay_count)
        self._phase = "begun"
        self._time_next_s = now_s + TIME_EVERY_S

    def _hear_in_session(self, kind: str, seq: int, fields: list[str], now_s: float) -> None:
        match kind:
            case "RES":
                answer = (int(fields[1]), int(fields[2]) if fields[2] else None, fields[3])
                taken = self.belt.answered(int(fields[0]), int(fields[5]), answer, now_s)
                self.counters["answers_taken" if taken else "answers_unused"] += 1
            case "ACK":
                self._acknowledged(int(fields[0]))
            case "NAK":
                self._refused(int(fields[0]), fields[1], now_s)
            case "CHC":
                self._order(seq, int(fields[0]), fields[1])
            case "TSY":
                if fields[1] == "":
                    asked, received = int(fields[0]), self._clock_ms()
                    self._replies.append(lambda own, session, clock: build("TSY", own, session, asked, received, clock))
            case "HB":
                pass
            case _:
                self._replies.append(lambda own, session, _: build("NAK", own, session, seq, "TYPE"))

    def _acknowledged(self, seq: int) -> None:
        telegram = self._window.pop(seq, None)
        if telegram is None:
            return
        if telegram.kind == "CFM":
            self._memory.acknowledge(telegram.pid)
        self._go_on(telegram)

    def _go_on(self, telegram: Telegram) -> None:
        """The replay's steps: SYB taken, then every CFM, then SYE, then whatever happened meanwhile."""
        if telegram.kind == "SYB":
            self._phase = "replaying"
            replayed = [kept for pid, kept in self._memory.unacknowledged.items() if pid in self._replay]
            self._fresh.extend(_telegram_of(kept) for kept in replayed)
        elif telegram.kind == "SYE":
            self._phase = "open"
            later = [kept for pid, kept in self._memory.unacknowledged.items() if pid not in self._replay]
            self._fresh.extend(_telegram_of(kept) for kept in later)
        elif telegram.kind == "CFM":
            self._replay.discard(telegram.pid)
        if self._phase == "replaying" and not self._replay:
            self._phase = "replayed"
            self._tell("SYE", self._replay_count)

    def _refused(self, seq: int, reason: str, now_s: float) -> None:
        self.counters[f"refused_{reason.lower()}"] += 1
        if reason == "SESS":
            self._begin_session(now_s)
            return
        telegram = self._window.get(seq)
        if telegram is None:
            return
        if reason == "BUSY":
            telegram.next_s = now_s + BUSY_S
            return
        del self._window[seq]
        self.shown_to_person.append(f"{telegram.kind} {telegram.fields} refused: {reason}")
        self._go_on(telegram)

    def _order(self, seq: int, chute: int, order: str) -> None:
        """A CHC; a repeat is acknowledged again and not done again."""
        if seq not in self._orders_done:
            self._orders_done[seq] = chute in self.belt.chutes and order in ("OPEN", "LOCK", "CLEAR")
            if self._orders_done[seq]:
                self._do_order(chute, order)
        if self._orders_done[seq]:
            self._replies.append(lambda own, session, _: build("ACK", own, session, seq))
        else:
            self._replies.append(lambda own, session, _: build("NAK", own, session, seq, "REFUSED"))

    def _do_order(self, chute: int, order: str) -> None:
        state = self.belt.chutes[chute]
        if order == "CLEAR":
            self.belt.counts[chute] = 0
            state = "OPEN" if state == "FULL" else state
        else:
            state = order
        self.set_chute(chute, state)


def _telegram_of(kept: KeptConfirmation) -> Telegram:
    fields = (kept.pid, kept.codes, kept.chute, kept.result, kept.carrier, kept.time_ms)
    return Telegram("CFM", fields, pid=kept.pid)
