"""How a label ends that no answer proves: hang up in order, and listen until the printer hangs up too.

A machine closes its end once it has read everything and found the end behind it; if something is left unread, or the
machine was reset, its TCP answers with a reset instead. So an orderly close shows that the printer has the whole label,
however late it comes; silence shows nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from devices.errors import DeviceError, HungUp
from devices.transport import Transport

# A wire on which nobody can say goodbye, or a printer on trust, is watched this long; what breaks later is not seen.
WATCH_S: Final = 0.5
STEP_S: Final = 0.05
ANSWER_BYTES: Final = 256


def hang_up_in_order(
    wire: Transport, *, stuck_s: float, close_s: float, now_s: Callable[[], float], stopping: Callable[[], bool]
) -> bool:
    """True: the printer took every byte and closed after us. False: all we know is that the bytes left.

    `close_s` is how long it may keep the connection open after it took something. Raises DeviceError if the wire broke
    or the printer took nothing for `stuck_s` with bytes still to take.
    """
    says_end = wire.end_writing()
    silence_s = close_s if says_end else min(close_s, WATCH_S)
    untaken, moved_s = wire.untaken_bytes(), now_s()
    while not stopping():
        closed = _closed_after(wire, STEP_S)
        before, untaken = untaken, wire.untaken_bytes()
        if closed and not untaken:
            return says_end
        if untaken != before:
            moved_s = now_s()
        waited_s = now_s() - moved_s
        if untaken and waited_s >= stuck_s:
            raise DeviceError(f"{wire.url} took no bytes for {stuck_s:g} s")
        if not untaken and waited_s >= silence_s:
            return False
    return False


def _closed_after(wire: Transport, wait_s: float) -> bool:
    try:
        wire.read(ANSWER_BYTES, wait_s)
    except HungUp:
        time.sleep(wait_s)  # closed, but it may still have to acknowledge; reading a closed end does not wait
        return True
    return False
