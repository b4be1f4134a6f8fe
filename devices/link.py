"""One signed, kept-alive connection to the server: the client's side of docs/reference/gateway.md.

Every call may be repeated: events carry their numbers, jobs and commands their ids. So a call that broke is sent again.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from devices.errors import ConfigError, GatewayError

ANSWER_BYTES_MAX = 268_435_456
DEFAULT_TIMEOUT_S = 5.0
PREFIX = "/gateway/v1"


class ServerAway(GatewayError):
    """No answer, or one that says "not now" (5xx, 429): go on without and try again."""


class ServerRefused(GatewayError):
    """The server understood and said no. `reason` is its stable code, `facts` what it knows of the matter."""

    def __init__(self, status: int, reason: str, message: str, facts: Mapping[str, object]) -> None:
        super().__init__(f"{reason}: {message}" if message else reason)
        self.status = status
        self.reason = reason
        self.facts = facts


@dataclass(frozen=True, slots=True)
class Key:
    """What pairing gave: who this gateway is, and the secret that proves it."""

    gateway: str
    secret: bytes
    url: str = ""


def sign(secret: bytes, method: str, target: str, time_s: str, nonce: str, body: bytes) -> str:
    """HMAC-SHA256 over method, path with query, time, nonce and the body's SHA-256, each on a line; lower hex."""
    message = "\n".join([method, target, time_s, nonce, hashlib.sha256(body).hexdigest()])
    return hmac.new(secret, message.encode(), hashlib.sha256).hexdigest()


class ServerClock:
    """The server's time as far as we know it. It only dates signatures: the station's own clock is never set by it."""

    def __init__(self, wall_s: Callable[[], float] = time.time) -> None:
        self._wall_s = wall_s
        self.offset_s = 0

    def now_s(self) -> int:
        return int(self._wall_s()) + self.offset_s

    def learn(self, server_s: int) -> None:
        self.offset_s = server_s - int(self._wall_s())


class Line:
    """One connection, used by one thread at a time; `abort` may be called by another to end a long poll."""

    def __init__(self, url: str, key: Key | None, clock: ServerClock, ca_file: Path | None = None) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port
        self._base = parts.path.rstrip("/") + PREFIX
        self._key = key
        self._clock = clock
        self._tls = ssl.create_default_context(cafile=ca_file) if parts.scheme == "https" else None
        self._connection: http.client.HTTPConnection | None = None
        self._aborted = False

    def get(self, path: str, timeout_s: float = DEFAULT_TIMEOUT_S) -> dict[str, object]:
        return self._call("GET", path, b"", timeout_s)

    def post(self, path: str, content: object, timeout_s: float = DEFAULT_TIMEOUT_S) -> dict[str, object]:
        body = json.dumps(content, separators=(",", ":")).encode("ascii")
        return self._call("POST", path, body, timeout_s)

    def abort(self) -> None:
        """End what is running now; the line is of no more use."""
        self._aborted = True
        connection = self._connection
        if connection is not None and connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return  # it had ended by itself

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    def _call(self, method: str, path: str, body: bytes, timeout_s: float) -> dict[str, object]:
        """The answer's object. Raises ServerAway or ServerRefused."""
        try:
            return self._once_or_on_a_fresh_connection(method, path, body, timeout_s)
        except ServerRefused as refusal:
            server_s = refusal.facts.get("server_time_s")
            if refusal.reason != "clock_wrong" or not isinstance(server_s, int):
                raise
            self._clock.learn(server_s)
        return self._once_or_on_a_fresh_connection(method, path, body, timeout_s)

    def _once_or_on_a_fresh_connection(
        self, method: str, path: str, body: bytes, timeout_s: float
    ) -> dict[str, object]:
        """A kept connection may have been closed by the server just now; that says nothing about the server."""
        kept = self._connection is not None
        try:
            return self._exchange(method, path, body, timeout_s)
        except ServerAway:
            if not kept or self._aborted:
                raise
        return self._exchange(method, path, body, timeout_s)

    def _exchange(self, method: str, path: str, body: bytes, timeout_s: float) -> dict[str, object]:
        if self._aborted:
            raise ServerAway("the gateway is stopping")
        target = self._base + path
        try:
            connection = self._connected(timeout_s)
            connection.request(method, target, body=body or None, headers=self._headers(method, target, body))
            answer = connection.getresponse()
            content = answer.read(ANSWER_BYTES_MAX)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.close()
            raise ServerAway(f"server does not answer: {str(error) or type(error).__name__}") from error
        return _read_answer(answer.status, content)

    def _connected(self, timeout_s: float) -> http.client.HTTPConnection:
        connection = self._connection
        if connection is None:
            if self._tls is not None:
                connection = http.client.HTTPSConnection(self._host, self._port, timeout=timeout_s, context=self._tls)
            else:
                connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s)
            connection.connect()
            connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._connection = connection
        if connection.sock is not None:
            connection.sock.settimeout(timeout_s)
        return connection

    def _headers(self, method: str, target: str, body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json"} if body else {}
        if self._key is None:
            return headers
        time_s, nonce = str(self._clock.now_s()), secrets.token_hex(16)
        signature = sign(self._key.secret, method, target, time_s, nonce, body)
        return {
            **headers,
            "X-Gateway": self._key.gateway,
            "X-Time": time_s,
            "X-Nonce": nonce,
            "X-Signature": signature,
        }


def _read_answer(status: int, content: bytes) -> dict[str, object]:
    try:
        answer = json.loads(content) if content else {}
    except ValueError as error:
        raise ServerAway(f"server answered {status} without JSON: is the url right?") from error
    if not isinstance(answer, dict):
        raise ServerAway(f"server answered {status} with JSON that is no object")
    if status == 200:
        return answer
    error_part = answer.get("error")
    found = error_part if isinstance(error_part, dict) else {}
    reason, message, facts = (
        str(found.get("reason", f"http_{status}")),
        str(found.get("message", "")),
        found.get("facts"),
    )
    if status >= 500 or status == 429:
        raise ServerAway(f"server answered {status}: {reason}")
    raise ServerRefused(status, reason, message, facts if isinstance(facts, dict) else {})


# --- pairing ----------------------------------------------------------------------------------------------------------


def pair(
    url: str, code: str, name: str, devices: list[dict[str, str]], ca_file: Path | None = None
) -> dict[str, object]:
    """Exchange a one-time code for a key: the server's answer. Raises ServerAway or ServerRefused."""
    line = Line(url, None, ServerClock(), ca_file)
    try:
        return line.post("/pair", {"code": code, "name": name, "devices": devices})
    finally:
        line.close()


def save_key(path: Path, url: str, answer: Mapping[str, object]) -> Key:
    """Write the key file, readable by its owner only. Raises ConfigError if the answer or the file is not sound."""
    key = _key_of({**answer, "url": url}, "the server's answer")
    fresh = path.with_name(path.name + ".new")
    kept = {name: answer.get(name) for name in ("gateway", "key", "warehouse", "station")}
    try:
        fresh.unlink(missing_ok=True)
        fresh.touch(mode=0o600)
        fresh.write_text(json.dumps({**kept, "url": url}) + "\n", encoding="ascii")
        fresh.replace(path)
    except OSError as error:
        raise ConfigError(f"key file {path} cannot be written: {error.strerror}") from error
    return key


def load_key(path: Path) -> Key:
    """Read the key file. Raises ConfigError that tells how to pair if there is none."""
    try:
        return _key_of(json.loads(path.read_text(encoding="ascii")), str(path))
    except FileNotFoundError as error:
        raise ConfigError(
            f"not paired: no key at {path}; get a code at the control terminal and run: wms-devices pair CODE URL"
        ) from error
    except (OSError, ValueError) as error:
        raise ConfigError(f"key file {path} cannot be read: {error}") from error


def _key_of(found: object, source: str) -> Key:
    if not isinstance(found, Mapping) or not found.get("gateway"):
        raise ConfigError(f"{source} names no gateway")
    try:
        secret = bytes.fromhex(str(found.get("key", "")))
    except ValueError as error:
        raise ConfigError(f"{source} holds no sound key") from error
    if len(secret) != 32:
        raise ConfigError(f"{source} holds a key of {len(secret)} bytes instead of 32")
    return Key(gateway=str(found["gateway"]), secret=secret, url=str(found.get("url", "")))


class Reach:
    """Whether the server was there at the last call of any line, and what it said if not."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.reachable = False
        self.trouble = "not tried yet"

    def went_through(self) -> None:
        with self._lock:
            self.reachable, self.trouble = True, ""

    def failed(self, error: GatewayError) -> None:
        """Away, or there but refusing us: either way what we ask for does not come."""
        with self._lock:
            self.reachable, self.trouble = False, str(error)
