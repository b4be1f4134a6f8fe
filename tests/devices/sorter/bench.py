"""A gateway session on the bench: telegrams in by hand, telegrams out as lists, time as it is told.

The frames are made and read by the simulated line's own framing, not by the gateway's.
"""

from __future__ import annotations

from collections.abc import Mapping

from devices.drivers.sorter_wsp.bookings import Bookings
from devices.drivers.sorter_wsp.deeds import Ask, Moment, Record
from devices.drivers.sorter_wsp.session import SorterSession
from devices.routes import RouteTable
from devices.simulators.sorter_wire import Ear, FieldValue, build

SESSION = 4401
PLC_BOOT = "9F31C2A7"
OUR_BOOT = "5D0C91AE"
UNIX_MS = 1_790_000_000_000


def table(**chutes: str) -> RouteTable:
    """A table that needs no refreshing: `table(A="5/6,7")`; an overflow is named `overflow`."""
    routes = RouteTable(valid_s=1e9)
    overflow = chutes.pop("overflow", None)
    changes = [
        {"code": code, **dict(zip(("chute", "alternate"), row.split(","), strict=False))}
        for code, row in chutes.items()
    ]
    routes.apply({"version": 812, "full": True, "changes": changes, "overflow": overflow}, 0.0)
    return routes


class Bench:
    """One session with a PLC made of our own hands."""

    def __init__(
        self,
        routes: RouteTable | None = None,
        *,
        reachable: bool = False,
        kept: list[Mapping[str, object]] | None = None,
    ) -> None:
        self.routes = routes or table(SF1="17,18")
        self.reachable = reachable
        self.now_s = 100.0
        self.clock_ms = UNIX_MS
        self.records: list[Record] = []
        self.asks: list[Ask] = []
        self.seq = 0
        self.session = SorterSession(
            node="GW1",
            boot=OUR_BOOT,
            routes=self.routes,
            window_ms=300,
            server_reachable=lambda: self.reachable,
            bookings=Bookings(kept or []),
        )
        self.session.opened(self.moment())

    def alive(self) -> bool:
        """True while there is a session."""
        return self.session.running

    def moment(self) -> Moment:
        return Moment(self.now_s, self.clock_ms)

    def begin(self, session: int = SESSION) -> None:
        """A session is begun and all courtesies are over."""
        self.out()
        self.seq = 1
        self.hear("HLO", 1, session, "WSP/1", "PLC1", PLC_BOOT, 0, UNIX_MS)
        self.out()

    def hear(self, kind: str, seq: int, session: int, *fields: FieldValue) -> None:
        """The PLC says exactly this."""
        self.hear_bytes(build(kind, seq, session, *fields))

    def say(self, kind: str, *fields: FieldValue) -> int:
        """The PLC says this in its running session with its next number, which is returned."""
        self.seq += 1
        self.hear(kind, self.seq, SESSION, *fields)
        return self.seq

    def hear_bytes(self, content: bytes) -> None:
        self.session.receive(content, self.moment())
        self._collect()

    def wait(self, seconds: float) -> None:
        """Time passes; the timers run."""
        self.now_s += seconds
        self.clock_ms += round(seconds * 1000)
        self.session.due(self.moment())
        self._collect()

    def out(self) -> list[list[str]]:
        """Everything the gateway says now, in order: [type, seq, session, fields...]."""
        self.session.due(self.moment())
        return Ear().listen(b"".join(self.frames()))

    def frames(self) -> list[bytes]:
        frames = []
        while (whole := self.session.next_frame(self.moment())) is not None:
            frames.append(whole)
        self._collect()
        return frames

    def request(self, pid: int, codes: tuple[str, ...], lap: int = 0, age_ms: int = 4, seq: int | None = None) -> int:
        """A REQ; with `seq`, a repeat."""
        fields: tuple[FieldValue, ...] = (pid, 1, 12, codes, (), None, None, None, None, lap, age_ms)
        if seq is None:
            return self.say("REQ", *fields)
        self.hear("REQ", seq, SESSION, *fields)
        return seq

    def confirm(self, pid: int, codes: tuple[str, ...], chute: int | None, result: str) -> int:
        return self.say("CFM", pid, codes, chute, result, 12, UNIX_MS)

    def commit(self) -> None:
        """Everything given to the outbox is on disk."""
        for record in self.take_records():
            if record.key:
                self.session.recorded(record.key)

    def fail_to_commit(self) -> None:
        """The disk is full."""
        for record in self.take_records():
            if record.key:
                self.session.unrecorded(record.key, self.moment())

    def take_records(self) -> list[Record]:
        records, self.records = self.records, []
        return records

    def facts(self, kind: str) -> list[Mapping[str, object]]:
        """Facts of the events of one kind not yet committed."""
        return [record.facts for record in self.records if record.kind == kind]

    def _collect(self) -> None:
        for deed in self.session.take_deeds():
            if isinstance(deed, Ask):
                self.asks.append(deed)
            else:
                self.records.append(deed)
