"""Where parcels go: REQ in, RES and `divert` events out. In memory only, nothing here can wait."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Final, Protocol

from devices.drivers.sorter_wsp.answers import Answers, Asked, Heard, Parcel
from devices.drivers.sorter_wsp.deeds import Ask, Deed, Moment, Record, shown
from devices.drivers.sorter_wsp.sending import DueAnswer
from devices.framing.wsp_values import Reason, Request
from devices.routes import Decision, RouteAnswer, RouteTable, choose, decide

# (milliseconds up to, counter): how long an answer took from the REQ's last byte to the wire.
LATENCY_STEPS: Final = ((1, "answers_in_1_ms"), (5, "answers_in_5_ms"), (20, "answers_in_20_ms"))
SLOWER: Final = "answers_slower"


class Answering(Protocol):
    """Where answers wait for the wire."""

    def answer(self, due: DueAnswer) -> None: ...


class ParcelDesk:
    """Decides once for each (pid, lap) and says the same ever after."""

    def __init__(
        self, routes: RouteTable, sending: Answering, server_reachable: Callable[[], bool], counters: Counter[str]
    ) -> None:
        self._routes = routes
        self._sending = sending
        self._server_reachable = server_reachable
        self._counters = counters
        self._answers = Answers()

    def codes_of(self, pid: int) -> tuple[str, ...] | None:
        """The codes of the parcel's last REQ; None if it never asked."""
        parcel = self._answers.parcel(pid)
        return None if parcel is None else parcel.codes()

    def hear(self, request: Request, run: int, not_open: frozenset[int], now: Moment) -> list[Deed]:
        """Take a REQ: queue its RES, or ask the server aside. `run` counts our sessions."""
        heard, parcel, asked = self._answers.hear(request, run)
        asked.heard_s, scanned_s = now.s, now.s - request.age_ms / 1000
        if heard is Heard.USED_TWICE:
            return self._used_twice(request, asked, scanned_s, now)
        if heard is Heard.DAMAGED:
            self._counters["requests_damaged"] += 1
        asked.scanned_s = scanned_s
        deeds: list[Deed] = []
        if asked.decision is None:
            asked.decision = self._decide(parcel, asked, request, not_open, now, deeds)
            if asked.decision is not None:
                deeds.append(_divert(request.pid, request.lap, asked))
        if asked.decision is not None:
            self._queue(request.pid, request.lap, asked.decision, request.seq, scanned_s, now)
        return deeds

    def server_answered(
        self, ask: Ask, answer: RouteAnswer | None, run: int, not_open: frozenset[int], now: Moment
    ) -> list[Deed]:
        """The server's word on a parcel; None: it could not say, so the next lap decides."""
        parcel = self._answers.parcel(ask.pid)
        if parcel is None or answer is None:
            return []
        parcel.server_said = (ask.codes, answer)
        asked = parcel.laps.get(ask.lap)
        if asked is None or asked.decision is not None or asked.codes != ask.codes:
            return []
        asked.decision = self._by_server(answer, not_open)
        asked_in_run, request_seq = asked.told_as
        if asked_in_run == run:
            self._queue(ask.pid, ask.lap, asked.decision, request_seq, asked.scanned_s, now)
        return [_divert(ask.pid, ask.lap, asked)]

    def left(self, due: DueAnswer, now: Moment) -> None:
        """An answer went out: count how long it took."""
        took_ms = (now.s - due.heard_s) * 1000
        name = next((name for limit_ms, name in LATENCY_STEPS if took_ms <= limit_ms), SLOWER)
        self._counters[name] += 1

    def _decide(
        self,
        parcel: Parcel,
        asked: Asked,
        request: Request,
        not_open: frozenset[int],
        now: Moment,
        deeds: list[Deed],
    ) -> Decision | None:
        made = decide(self._routes.current, asked.codes, not_open, now.s)
        if made.reason is not Reason.UNKNOWN:
            return made
        if parcel.server_said is not None and parcel.server_said[0] == asked.codes:
            return self._by_server(parcel.server_said[1], not_open)
        if request.lap > 0 or not self._server_reachable():
            return made
        if not parcel.server_asked:
            parcel.server_asked = True
            deeds.append(Ask(request.pid, request.lap, asked.codes))
        return None

    def _by_server(self, answer: RouteAnswer, not_open: frozenset[int]) -> Decision:
        snapshot = self._routes.current
        if answer.route is None:
            return Decision(0, None, Reason.UNKNOWN, snapshot.version)
        return choose(answer.route, snapshot, not_open)

    def _used_twice(self, request: Request, asked: Asked, scanned_s: float, now: Moment) -> list[Deed]:
        """The parcel number was given twice: reject this one, tell a person once, leave the first as it was."""
        made = Decision(0, None, Reason.PID, self._routes.current.version)
        self._queue(request.pid, request.lap, made, request.seq, scanned_s, now)
        if request.codes in asked.strangers:
            return []
        asked.strangers.add(request.codes)
        self._counters["pids_used_twice"] += 1
        codes = {"codes": shown(asked.codes), "codes_asked": shown(request.codes)}
        return [Record("double", {"pid": request.pid, "lap": request.lap, **codes, "why": "pid_used_twice"})]

    def _queue(self, pid: int, lap: int, decision: Decision, request_seq: int, scanned_s: float, now: Moment) -> None:
        self._sending.answer(DueAnswer(pid, lap, decision, request_seq, scanned_s, now.s))


def _divert(pid: int, lap: int, asked: Asked) -> Record:
    made = asked.decision
    assert made is not None
    facts: dict[str, object] = {
        "pid": pid,
        "lap": lap,
        "codes": shown(asked.codes),
        "chute": made.chute,
        "reason": made.reason.value,
        "version": made.table_version,
    }
    if made.alternate is not None:
        facts["alternate"] = made.alternate
    return Record("divert", facts)
