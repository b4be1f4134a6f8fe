"""The gateway's end of WSP/1: bytes and the time go in, frames and deeds come out. No port, no disk, no thread.

The driver calls `receive` with what the wire brought, `due` for the timers, sends what `next_frame` gives whenever the
wire is free, and does what `take_deeds` lists. The written page is docs/reference/wsp.md, "session" and "parcels".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final

from devices.drivers.sorter_wsp.bookings import Bookings
from devices.drivers.sorter_wsp.chutes import ChuteBoard
from devices.drivers.sorter_wsp.deeds import Ask, Deed, Moment, Record
from devices.drivers.sorter_wsp.parcels import ParcelDesk
from devices.drivers.sorter_wsp.sending import (
    BUSY_S,
    ORDER_PATIENCE_S,
    ORDERS_MAX,
    ChuteTask,
    Sending,
)
from devices.framing.wsp import Reader, encode
from devices.framing.wsp_values import (
    VERSION,
    Acknowledge,
    ChuteCommand,
    ChuteOrder,
    ChuteReport,
    Confirmation,
    Heartbeat,
    Hello,
    LineReport,
    Nak,
    Refusal,
    ReplayBegin,
    ReplayEnd,
    Request,
    Response,
    Telegram,
    TimeExchange,
    Unreadable,
)
from devices.routes import RouteAnswer, RouteTable

DOWN_S: Final = 1.5
PROMPT_S: Final = 0.25
TIME_EXCHANGE_S: Final = 60.0


class SorterSession:
    """One sorting line. Outlives its cable: answers, bookings and orders go from session to session."""

    def __init__(
        self,
        *,
        node: str,
        boot: str,
        routes: RouteTable,
        window_ms: int,
        server_reachable: Callable[[], bool],
        bookings: Bookings | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.clock_offset_ms: int | None = None
        self.peer = ""
        self.busy_until_s = 0.0
        self.chutes = ChuteBoard()
        self._sending = Sending(window_ms, self.counters)
        self._desk = ParcelDesk(routes, self._sending, server_reachable, self.counters)
        self._bookings = bookings or Bookings()
        self._reader = Reader()
        self._deeds: list[Deed] = []
        self._node, self._boot = node, boot
        self._peer_boot = ""
        self._session = 0
        self._run = 0
        self._peer_seq = 0
        self._last_seq_before = 0
        self._last_good_s = 0.0
        self._next_prompt_s = 0.0
        self._next_time_s = 0.0
        self._replay_ends: dict[int, frozenset[str]] = {}

    # --- what the driver calls ----------------------------------------------------------------------------------------

    @property
    def running(self) -> bool:
        """True while the line answers."""
        return self._session > 0

    def opened(self, now: Moment) -> None:
        """The wire was opened: there is no session, the PLC is asked for one."""
        self.closed()
        self._next_prompt_s = now.s

    def closed(self) -> None:
        """The wire is gone."""
        self._end_session()
        self._reader.forget()

    def receive(self, received: bytes, now: Moment) -> None:
        """Take what the wire brought."""
        self.counters["bytes_in"] += len(received)
        for telegram in self._reader.feed(received):
            self._hear(telegram, now)
        self.counters["frames_in"] = self._reader.frames
        self.counters["frames_broken"] = self._reader.broken_frames
        self.counters["bytes_stray"] = self._reader.stray_bytes
        self.counters["bodies_nameless"] = self._reader.nameless_bodies

    def due(self, now: Moment) -> None:
        """Do what the clock asks for: silence noticed, prompt, time exchange, orders given up."""
        if self.running and now.s - self._last_good_s >= DOWN_S:
            self.counters["sessions_lost"] += 1
            self._end_session()
            self._next_prompt_s = now.s
        if not self.running and now.s >= self._next_prompt_s:
            self._next_prompt_s = now.s + PROMPT_S
            self._sending.hello = self._hello(0, now)
        if self.running and now.s >= self._next_time_s:
            self._next_time_s = now.s + TIME_EXCHANGE_S
            self._sending.replies.append(
                lambda seq, session, at: TimeExchange(seq, session, at.unix_ms, None, None),
            )
        self._give_up_orders(now)

    def wake_s(self) -> float:
        """When the clock next has something to do here (monotonic), if nothing comes before."""
        if not self.running:
            return self._next_prompt_s
        return min(self._last_good_s + DOWN_S, self._next_time_s, self._sending.wake_s())

    def has_frame(self, now: Moment) -> bool:
        """True if `next_frame` would give one, or drop one that is too late."""
        return self._sending.has_waiting(now.s)

    def next_frame(self, now: Moment) -> bytes | None:
        """The next frame for the wire, None if there is nothing to say; to be sent at once."""
        whole = self._sending.next_frame(now)
        for due in self._sending.answered:
            self._desk.left(due, now)
        self._sending.answered.clear()
        return whole

    def take_deeds(self) -> list[Deed]:
        """What is to be done, each once."""
        deeds, self._deeds = self._deeds, []
        return deeds

    def recorded(self, key: str) -> None:
        """The event with this key is on disk: now, and not before, the line may forget it."""
        for run, seq in self._bookings.committed(key):
            if run == self._run:
                self._acknowledge(seq)
        self._replay_ends = {seq: keys - {key} for seq, keys in self._replay_ends.items()}
        self._acknowledge_replay()

    def unrecorded(self, key: str, now: Moment) -> None:
        """The event with this key could not be stored: the line must repeat it."""
        self.busy_until_s = now.s + 2 * BUSY_S
        for run, seq in self._bookings.failed(key):
            if run == self._run:
                self._refuse(seq, Nak.BUSY)
        if any(key in keys for keys in self._replay_ends.values()):
            self._replay_ends.clear()  # the line repeats its SYE, after the confirmation that is missing

    def server_answered(self, ask: Ask, answer: RouteAnswer | None, now: Moment) -> None:
        """The server's word on a parcel asked aside; None: it could not say."""
        self._deeds += self._desk.server_answered(ask, answer, self._run, self.chutes.not_open, now)

    def order_chute(self, command_id: str, chute: int, order: ChuteOrder, now: Moment) -> None:
        """Send a CHC; how it ended comes as an event `command`."""
        if len(self._sending.orders) >= ORDERS_MAX:
            self._end_order(command_id, "refused", "too many orders wait for the line")
        else:
            self._sending.orders.setdefault(command_id, ChuteTask(command_id, chute, order, asked_s=now.s))

    # --- hearing ------------------------------------------------------------------------------------------------------

    def _hear(self, telegram: Telegram | Unreadable, now: Moment) -> None:
        if isinstance(telegram, Hello):
            self._hear_hello(telegram, now)
        elif isinstance(telegram, Unreadable) and telegram.kind == "HLO":
            self._refuse_hello(telegram)
        elif telegram.session != self._session or not self.running:
            self.counters["telegrams_of_other_sessions"] += 1
        else:
            self._last_good_s = now.s
            self._count_seq(telegram.seq)
            self._hear_in_session(telegram, now)

    def _hear_in_session(self, telegram: Telegram | Unreadable, now: Moment) -> None:
        match telegram:
            case Request():
                self._deeds += self._desk.hear(telegram, self._run, self.chutes.not_open, now)
            case Confirmation():
                self._hear_confirmation(telegram)
            case ChuteReport():
                self._deeds += self.chutes.hear(telegram)
                self._acknowledge(telegram.seq)
            case LineReport():
                self._deeds += self.chutes.hear_line(telegram)
                self._acknowledge(telegram.seq)
            case ReplayBegin():
                self._deeds += self.chutes.replay_begins()
                self._acknowledge(telegram.seq)
            case ReplayEnd():
                self._replay_ends[telegram.seq] = self._bookings.open_keys()
                self._acknowledge_replay()
            case Acknowledge():
                self._order_answered(telegram.acknowledged, "taken", "")
            case Refusal():
                self._hear_refusal(telegram, now)
            case TimeExchange():
                self._hear_time(telegram, now)
            case Unreadable():
                self._hear_unreadable(telegram)
            case Heartbeat():
                pass
            case Response() | ChuteCommand():
                self.counters["telegrams_unexpected"] += 1
                self._refuse(telegram.seq, Nak.TYPE)

    def _hear_hello(self, hello: Hello, now: Moment) -> None:
        if hello.session == 0 or hello.boot == self._boot:
            self.counters["telegrams_unexpected"] += 1  # only the PLC begins; our own comes back from an echoing line
            return
        if (hello.session, hello.boot) != (self._session, self._peer_boot):
            self._begin_session(hello, now)
        self._last_good_s = now.s
        self._sending.hello = self._hello(self._session, now)

    def _begin_session(self, hello: Hello, now: Moment) -> None:
        self.counters["sessions"] += 1
        self._run += 1
        self._session, self._peer_boot, self.peer = hello.session, hello.boot, hello.node
        self._replay_ends.clear()
        self.chutes.begin()
        self._sending.begin(hello.session)
        self._next_time_s = now.s
        self._last_seq_before, self._peer_seq = self._peer_seq, hello.seq

    def _refuse_hello(self, hello: Unreadable) -> None:
        """Another version, or a hello nobody can read: with that there is no session."""
        self.counters["telegrams_unreadable"] += 1
        if hello.reason is Nak.VERSION and self.running:
            self._end_session()
        seq = self._sending.next_seq() if self.running else 1
        self._sending.hello = encode(Refusal(seq, hello.session, hello.seq, hello.reason)) if hello.session else b""

    def _hear_confirmation(self, confirmation: Confirmation) -> None:
        codes = self._desk.codes_of(confirmation.pid)
        records = self._bookings.take(confirmation, codes, (self._run, confirmation.seq))
        self._deeds += records
        if not records and not self._bookings.waits(confirmation):
            self.counters["confirmations_repeated"] += 1
            self._acknowledge(confirmation.seq)

    def _hear_refusal(self, refusal: Refusal, now: Moment) -> None:
        self.counters["refusals_in"] += 1
        if refusal.reason is not Nak.BUSY:
            self._order_answered(refusal.refused, "refused", f"the line said {refusal.reason}")
            return
        for task in self._sending.orders.values():
            if task.seq == refusal.refused:
                task.next_s = now.s + BUSY_S

    def _hear_time(self, exchange: TimeExchange, now: Moment) -> None:
        if exchange.received_ms is None:
            asked_ms, received_ms = exchange.asked_ms, now.unix_ms
            self._sending.replies.append(
                lambda seq, session, at: TimeExchange(seq, session, asked_ms, received_ms, at.unix_ms)
            )
        elif exchange.answered_ms is not None:
            there, back = exchange.received_ms - exchange.asked_ms, exchange.answered_ms - now.unix_ms
            self.clock_offset_ms = (there + back) // 2

    def _hear_unreadable(self, telegram: Unreadable) -> None:
        self.counters["telegrams_unreadable"] += 1
        if telegram.kind not in ("NAK", "ACK"):  # a NAK is not answered, and an answer to an ACK helps nobody
            self._refuse(telegram.seq, telegram.reason)

    def _count_seq(self, seq: int) -> None:
        if seq <= self._peer_seq:
            self.counters["seq_repeats"] += 1
        elif seq > self._peer_seq + 1:
            self.counters["seq_gaps"] += 1
        self._peer_seq = max(seq, self._peer_seq)

    # --- answering ----------------------------------------------------------------------------------------------------

    def _acknowledge(self, seq: int) -> None:
        if self.running:
            self._sending.replies.append(lambda own, session, _: Acknowledge(own, session, seq))

    def _refuse(self, seq: int, reason: Nak) -> None:
        if self.running:
            self.counters["refusals_out"] += 1
            self._sending.replies.append(lambda own, session, _: Refusal(own, session, seq, reason))

    def _acknowledge_replay(self) -> None:
        """SYE is acknowledged when everything that came before it is on disk."""
        for seq in [seq for seq, keys in self._replay_ends.items() if not keys]:
            del self._replay_ends[seq]
            self._acknowledge(seq)

    def _hello(self, session: int, now: Moment) -> bytes:
        return encode(Hello(1, session, VERSION, self._node, self._boot, self._last_seq_before, now.unix_ms))

    def _end_session(self) -> None:
        self._session = 0
        self._peer_boot = ""
        self._last_seq_before = self._peer_seq
        self._sending.end()
        self._replay_ends.clear()

    # --- orders at chutes ---------------------------------------------------------------------------------------------

    def _order_answered(self, seq: int, result: str, reason: str) -> None:
        for task in list(self._sending.orders.values()):
            if task.seq == seq and task.sendings:
                self._end_order(task.command_id, result, reason)

    def _give_up_orders(self, now: Moment) -> None:
        for task in list(self._sending.orders.values()):
            if now.s - task.asked_s >= ORDER_PATIENCE_S:
                self._end_order(task.command_id, "expired", "the line did not answer")

    def _end_order(self, command_id: str, result: str, reason: str) -> None:
        self._sending.orders.pop(command_id, None)
        facts = {"id": command_id, "result": result, **({"reason": reason} if reason else {})}
        self._deeds.append(Record("command", facts))
