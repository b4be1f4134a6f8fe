"""A PDA as the page is one: logs in over HTTP, scans with ids of its own, and goes on by itself while there is no
network.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlsplit

from wms.core.clock import WallClock

TIMEOUT_S = 60.0
TRIES_MAX = 5
KEPT_MAX = 500

Envelope = dict[str, Any]
DEVICE_CLOCK = WallClock()


def _device_ms() -> int:
    """The device's own clock, in milliseconds since 1970."""
    return int(DEVICE_CLOCK.now().timestamp() * 1000)


class Refused(Exception):
    """The server said no to a whole request (not a scan): log-in wrong, session over."""


@dataclass(slots=True)
class Stored:
    """A scan made without network, to be sent in order under its own id."""

    id: str
    code: str
    at_ms: int


@dataclass(slots=True)
class Pda:
    """One device in one hand. `envelope` is what its screen shows."""

    url: str
    device: str
    envelope: Envelope = field(default_factory=dict)
    scans: int = 0
    conflicts: int = 0
    latencies_s: list[float] = field(default_factory=list)
    _cookies: dict[str, str] = field(default_factory=dict)
    _connection: http.client.HTTPConnection | None = None
    _stored: list[Stored] = field(default_factory=list)
    _offline: bool = False

    def log_in(self, badge: str, pin: str, station: str = "") -> None:
        """Badge and PIN. Raises Refused."""
        body = {"device": self.device, "badge": badge, "pin": pin, **({"station": station} if station else {})}
        self.envelope = self._call("POST", "/pda/login", body)

    def look(self) -> Envelope:
        """What the screen shows now, also when a station's own scanner moved it on."""
        self.envelope = self._call("GET", "/pda/state", None)
        return self.envelope

    def wait(self, version: int, wait_s: float) -> Envelope:
        """Look until the screen is another than `version`, at most `wait_s`."""
        self.envelope = self._call("GET", f"/pda/state?since={version}&wait_s={wait_s:g}", None)
        return self.envelope

    def scan(self, code: str) -> Envelope:
        """One pull of the trigger. Without network the scan is kept, and the screen goes on by what lies ahead."""
        self.scans += 1
        made = Stored(secrets.token_hex(16), code, _device_ms())
        if self._offline:
            return self._scan_offline(made)
        return self._send(made)

    def act(self, action: str, value: str = "") -> Envelope:
        """A key, a tap or a number typed."""
        body = {"id": secrets.token_hex(16), "action": action, "value": value, "at_ms": _device_ms()}
        self.envelope = self._call("POST", "/pda/action", body)
        return self.envelope

    # --- without network

    def lose_network(self) -> None:
        self._offline = True

    def look_ahead(self) -> int:
        """Fetch what lies ahead, as the page does when the hand rests; how many steps are known."""
        self.envelope["ahead"] = self._call("GET", "/pda/ahead", None)["ahead"]
        return len(self.envelope["ahead"])

    def can_go_on(self) -> bool:
        """Whether the next scan is known without the server."""
        return bool(self.envelope.get("ahead"))

    def find_network(self) -> int:
        """Back: what was kept is sent in order; the number sent. The server's answers win over what was guessed."""
        self._offline = False
        kept, self._stored = self._stored, []
        for one in kept:
            self._send(one, kept=True)
            if self.message_level in ("wrong", "intercepted"):
                self.conflicts += 1
        return len(kept)

    def _scan_offline(self, made: Stored) -> Envelope:
        assert len(self._stored) < KEPT_MAX, "a PDA keeps at most 500 scans"
        step = self.envelope["ahead"][0]
        assert made.code in step["accepts"], f"{made.code} is not what the screen asks for"
        self._stored.append(made)
        ahead = self.envelope["ahead"][1:]
        self.envelope = {**self.envelope, "screen": step["screen"], "message": step["message"], "ahead": ahead}
        return self.envelope

    # --- the wire

    @property
    def message_level(self) -> str:
        message = self.envelope.get("message")
        return str(message["level"]) if message else ""

    def _send(self, made: Stored, *, kept: bool = False) -> Envelope:
        began_s = time.monotonic()
        body = {"id": made.id, "code": made.code, "at_ms": made.at_ms, "work": self.envelope.get("work"), "kept": kept}
        self.envelope = self._call("POST", "/pda/scan", body)
        self.latencies_s.append(time.monotonic() - began_s)
        return self.envelope

    def _call(self, method: str, path: str, body: dict[str, Any] | None) -> Envelope:
        """One request; a lost connection or a busy server is tried again with the same content."""
        for attempt in range(1, TRIES_MAX + 1):
            try:
                status, answer = self._once(method, path, body)
            except (OSError, http.client.HTTPException):
                self._connection = None
                if attempt == TRIES_MAX:
                    raise
                time.sleep(0.2 * attempt)
                continue
            if status != 503:
                break
            time.sleep(0.2 * attempt)
        if status >= 400:
            raise Refused(f"{method} {path}: {status} {answer.get('error', {}).get('message', answer)}")
        return answer

    def _once(self, method: str, path: str, body: dict[str, Any] | None) -> tuple[int, dict[str, Any]]:
        if self._connection is None:
            self._connection = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=TIMEOUT_S)
        headers = {"Content-Type": "application/json", "X-CSRF": self._cookies.get("csrf", "")}
        if self._cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        response = self._connection.getresponse()
        content = response.read()
        for line in response.headers.get_all("Set-Cookie") or []:
            self._cookies.update({name: morsel.value for name, morsel in SimpleCookie(line).items()})
        answer: dict[str, Any] = json.loads(content) if content else {}
        return response.status, answer
