"""Does what a session wants done: events into the outbox, questions to the server, orders of the server to the line.

What others bring (commits, answers, orders) waits in a box that the driver's thread empties between two looks at the
wire, so a session is never touched by two threads.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from devices.driver import Context
from devices.drivers.sorter_wsp.deeds import Ask, Deed, Moment, Record
from devices.errors import OutboxFull
from devices.framing.wsp import CHUTE_MAX
from devices.framing.wsp_values import ChuteOrder

if TYPE_CHECKING:
    from devices.routes import RouteAnswer

UNSTORED_MAX: Final = 256
UNSTORED_RETRY_S: Final = 0.5
# While a commit or an answer is awaited the box is looked into this often.
AWAITING_S: Final = 0.002


class Thinker(Protocol):
    """A session, as far as others have something to tell it."""

    counters: Counter[str]

    def recorded(self, key: str) -> None: ...
    def unrecorded(self, key: str, now: Moment) -> None: ...
    def server_answered(self, ask: Ask, answer: RouteAnswer | None, now: Moment) -> None: ...
    def order_chute(self, command_id: str, chute: int, order: ChuteOrder, now: Moment) -> None: ...


class Doer:
    """Used by one driver's thread; only `take_command` may be called from others."""

    def __init__(self, context: Context, session: Thinker) -> None:
        self._context = context
        self._session = session
        self._box: deque[Callable[[], None]] = deque()
        self._unstored: deque[Record] = deque(maxlen=UNSTORED_MAX)
        self._unstored_retry_s = 0.0
        self.awaited = 0

    @property
    def has_news(self) -> bool:
        """True if `empty_box` has something to do."""
        return bool(self._box)

    def empty_box(self) -> None:
        """Let the session hear what others brought."""
        while self._box:
            self._box.popleft()()

    def wait_until(self, due_s: float) -> None:
        """Hear what others bring until `due_s` (monotonic)."""
        while True:
            self.empty_box()
            left_s = due_s - self._context.monotonic_s()
            if left_s <= 0:
                return
            time.sleep(min(left_s, AWAITING_S) if self.awaited else left_s)

    def do_all(self, deeds: Iterable[Deed]) -> None:
        """Do each deed, and store again what could not be stored."""
        for deed in deeds:
            self._do(deed)
        self._store_again()

    def take_command(self, command: Mapping[str, object]) -> None:
        """Put an order of the server into the box."""
        self._box.append(partial(self._take_command, dict(command)))

    def _do(self, deed: Deed) -> None:
        if isinstance(deed, Ask):
            self.awaited += 1
            self._context.ask_server(
                deed.pid, deed.codes, lambda answer: self._box.append(partial(self._said, deed, answer))
            )
        elif deed.key:
            self._store_confirmation(deed)
        else:
            self._store(deed)

    def _said(self, ask: Ask, answer: RouteAnswer | None) -> None:
        self.awaited -= 1
        self._session.server_answered(ask, answer, self._moment())

    def _store_confirmation(self, record: Record) -> None:
        """The session must hear of the commit before the line does."""
        try:
            ticket = self._context.emit(record.kind, record.facts)
        except OutboxFull:
            self._session.unrecorded(record.key, self._moment())
            return
        self.awaited += 1
        ticket.on_commit(lambda: self._box.append(partial(self._settled, record.key, committed=True)))
        ticket.on_failure(lambda: self._box.append(partial(self._settled, record.key, committed=False)))

    def _settled(self, key: str, *, committed: bool) -> None:
        self.awaited -= 1
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
