"""Confirmations are booked once for each parcel number, however often and in however many sessions they come.

The first that comes is an event `cfm`; a different one later is an event `double`. Both are acknowledged only after
their commit. Holds the last `BOOKED_MAX` parcels as a number and a fingerprint each.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from typing import Final
from zlib import crc32

from devices.drivers.sorter_wsp.deeds import Record, shown
from devices.framing.wsp_values import Confirmation

BOOKED_MAX: Final = 500_000


def fingerprint(codes: Iterable[str], chute: object, result: str) -> int:
    """What makes two confirmations of one parcel the same: codes as shown, chute, result; not carrier and time."""
    return crc32(repr((list(codes), chute, str(result))).encode())


class Bookings:
    """What was booked and what waits for its commit."""

    def __init__(self, kept: Iterable[Mapping[str, object]] = ()) -> None:
        """`kept`: facts of the `cfm` events already in the outbox, oldest first."""
        self._booked: OrderedDict[int, int] = OrderedDict()
        self._doubles: OrderedDict[tuple[int, int], None] = OrderedDict()
        self._waiting: dict[str, list[tuple[int, int]]] = {}
        for facts in kept:
            codes = facts.get("codes")
            told = fingerprint(codes if isinstance(codes, list) else [], facts.get("chute"), str(facts.get("result")))
            self._remember(int(str(facts["pid"])), told)

    def take(self, confirmation: Confirmation, codes: tuple[str, ...] | None, name: tuple[int, int]) -> list[Record]:
        """What must be stored for `confirmation` now; nothing if it is known.

        `codes`: those of the parcel's REQ, None if it was never seen. `name`: session run and seq, to acknowledge.
        """
        pid = confirmation.pid
        told = fingerprint(shown(confirmation.codes), confirmation.chute, confirmation.result)
        key = f"{pid} {told}"
        if key in self._waiting:
            self._waiting[key].append(name)
            return []
        if self._booked.get(pid) == told or (pid, told) in self._doubles:
            return []
        self._waiting[key] = [name]
        if pid in self._booked:
            return [Record("double", {**_facts(confirmation, codes), "why": "confirmed_differently"}, key)]
        self._remember(pid, told)
        return [Record("cfm", _facts(confirmation, codes), key), *_codes_differ(confirmation, codes)]

    def waits(self, confirmation: Confirmation) -> bool:
        """True while `confirmation` is not on disk."""
        told = fingerprint(shown(confirmation.codes), confirmation.chute, confirmation.result)
        return f"{confirmation.pid} {told}" in self._waiting

    def open_keys(self) -> frozenset[str]:
        """What is not yet on disk."""
        return frozenset(self._waiting)

    def committed(self, key: str) -> list[tuple[int, int]]:
        """`key` is on disk: the names to acknowledge."""
        pid, told = (int(part) for part in key.split())
        if self._booked.get(pid) != told:
            self._doubles[pid, told] = None
            if len(self._doubles) > BOOKED_MAX:
                self._doubles.popitem(last=False)
        return self._waiting.pop(key, [])

    def failed(self, key: str) -> list[tuple[int, int]]:
        """`key` could not be stored: the names to refuse as BUSY. The next repeat is taken as new."""
        pid, told = (int(part) for part in key.split())
        if self._booked.get(pid) == told:
            del self._booked[pid]
        return self._waiting.pop(key, [])

    def _remember(self, pid: int, told: int) -> None:
        self._booked[pid] = told
        if len(self._booked) > BOOKED_MAX:
            self._booked.popitem(last=False)


def _facts(confirmation: Confirmation, codes: tuple[str, ...] | None) -> dict[str, object]:
    facts: dict[str, object] = {
        "pid": confirmation.pid,
        "codes": shown(confirmation.codes if codes is None else codes),
        "chute": confirmation.chute,
        "result": confirmation.result.value,
    }
    if confirmation.carrier is not None:
        facts["carrier"] = confirmation.carrier
    if confirmation.time_ms is not None:
        facts["time_ms"] = confirmation.time_ms
    return facts


def _codes_differ(confirmation: Confirmation, codes: tuple[str, ...] | None) -> list[Record]:
    if codes is None or codes == confirmation.codes:
        return []
    facts = {"pid": confirmation.pid, "codes": shown(codes), "codes_confirmed": shown(confirmation.codes)}
    return [Record("double", {**facts, "why": "codes_differ"})]
