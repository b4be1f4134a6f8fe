"""The gateway's end of the register map, without a socket: registers read go in, registers to be written come out."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from devices.drivers.sorter_wsp.bookings import Bookings
from devices.drivers.sorter_wsp.chutes import ChuteBoard
from devices.drivers.sorter_wsp.deeds import Ask, Deed, Moment, Record
from devices.drivers.sorter_wsp.parcels import ParcelDesk
from devices.drivers.sorter_wsp.sending import ORDER_PATIENCE_S, ORDERS_MAX, WINDOW_MARGIN_MS, DueAnswer
from devices.framing import modbus_map as plan
from devices.framing.modbus_map import GatewayBlock, PlcBlock, Ring
from devices.framing.wsp import FieldRefused
from devices.framing.wsp_values import ChuteOrder, Confirmation, LineReport
from devices.routes import RouteAnswer, RouteTable

DOWN_S: Final = 1.5
BUSY_S: Final = 0.5
# Chutes that were shut in the session before and are not named within this time of the new one are open again.
CHUTES_NAMED_S: Final = 1.0
# A PLC that has not begun a new session by then is asked once more.
HELLO_AGAIN_S: Final = 0.5
NO_SESSION: Final = (-1, -1)
ANSWERS_MAX: Final = 64


class Wire(Protocol):
    """Registers of the PLC. Both raise DeviceError when it is lost."""

    def read(self, address: int, count: int) -> Sequence[int]: ...
    def write(self, address: int, values: Sequence[int]) -> None: ...


@dataclass(slots=True)
class _Taken:
    """One ring of the PLC's: how far it was read, and how far taken. Counters that do not wrap."""

    ring: Ring
    read: int = 0
    ack: int = 0
    done: set[int] = field(default_factory=set)

    def head(self, wrapped: int) -> int:
        """The PLC's head, not wrapped; never more than a ring ahead of what was taken."""
        ahead = (wrapped - self.ack) % plan.COUNTERS
        return self.ack + ahead if ahead <= plan.SLOTS else self.read

    def take(self, counter: int) -> None:
        """`counter` is dealt with; acks go in order."""
        self.done.add(counter)
        while self.ack + 1 in self.done:
            self.ack += 1
            self.done.discard(self.ack)


@dataclass(slots=True)
class _Order:
    command_id: str
    chute: int
    order: ChuteOrder
    asked_s: float
    counter: int = 0


class ModbusSession:
    """One line. Outlives its connection: answers and bookings go from session to session."""

    def __init__(
        self,
        *,
        boot: int,
        routes: RouteTable,
        window_ms: int,
        server_reachable: Callable[[], bool],
        bookings: Bookings | None = None,
    ) -> None:
        self.counters: Counter[str] = Counter()
        self.chutes = ChuteBoard()
        self.busy_until_s = 0.0
        self._boot = boot
        self._window_s = window_ms / 1000
        self._routes = routes
        self._desk = ParcelDesk(routes, self, server_reachable, self.counters)
        self._bookings = bookings or Bookings()
        self._deeds: list[Deed] = []
        self._answers: deque[DueAnswer] = deque(maxlen=ANSWERS_MAX)
        self._orders: dict[str, _Order] = {}
        self._session = self._run = self._beat = self._lines = 0
        self._plc_boot = 0
        self._plc_beat = -1
        self._last_beat_s = self._begun_s = 0.0
        self._hello = True
        self._stale = NO_SESSION
        self._asked_s = 0.0
        self._open_again = False
        self._begin_counters()

    def _begin_counters(self) -> None:
        self._requests, self._confirms, self._chutes = _Taken(plan.REQ), _Taken(plan.CFM), _Taken(plan.CHS)
        self._answer_head = self._answer_ack = self._order_head = 0
        self._open_requests: dict[int, float] = {}
        self._answers.clear()
        for order in self._orders.values():
            order.counter = 0

    @property
    def running(self) -> bool:
        """True while the PLC's beat moves in a session we took over."""
        return self._session > 0

    def opened(self, now: Moment) -> None:
        """The connection is there: the PLC is asked for a new session by writing session 0 once."""
        self._hello = True
        self._last_beat_s = now.s

    def closed(self) -> None:
        """The connection is gone."""
        self._session = 0

    def poll(self, wire: Wire, clock: Callable[[], Moment]) -> None:
        """One round: read what is new, answer it, write our block."""
        if self._hello:
            self._say_hello(wire, clock())
            return
        block = plan.read_plc_block(wire.read(plan.PLC_AT, plan.BLOCK))
        now = clock()
        if block is None:
            self.counters["blocks_damaged"] += 1
        else:
            self._take_block(block, now)
            if self.running:
                self._read_rings(wire, block, clock)
                self._write_answers(wire, clock())
                self._write_orders(wire, now)
        self._watch(now)
        if self.running:
            self._write_block(wire)

    def _say_hello(self, wire: Wire, now: Moment) -> None:
        """Ask for a new session, and take none over that was there before: its counters are not known to us.

        Nothing more is written until the new one is there; a slow PLC would miss what is overwritten at once.
        """
        before = plan.read_plc_block(wire.read(plan.PLC_AT, plan.BLOCK))
        self._stale = NO_SESSION if before is None else (before.session, before.boot)
        self._hello, self._session, self._asked_s = False, 0, now.s
        self._write_block(wire)

    def take_deeds(self) -> list[Deed]:
        """What is to be done, each once."""
        deeds, self._deeds = self._deeds, []
        return deeds

    # --- the PLC's block ----------------------------------------------------------------------------------------------

    def _take_block(self, block: PlcBlock, now: Moment) -> None:
        self.counters["polls"] += 1
        if block.beat != self._plc_beat:
            self._plc_beat, self._last_beat_s = block.beat, now.s
        elif now.s - self._last_beat_s >= DOWN_S:
            return
        if (block.session, block.boot) == self._stale or not block.session:
            self._hello = now.s - self._asked_s >= HELLO_AGAIN_S
            return
        if (block.session, block.boot) != (self._session, self._plc_boot):
            self._begin_session(block, now)
        self._hear_line(block)
        self._answer_ack += min((block.answer_ack - self._answer_ack) % plan.COUNTERS, self._in_flight())
        for order in list(self._orders.values()):
            if order.counter and (block.order_ack - order.counter) % plan.COUNTERS < plan.COUNTERS // 2:
                self._end_order(order.command_id, "taken")

    def _begin_session(self, block: PlcBlock, now: Moment) -> None:
        self.counters["sessions"] += 1
        self._run += 1
        self._session, self._plc_boot, self._stale = block.session, block.boot, NO_SESSION
        self._begun_s, self._open_again = now.s, True
        self.chutes.begin()
        self._begin_counters()

    def _hear_line(self, block: PlcBlock) -> None:
        self._lines += 1
        self._deeds += self.chutes.hear_line(LineReport(self._lines, block.session, block.line, block.speed_mm_s))

    def _watch(self, now: Moment) -> None:
        """Silence, chutes that are open again, requests nobody will answer, orders given up."""
        if self.running and now.s - self._last_beat_s >= DOWN_S:
            self.counters["sessions_lost"] += 1
            self._session, self._hello = 0, True
        if self.running and self._open_again and now.s - self._begun_s >= CHUTES_NAMED_S:
            self._open_again = False
            self._deeds += self.chutes.replay_begins()
        for counter, over_s in list(self._open_requests.items()):
            if now.s >= over_s:
                self._close_request(counter)
        for order in list(self._orders.values()):
            if now.s - order.asked_s >= ORDER_PATIENCE_S:
                self._end_order(order.command_id, "expired", "the line did not answer")

    # --- the PLC's rings ----------------------------------------------------------------------------------------------

    def _read_rings(self, wire: Wire, block: PlcBlock, clock: Callable[[], Moment]) -> None:
        """Chutes first, so that no answer names one that has just been shut; then parcels, then confirmations."""
        for counter, slot in self._fresh(wire, self._chutes, block.chute_head):
            self._hear_chute(counter, slot)
        for counter, slot in self._fresh(wire, self._requests, block.request_head):
            self._hear_request(counter, slot, clock())
        if clock().s >= self.busy_until_s:
            for counter, slot in self._fresh(wire, self._confirms, block.confirm_head):
                self._hear_confirmation(counter, slot)

    def _fresh(self, wire: Wire, taken: _Taken, head: int) -> list[tuple[int, Sequence[int]]]:
        """The entries after the last read, in order, up to one that is torn: that is read again at the next poll."""
        entries: list[tuple[int, Sequence[int]]] = []
        for counter in range(taken.read + 1, taken.head(head) + 1):
            slot = wire.read(taken.ring.address(counter), taken.ring.size)
            if len(slot) != taken.ring.size or slot[0] != counter % plan.COUNTERS or not plan.is_sealed(slot):
                self.counters["slots_damaged"] += 1
                break
            taken.read = counter
            entries.append((counter, slot))
        return entries

    def _hear_chute(self, counter: int, slot: Sequence[int]) -> None:
        try:
            report = plan.read_chute(slot, counter, counter, self._session)
        except FieldRefused:
            self._unreadable(self._chutes, counter)
            return
        assert report is not None
        self._deeds += self.chutes.hear(report)
        self._chutes.take(counter)

    def _hear_request(self, counter: int, slot: Sequence[int], now: Moment) -> None:
        try:
            request = plan.read_request(slot, counter, self._session)
        except FieldRefused:
            self._unreadable(self._requests, counter)
            return
        assert request is not None
        self.counters["requests"] += 1
        self._open_requests[counter] = now.s + max(0.0, self._window_s - request.age_ms / 1000)
        self._deeds += self._desk.hear(request, self._run, self.chutes.not_open, now)

    def _hear_confirmation(self, counter: int, slot: Sequence[int]) -> None:
        try:
            confirmation = plan.read_confirmation(slot, counter, self._session)
        except FieldRefused:
            self._unreadable(self._confirms, counter)
            return
        assert confirmation is not None
        self._book(confirmation, counter)

    def _book(self, confirmation: Confirmation, counter: int) -> None:
        codes = self._desk.codes_of(confirmation.pid)
        records = self._bookings.take(confirmation, codes, (self._run, counter))
        self._deeds += records
        if not records and not self._bookings.waits(confirmation):
            self.counters["confirmations_repeated"] += 1
            self._confirms.take(counter)

    def _unreadable(self, taken: _Taken, counter: int) -> None:
        """Sound CRC and nonsense inside: reading it again will not help; it is counted and told to a person."""
        self.counters["entries_unreadable"] += 1
        self._deeds.append(Record("unreadable", {"register": taken.ring.address(counter)}))
        taken.take(counter)

    # --- what the outbox and the server say ---------------------------------------------------------------------------

    def recorded(self, key: str) -> None:
        """The confirmation with this key is on disk: now, and not before, it is acknowledged."""
        for run, counter in self._bookings.committed(key):
            if run == self._run:
                self._confirms.take(counter)

    def unrecorded(self, key: str, now: Moment) -> None:
        """It could not be stored: its slot, and those behind it, are read again after a while."""
        self.busy_until_s = now.s + BUSY_S
        for run, counter in self._bookings.failed(key):
            if run == self._run:
                self._confirms.read = min(self._confirms.read, counter - 1)

    def server_answered(self, ask: Ask, answer: RouteAnswer | None, now: Moment) -> None:
        """The server's word on a parcel asked aside; None: it could not say."""
        self._deeds += self._desk.server_answered(ask, answer, self._run, self.chutes.not_open, now)

    # --- answers and orders -------------------------------------------------------------------------------------------

    def answer(self, due: DueAnswer) -> None:
        """Queue a RES; called by the desk."""
        self._answers.append(due)

    def _in_flight(self) -> int:
        return self._answer_head - self._answer_ack

    def _write_answers(self, wire: Wire, now: Moment) -> None:
        while self._answers and self._in_flight() < plan.SLOTS:
            due = self._answers.popleft()
            if due.request_seq not in self._open_requests:
                continue
            if now.s > due.scanned_s + self._window_s - WINDOW_MARGIN_MS / 1000:
                self.counters["answers_late"] += 1
            else:
                counter = self._answer_head + 1
                wire.write(
                    plan.RES.address(counter),
                    plan.write_answer(
                        counter % plan.COUNTERS, due.pid, due.lap, due.decision, due.request_seq % plan.COUNTERS
                    ),
                )
                self._answer_head = counter
                self.counters["answers"] += 1
                self._desk.left(due, now)
            self._close_request(due.request_seq)

    def _close_request(self, counter: int) -> None:
        """Its RES is written, or none will be."""
        self._open_requests.pop(counter, None)
        self._requests.take(counter)

    def order_chute(self, command_id: str, chute: int, order: ChuteOrder, now: Moment) -> None:
        """Write a CHC; how it ended comes as an event `command`."""
        if len(self._orders) >= ORDERS_MAX:
            self._end_order(command_id, "refused", "too many orders wait for the line")
        else:
            self._orders.setdefault(command_id, _Order(command_id, chute, order, now.s))

    def _write_orders(self, wire: Wire, now: Moment) -> None:
        in_flight = sum(order.counter > 0 for order in self._orders.values())
        for order in [order for order in self._orders.values() if not order.counter][: plan.SLOTS - in_flight]:
            counter = self._order_head + 1
            wire.write(plan.CHC.address(counter), plan.write_order(counter % plan.COUNTERS, order.chute, order.order))
            self._order_head = order.counter = counter

    def _end_order(self, command_id: str, result: str, reason: str = "") -> None:
        self._orders.pop(command_id, None)
        facts = {"id": command_id, "result": result, **({"reason": reason} if reason else {})}
        self._deeds.append(Record("command", facts))

    def _write_block(self, wire: Wire) -> None:
        self._beat = (self._beat + 1) % plan.COUNTERS
        block = GatewayBlock(
            session=self._session,
            beat=self._beat,
            request_ack=self._requests.ack % plan.COUNTERS,
            confirm_ack=self._confirms.ack % plan.COUNTERS,
            chute_ack=self._chutes.ack % plan.COUNTERS,
            answer_head=self._answer_head % plan.COUNTERS,
            order_head=self._order_head % plan.COUNTERS,
            boot=self._boot,
            table_version=self._routes.current.version & 0xFFFF_FFFF,
        )
        wire.write(plan.GATEWAY_AT, plan.write_gateway_block(block))
