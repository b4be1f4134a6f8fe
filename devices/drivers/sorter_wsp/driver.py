"""The driver of a WSP/1 sorting line: one thread that reads the wire, lets the session think, and paces what it says.

What others bring (commits, the server's answers, orders for chutes) comes through `doing`, between two reads.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Final

from devices.driver import Context
from devices.drivers.sorter_wsp.bookings import BOOKED_MAX, Bookings
from devices.drivers.sorter_wsp.doing import AWAITING_S
from devices.drivers.sorter_wsp.session import SorterSession
from devices.drivers.sorting_line import BAUD_MIN, SortingLine
from devices.errors import ConfigError
from devices.framing.wsp import NODE_CHARACTERS_MAX
from devices.options import read_options, require
from devices.transport.address import Address, parse_address

if TYPE_CHECKING:
    from devices.transport import Transport

READ_BYTES_MAX: Final = 4096
WRITE_DEADLINE_S: Final = 1.0
BITS_PER_BYTE: Final = 10
# The next frame is handed over this long before the wire is free: less than a frame, enough to leave no gap.
LEAD_S: Final = 0.001
IDLE_S: Final = 0.05


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


class WspSorter(SortingLine["Transport", SorterSession]):
    """A sorting line that speaks WSP/1 over a serial port or TCP."""

    kind: ClassVar[str] = "sorter_wsp"
    silent: ClassVar[str] = "the line does not answer"

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(SorterOptions, options)
        _seconds_per_byte(parse_address(str(options.get("url", ""))))

    def __init__(self, context: Context) -> None:
        options = read_options(SorterOptions, context.options)
        self._byte_s = _seconds_per_byte(parse_address(str(context.options.get("url", ""))))
        self._wire_free_s = 0.0
        session = SorterSession(
            node=options.node,
            boot=secrets.token_hex(4).upper(),
            routes=context.routes,
            window_ms=options.window_ms,
            server_reachable=context.server_reachable,
            bookings=Bookings(context.kept("cfm", BOOKED_MAX)),
        )
        super().__init__(context, session)

    def _open_wire(self) -> Transport:
        self._wire_free_s = 0.0
        return self._context.open_transport()

    def _turn(self, transport: Transport) -> None:
        received = transport.read(READ_BYTES_MAX, self._patience_s())
        now = self._moment()
        if received:
            self._session.receive(received, now)
        self._doer.empty_box()
        self._session.due(now)
        self._send(transport)
        self._doer.do_all(self._session.take_deeds())

    def _patience_s(self) -> float:
        """How long to wait for the wire before something else needs a look."""
        now = self._moment()
        if self._doer.has_news:
            return 0.0
        waits = [AWAITING_S if self._doer.awaited else IDLE_S, self._session.wake_s() - now.s]
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
