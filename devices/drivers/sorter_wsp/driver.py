"""The driver of a WSP/1 sorting line: one thread that reads the wire, lets the session think, and paces what it says.

What others bring (commits, the server's answers, orders for chutes) waits in a box that this thread empties between two
reads, so the session is never touched by two threads.
"""

from __future__ import annotations

import secrets
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Final

from devices.driver import Context, Health, State
from devices.drivers.sorter_wsp.bookings import BOOKED_MAX, Bookings
from devices.drivers.sorter_wsp.deeds import Ask, Deed, Moment, Record
from devices.drivers.sorter_wsp.session import SorterSession
from devices.errors import ConfigError, OutboxFull
from devices.framing.wsp import CHUTE_MAX, NODE_CHARACTERS_MAX
from devices.framing.wsp_values import ChuteOrder
from devices.options import read_options, require
from devices.transport.address import Address, parse_address

if TYPE_CHECKING:
    from devices.routes import RouteAnswer
    from devices.transport import Transport

READ_BYTES_MAX: Final = 4096
WRITE_DEADLINE_S: Final = 1.0
BAUD_MIN: Final = 57_600
BITS_PER_BYTE: Final = 10
# The next frame is handed over this long before the wire is free: less than a frame, enough to leave no gap.
LEAD_S: Final = 0.001
IDLE_S: Final = 0.05
# While a commit or an answer is awaited the box is looked into this often.
AWAITING_S: Final = 0.002
UNSTORED_MAX: Final = 256
UNSTORED_RETRY_S: Final = 0.5


@dataclass(frozen=True, slots=True)
class SorterOptions:
    """`[[device]]` keys of a sorting line.

    `window_ms`: from the scan to the last moment an answer counts, as set in the PLC. `node`: our name in HLO.
    """

    window_ms: int = 300
    node: str = "GW1"

    def __post_init__(self) -> None:
        require(50 <= self.window_ms <= 5_000, f"window_ms must be from 50 to 5000, not {self.window_ms}")
        require(1 <= len(self.node) <= NODE_CHARACTERS_MAX, f"node must have 1 to {NODE_CHARACTERS_MAX} characters")


class WspSorter:
    """A sorting line that speaks WSP/1 over a serial port or TCP."""

    kind: ClassVar[str] = "sorter_wsp"
    uses_routes: ClassVar[bool] = True
    backoff_s: ClassVar[tuple[float, float]] = (0.020, 0.250)

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(SorterOptions, options)
        _seconds_per_byte(parse_address(str(options.get("url", ""))))

    def __init__(self, context: Context) -> None:
        options = read_options(SorterOptions, context.options)
        self._context = context
        self._byte_s = _seconds_per_byte(parse_address(str(context.options.get("url", ""))))
        self._box: deque[Callable[[], None]] = deque()
        self._awaited = 0
        self._unstored: deque[Record] = deque(maxlen=UNSTORED_MAX)
        self._unstored_retry_s = 0.0
        self._wire_free_s = 0.0
        self._open = False
        self._session = SorterSession(
            node=options.node,
            boot=secrets.token_hex(4).upper(),
            routes=context.routes,
            window_ms=options.window_ms,
            server_reachable=context.server_reachable,
            bookings=Bookings(context.kept("cfm", BOOKED_MAX)),
        )

    def run(self) -> None:
        """Work the line until the gateway stops; raises DeviceError when the wire is lost."""
        transport = self._context.open_transport()
        self._open = True
        self._wire_free_s = 0.0
        self._session.opened(self._moment())
        try:
            while not self._context.stopping():
                self._turn(transport)
        finally:
            self._open = False
            self._session.closed()
            transport.close()

    def health(self) -> Health:
        """Ready while the line answers; degraded while events cannot be stored or the table is too old."""
        counters: Counter[str] = self._session.counters.copy()
        now_s = self._context.monotonic_s()
        if not self._open:
            return Health(State.CONNECTING, counters=counters)
        if not self._session.running:
            return Health(State.CONNECTING, "no_session: the line does not answer", counters=counters)
        if now_s < self._session.busy_until_s:
            return Health(State.DEGRADED, "outbox: confirmations cannot be stored now", counters=counters)
        if not self._context.routes.current.usable(now_s):
            return Health(
                State.DEGRADED, "routes: no table, or older than it may be; all goes to reject", counters=counters
            )
        return Health(State.READY, counters=counters)

    def submit(self, command: Mapping[str, object]) -> None:
        """Take `{id, kind: "chute", facts: {chute, command: OPEN|LOCK|CLEAR}}`; how it ended is an event `command`."""
        self._box.append(partial(self._take_command, dict(command)))

    # --- one turn of the thread ---------------------------------------------------------------------------------------

    def _turn(self, transport: Transport) -> None:
        received = transport.read(READ_BYTES_MAX, self._patience_s())
        now = self._moment()
        if received:
            self._session.receive(received, now)
        while self._box:
            self._box.popleft()()
        self._session.due(now)
        self._send(transport)
        for deed in self._session.take_deeds():
            self._do(deed)
        self._store_again()

    def _patience_s(self) -> float:
        """How long to wait for the wire before something else needs a look."""
        now = self._moment()
        if self._box:
            return 0.0
        waits = [AWAITING_S if self._awaited else IDLE_S, self._session.wake_s() - now.s]
        if self._session.has_frame(now):
            waits.append(self._wire_free_s - LEAD_S - now.s)
        return max(0.0, min(waits))

    def _send(self, transport: Transport) -> None:
        """Hand over frames while the wire is free: never more than one waits in the UART."""
        while True:
            now = self._moment()
            if now.s < self._wire_free_s - LEAD_S:
                return
            whole = self._session.next_frame(now)
            if whole is None:
                return
            transport.write(whole, WRITE_DEADLINE_S)
            self._wire_free_s = max(now.s, self._wire_free_s) + len(whole) * self._byte_s

    def _do(self, deed: Deed) -> None:
        if isinstance(deed, Ask):
            self._awaited += 1
            self._context.ask_server(
                deed.pid, deed.codes, lambda answer: self._box.append(partial(self._said, deed, answer))
            )
        elif deed.key:
            self._store_confirmation(deed)
        else:
            self._store(deed)

    def _said(self, ask: Ask, answer: RouteAnswer | None) -> None:
        self._awaited -= 1
        self._session.server_answered(ask, answer, self._moment())

    def _store_confirmation(self, record: Record) -> None:
        """The session must hear of the commit before the line does."""
        try:
            ticket = self._context.emit(record.kind, record.facts)
        except OutboxFull:
            self._session.unrecorded(record.key, self._moment())
            return
        self._awaited += 1
        ticket.on_commit(lambda: self._box.append(partial(self._settled, record.key, committed=True)))
        ticket.on_failure(lambda: self._box.append(partial(self._settled, record.key, committed=False)))

    def _settled(self, key: str, *, committed: bool) -> None:
        self._awaited -= 1
        if committed:
            self._session.recorded(key)
        else:
            self._session.unrecorded(key, self._moment())

    def _store(self, record: Record) -> None:
        """An event the line need not wait for; kept for a while if it cannot be stored now."""
        try:
            ticket = self._context.emit(record.kind, record.facts)
        except OutboxFull:
            self._keep_unstored(record)
            return
        ticket.on_failure(lambda: self._box.append(partial(self._keep_unstored, record)))

    def _keep_unstored(self, record: Record) -> None:
        if len(self._unstored) == UNSTORED_MAX:
            self._session.counters["events_dropped"] += 1
        self._unstored.append(record)
        self._unstored_retry_s = self._context.monotonic_s() + UNSTORED_RETRY_S

    def _store_again(self) -> None:
        if not self._unstored or self._context.monotonic_s() < self._unstored_retry_s:
            return
        records = list(self._unstored)
        self._unstored.clear()
        for record in records:
            self._store(record)

    # --- orders at chutes ---------------------------------------------------------------------------------------------

    def _take_command(self, command: Mapping[str, object]) -> None:
        command_id = str(command.get("id", ""))
        facts = command.get("facts")
        chute, order = (facts.get("chute"), facts.get("command")) if isinstance(facts, Mapping) else (None, None)
        number = int(chute) if str(chute).isdecimal() else -1  # type: ignore[arg-type]  # isdecimal has checked it
        if command.get("kind") != "chute" or not 0 <= number <= CHUTE_MAX or order not in set(ChuteOrder):
            refused = {"id": command_id, "result": "refused", "reason": f"a sorting line cannot do {command!r}"}
            self._store(Record("command", refused))
            return
        self._session.order_chute(command_id, number, ChuteOrder(str(order)), self._moment())

    def _moment(self) -> Moment:
        return Moment(self._context.monotonic_s(), self._context.now_ms())


def _seconds_per_byte(address: Address) -> float:
    """How long a byte is on the wire; 0 for TCP. Raises ConfigError where a line cannot run."""
    if address.scheme == "tcp":
        return 0.0
    if address.scheme not in ("serial", "pty", "memory"):
        raise ConfigError(f'a sorting line needs a serial or tcp url, not "{address.url}"')
    baud = int(address.option("baud", "0" if address.scheme == "serial" else "115200"))
    if baud < BAUD_MIN:
        raise ConfigError(f'"{address.url}": a sorting line needs at least {BAUD_MIN} baud, as in ?baud=115200')
    return BITS_PER_BYTE / baud
