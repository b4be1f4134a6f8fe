"""What goes between station and server, one thread each: events out, commands in, routes in, health out, questions.

A server that is away changes nothing here but the pauses; what was not sent stays in the outbox.
"""

from __future__ import annotations

import logging
import queue
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from devices.errors import GatewayError, OutboxFull
from devices.link import Line, Reach, ServerAway, ServerRefused
from devices.outbox import Outbox
from devices.routes import RouteAnswer, RouteRefused

EVENTS_PER_CALL_MAX = 200
LONG_POLL_S = 20
LONG_POLL_TIMEOUT_S = LONG_POLL_S + 10
# A server restored from a backup says nothing by itself: whoever has nothing to send asks what it still knows.
MARK_EVERY_S = 10.0
HEALTH_EVERY_S = 2.0
HEALTH_TIMEOUT_S = 2.0
ASK_TIMEOUT_S = 1.0
ASKS_WAITING_MAX = 1_000
PAUSE_S = (0.2, 5.0)
# A refusal will not go away by asking fast: a person has to do something first.
REFUSED_PAUSE_S = 5.0
OFFERED_AGAIN_PAUSE_S = 0.2

log = logging.getLogger("devices")


class Errand(Protocol):
    """One kind of traffic. `run_once` makes one call; it may wait, and returns soon after `abort`."""

    name: str

    def run_once(self) -> None: ...

    def abort(self) -> None: ...


class Runner:
    """Repeats one errand on a thread of its own, with growing pauses while the server is away."""

    def __init__(self, errand: Errand, reach: Reach, stopping: threading.Event) -> None:
        self._errand = errand
        self._reach = reach
        self._stopping = stopping
        self._thread = threading.Thread(target=self._repeat, name=errand.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        self._errand.abort()
        self._thread.join(timeout_s)

    def _repeat(self) -> None:
        pause_s = PAUSE_S[0]
        while not self._stopping.is_set():
            try:
                self._errand.run_once()
                pause_s = PAUSE_S[0]
            except ServerAway as error:
                self._note(error)
                self._stopping.wait(pause_s * random.uniform(0.7, 1.3))  # gateways must not all come back at once
                pause_s = min(PAUSE_S[1], pause_s * 2)
            except GatewayError as error:
                self._note(error)
                self._stopping.wait(REFUSED_PAUSE_S)

    def _note(self, error: GatewayError) -> None:
        if self._stopping.is_set():
            return
        if str(error) != self._reach.trouble:
            log.warning("%s: %s", self._errand.name, error)
        if not isinstance(error, OutboxFull):
            self._reach.failed(error)


@dataclass
class _OnLine:
    """An errand with its own connection."""

    line: Line
    reach: Reach

    def abort(self) -> None:
        self.line.abort()


@dataclass
class SendEvents(_OnLine):
    """Pushes the outbox, oldest first. The server's mark, not ours, says what it has."""

    outbox: Outbox
    boot: str
    name: str = "link events"
    mark_known_s: float = float("-inf")

    def run_once(self) -> None:
        if time.monotonic() - self.mark_known_s > MARK_EVERY_S:
            self._ask_mark()
            self.mark_known_s = time.monotonic()
        batch = self.outbox.unsent(EVENTS_PER_CALL_MAX)
        if not batch:
            self.outbox.wait_for_more(1.0)
            return
        try:
            self._push([event.as_sent() for event in batch], batch[0].seq, batch[-1].seq)
            self.mark_known_s = time.monotonic()
        except ServerRefused as refusal:
            self._go_back(refusal)

    def abort(self) -> None:
        super().abort()
        self.outbox.announce()

    def _ask_mark(self) -> None:
        """An empty push. A server that knows more than we do means that our outbox was lost; one that knows less than
        it once did was restored from a backup.
        """
        last = self.outbox.last_seq()
        try:
            answer = self.line.post("/events", {"boot": self.boot, "first": last + 1, "last": last, "events": []})
        except ServerRefused as refusal:
            if refusal.status in (400, 422):
                return  # a server that takes no empty push: the first real one tells the mark
            self._go_back(refusal)
            return
        self.reach.went_through()
        high_water = _high_water(answer)
        if high_water > last:
            log.warning("the server has events up to %s, this outbox only to %s: going on after it", high_water, last)
            self.outbox.go_on_after(high_water)
        elif high_water != self.outbox.acknowledged:
            self._go_on_from(high_water + 1)

    def _push(self, events: list[dict[str, object]], first: int, last: int) -> None:
        answer = self.line.post("/events", {"boot": self.boot, "first": first, "last": last, "events": events})
        self.reach.went_through()
        high_water = _high_water(answer)
        if not first - 1 <= high_water:
            raise ServerAway(f"server's high-water mark {high_water} lies before what it was sent ({first})")
        self.outbox.acknowledge(min(high_water, last))

    def _go_back(self, refusal: ServerRefused) -> None:
        """A gap: the server lacks what it once had (restored from a backup). Send it again if we still have it."""
        expected = refusal.facts.get("expected")
        if refusal.reason != "event_gap" or not isinstance(expected, int):
            raise refusal
        self._go_on_from(expected)

    def _go_on_from(self, expected: int) -> None:
        if expected < self.outbox.oldest_seq():
            raise GatewayError(f"server expects event {expected}, which is no longer kept here: a person must decide")
        if expected <= self.outbox.acknowledged:
            log.warning("the server went back to event %s (a restored backup): sending again from there", expected)
        self.outbox.acknowledge(expected - 1)


def _high_water(answer: Mapping[str, object]) -> int:
    high_water = answer.get("high_water")
    if not isinstance(high_water, int):
        raise ServerAway("server's answer to events has no high_water")
    return high_water


@dataclass
class FetchCommands(_OnLine):
    """Long polls for commands. `take` is told each, also those offered again, and says whether it was new."""

    take: Callable[[Mapping[str, object]], bool]
    stopping: threading.Event
    name: str = "link commands"

    def run_once(self) -> None:
        answer = self.line.get(f"/commands?wait_s={LONG_POLL_S}", LONG_POLL_TIMEOUT_S)
        self.reach.went_through()
        commands = answer.get("commands")
        offered = commands if isinstance(commands, list) else []
        new = [command for command in offered if isinstance(command, Mapping) and self.take(command)]
        if offered and not new:
            # Our report of them is on its way; asking again at once would spin.
            self.stopping.wait(OFFERED_AGAIN_PAUSE_S)


class RouteKeeper(Protocol):
    """The part of the routing table this errand needs."""

    def version(self) -> int: ...
    def apply(self, body: Mapping[str, object]) -> None: ...


@dataclass
class FetchRoutes(_OnLine):
    """Long polls for changes of the routing table."""

    routes: RouteKeeper
    name: str = "link routes"

    def run_once(self) -> None:
        answer = self.line.get(f"/routes?since={self.routes.version()}&wait_s={LONG_POLL_S}", LONG_POLL_TIMEOUT_S)
        self.reach.went_through()
        try:
            self.routes.apply(answer)
        except RouteRefused as error:
            raise GatewayError(f"the server's routing table cannot be used: {error}") from error


@dataclass
class SendHealth(_OnLine):
    """Tells how the devices are, every two seconds and when something changed."""

    describe: Callable[[], list[dict[str, object]]]
    changed: threading.Event
    name: str = "link health"

    def run_once(self) -> None:
        self.changed.clear()
        self.line.post("/health", {"devices": self.describe()}, HEALTH_TIMEOUT_S)
        self.reach.went_through()
        self.changed.wait(HEALTH_EVERY_S)

    def abort(self) -> None:
        super().abort()
        self.changed.set()


Answer = Callable[[RouteAnswer | None], None]


@dataclass(frozen=True, slots=True)
class _Question:
    pid: int
    codes: tuple[str, ...]
    answer: Answer


class Asker:
    """Asks the server about unknown parcels, one at a time, never keeping the line waiting."""

    name = "link ask"

    def __init__(self, line: Line, reach: Reach) -> None:
        self._line = line
        self._reach = reach
        self._questions: queue.Queue[_Question | None] = queue.Queue(ASKS_WAITING_MAX)

    def ask(self, pid: int, codes: Sequence[str], answer: Answer) -> None:
        """Queue the question; while the server is away, or with too many waiting, the answer is None at once."""
        if not self._reach.reachable:
            answer(None)
            return
        try:
            self._questions.put_nowait(_Question(pid, tuple(codes), answer))
        except queue.Full:
            answer(None)

    def run_once(self) -> None:
        question = self._questions.get()
        if question is None:
            return
        found: RouteAnswer | None = None
        try:
            content = {"pid": question.pid, "codes": list(question.codes)}
            found = RouteAnswer.of(self._line.post("/ask", content, ASK_TIMEOUT_S))
            self._reach.went_through()
        except GatewayError as error:
            # No pause as for other errands: the next parcel's question must not wait for it.
            self._reach.failed(error)
        except RouteRefused as error:
            log.warning("the server's answer about parcel %s cannot be used: %s", question.pid, error)
        finally:
            question.answer(found)

    def abort(self) -> None:
        self._line.abort()
        try:
            self._questions.put_nowait(None)
        except queue.Full:
            return  # then there is something to wake up for anyway
