"""Is this call from that gateway, now, for the first time? HMAC-SHA256 over method, path, time, nonce and body."""

from __future__ import annotations

import hashlib
import hmac
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass

from wms.core.clock import WallClock
from wms.core.refusal import Reason, Refused

CLOCK_OFF_S_MAX = 300
NONCE_KEPT_S = 600
NONCES_MAX = 200_000
NUMBER_DIGITS_MAX = 18


@dataclass(frozen=True, slots=True)
class Signed:
    """A call's signed parts as they came."""

    method: str
    path: str
    time_s: str
    nonce: str
    body: bytes
    signature: str


def is_number(text: str) -> bool:
    """Decimal digits that fit a database's number."""
    return text.isascii() and text.isdecimal() and len(text) <= NUMBER_DIGITS_MAX


def signature(key_hex: str, call: Signed) -> str:
    """Lower-case hex of the HMAC; `path` is with its query."""
    body_hash = hashlib.sha256(call.body).hexdigest()
    text = "\n".join([call.method, call.path, call.time_s, call.nonce, body_hash])
    return hmac.new(bytes.fromhex(key_hex), text.encode(), hashlib.sha256).hexdigest()


class Nonces:
    """Nonces seen in the last ten minutes, bounded. One list a process: what several processes see twice is harmless,
    because events carry sequence numbers and every command is done once by its id."""

    def __init__(self) -> None:
        self._seen: OrderedDict[tuple[int, str], float] = OrderedDict()
        self._lock = threading.Lock()

    def first_time(self, gateway_id: int, nonce: str) -> bool:
        now = time.monotonic()
        with self._lock:
            while self._seen and (
                len(self._seen) >= NONCES_MAX or next(iter(self._seen.values())) < now - NONCE_KEPT_S
            ):
                self._seen.popitem(last=False)
            if (gateway_id, nonce) in self._seen:
                return False
            self._seen[gateway_id, nonce] = now
            return True


def check(call: Signed, gateway_id: int, key_hex: str, nonces: Nonces) -> None:
    """Raises CLOCK_WRONG (a signed call whose clock is off: it is told the time), SIGNATURE_WRONG, NONCE_REUSED."""
    if not hmac.compare_digest(signature(key_hex, call).encode(), call.signature.encode()):
        raise Refused(Reason.SIGNATURE_WRONG)
    now_s = int(WallClock().now().timestamp())
    if not is_number(call.time_s) or abs(int(call.time_s) - now_s) > CLOCK_OFF_S_MAX:
        raise Refused(Reason.CLOCK_WRONG, server_time_s=now_s)
    if len(call.nonce) != 32 or not nonces.first_time(gateway_id, call.nonce):
        raise Refused(Reason.NONCE_REUSED)
