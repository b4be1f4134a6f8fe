"""The chutes and the line as the PLC reported them in this session; without a word all chutes are open."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from devices.drivers.sorter_wsp.deeds import Record
from devices.framing.wsp_values import ChuteReport, ChuteState, LineReport


@dataclass(slots=True)
class ChuteBoard:
    """States by chute. A late repeat of an older report never undoes a newer one."""

    not_open: frozenset[int] = frozenset()
    line: LineReport | None = None
    _reports: dict[int, ChuteReport] = field(default_factory=dict)
    _before: dict[int, ChuteReport] = field(default_factory=dict)

    def begin(self) -> None:
        """A new session: all chutes count as open until the line says otherwise."""
        self._before = {**self._before, **self._reports}
        self._reports = {}
        self.line = None if self.line is None else replace(self.line, seq=0)
        self._renew()

    def hear(self, report: ChuteReport) -> list[Record]:
        """Take a CHS; an event where it says something new."""
        last = self._reports.get(report.chute)
        if last is not None and report.seq <= last.seq:
            return []
        self._reports[report.chute] = report
        known = last or self._before.pop(report.chute, None)
        self._renew()
        if known is not None and (known.state, known.count) == (report.state, report.count):
            return []
        return [_event(report)]

    def hear_line(self, report: LineReport) -> list[Record]:
        """Take an STS; an event where it says something new."""
        last = self.line
        if last is not None and report.seq <= last.seq:
            return []
        self.line = report
        if last is not None and (last.state, last.speed_mm_s) == (report.state, report.speed_mm_s):
            return []
        return [Record("line", {"state": report.state.value, "speed_mm_s": report.speed_mm_s})]

    def replay_begins(self) -> list[Record]:
        """The line has named every chute that is not open: what was shut before and was not named is open again."""
        opened = [report for report in self._before.values() if report.state is not ChuteState.OPEN]
        self._before = {}
        return [_event(replace(report, state=ChuteState.OPEN)) for report in opened]

    def _renew(self) -> None:
        shut = (number for number, report in self._reports.items() if report.state is not ChuteState.OPEN)
        self.not_open = frozenset(shut)


def _event(report: ChuteReport) -> Record:
    return Record("chute", {"chute": report.chute, "state": report.state.value, "count": report.count})
