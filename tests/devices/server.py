"""A small real server that speaks the gateways' link, checks every signature, and dies or refuses on demand."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from devices.link import sign

KEY = "6b8f1d0c5e2a49f7b3c4d5e6f708192a3b4c5d6e7f8091a2b3c4d5e6f7081920"
CODE = "K7M2-9QXT"
GATEWAY = "7"
PREFIX = "/gateway/v1"
CLOCK_OFF_S_MAX = 300

Answer = tuple[int, dict[str, Any]]


def no(status: int, reason: str, **facts: Any) -> Answer:
    return status, {"error": {"reason": reason, "message": reason.replace("_", " "), "facts": facts}}


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Gateways are killed in the middle of a call here; that is the test, not an error."""


class StationServer:
    """Keeps what gateways tell it. All fields may be read and set by a test."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self._tls = tls
        self.events: list[dict[str, Any]] = []
        self.high_water = 0
        self.commands: list[dict[str, Any]] = []
        self.health: list[dict[str, Any]] = []
        self.health_times_s: list[float] = []
        self.routes: dict[str, Any] = {"version": 0, "full": False, "changes": [], "overflow": None}
        self.known: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.clock_offset_s = 0
        self.refuse: Answer | None = None
        self.lose_answers = 0
        self.pushes = 0
        self.polls_inside = 0
        self.polls_in_vain = 0
        self.wrong: list[str] = []
        self._nonces: set[str] = set()
        self._changed = threading.Condition()
        self._port = 0
        self._http: ThreadingHTTPServer | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Open the doors, on the port of before if there was one."""
        http = _QuietServer(("127.0.0.1", self._port), _handler(self))
        http.daemon_threads = True
        if self._tls is not None:
            http.socket = self._tls.wrap_socket(http.socket, server_side=True)
        self._port = http.server_address[1]
        self._http = http
        threading.Thread(target=http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def stop(self) -> None:
        """Close the doors; who is inside a long poll is sent away."""
        http, self._http = self._http, None
        if http is not None:
            http.shutdown()
            http.server_close()
        with self._changed:
            self._changed.notify_all()

    @property
    def open(self) -> bool:
        return self._http is not None

    def order(self, command: dict[str, Any]) -> None:
        """Offer a command until the gateway has reported it."""
        with self._changed:
            self.commands.append(command)
            self._changed.notify_all()

    def publish(self, routes: dict[str, Any]) -> None:
        with self._changed:
            self.routes = routes
            self._changed.notify_all()

    def of_kind(self, kind: str) -> list[dict[str, Any]]:
        with self._changed:
            return [event for event in self.events if event["kind"] == kind]

    def states_of(self, job: str) -> list[str]:
        return [event["facts"]["state"] for event in self.of_kind("print") if event["facts"]["job"] == job]

    # --- the calls ----------------------------------------------------------------------------------------------------

    def answer(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
        parts = urlsplit(target)
        path = parts.path.removeprefix(PREFIX)
        if path == "/pair":
            return self._pair(json.loads(body))
        refusal = self.refuse or self._check(method, target, headers, body)
        if refusal is not None:
            return refusal
        content = json.loads(body) if body else {}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        calls = {
            ("POST", "/events"): lambda: self._events(content),
            ("POST", "/health"): lambda: self._health(content),
            ("GET", "/commands"): lambda: self._commands(float(query["wait_s"])),
            ("GET", "/routes"): lambda: self._routes(int(query["since"]), float(query["wait_s"])),
            ("POST", "/ask"): lambda: self._ask(content),
        }
        call = calls.get((method, path))
        return call() if call is not None else no(404, "not_found")

    def _pair(self, content: dict[str, Any]) -> Answer:
        if content["code"] != CODE:
            return no(401, "pairing_code_wrong")
        answer = {"gateway": int(GATEWAY), "key": KEY, "warehouse": "HZ1", "station": "PACK-01"}
        return 200, {**answer, "server_time_s": int(time.time())}

    def _check(self, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer | None:
        nonce, time_s = headers["X-Nonce"], headers["X-Time"]
        expected = sign(bytes.fromhex(KEY), method, target, time_s, nonce, body)
        if headers["X-Gateway"] != GATEWAY or headers["X-Signature"] != expected:
            self.wrong.append(f"signature of {method} {target}")
            return no(401, "signature_wrong")
        server_s = int(time.time()) + self.clock_offset_s
        if abs(int(time_s) - server_s) > CLOCK_OFF_S_MAX:
            return no(401, "clock_wrong", server_time_s=server_s)
        if nonce in self._nonces:
            self.wrong.append(f"nonce {nonce} came twice")
            return no(401, "nonce_reused")
        self._nonces.add(nonce)
        return None

    def _events(self, content: dict[str, Any]) -> Answer:
        with self._changed:
            self.pushes += 1
            events = content["events"]
            numbers = [event["seq"] for event in events]
            if numbers != list(range(content["first"], content["last"] + 1)) or len(events) > 200:
                self.wrong.append(f"events {numbers} pushed as {content['first']} to {content['last']}")
            if events and content["first"] > self.high_water + 1:
                return no(409, "event_gap", expected=self.high_water + 1)
            fresh = [event for event in events if event["seq"] > self.high_water]
            self.events += fresh
            self.high_water = max(self.high_water, *numbers) if numbers else self.high_water
            self._changed.notify_all()
            return 200, {"high_water": self.high_water}

    def _health(self, content: dict[str, Any]) -> Answer:
        with self._changed:
            self.health = content["devices"]
            self.health_times_s.append(time.monotonic())
        return 200, {}

    def _reported(self) -> set[str]:
        reported = {str(event["facts"]["job"]) for event in self.events if event["kind"] == "print"}
        return reported | {str(event["facts"]["id"]) for event in self.events if event["kind"] == "command"}

    def _open_commands(self) -> list[dict[str, Any]]:
        reported = self._reported()
        return [
            command
            for command in self.commands
            if command["id"] not in reported and str(command["facts"].get("job")) not in reported
        ]

    def _commands(self, wait_s: float) -> Answer:
        with self._changed:
            self.polls_inside += 1
            came = self._changed.wait_for(lambda: bool(self._open_commands()) or not self.open, wait_s)
            self.polls_inside -= 1
            self.polls_in_vain += not came
            return 200, {"commands": self._open_commands() if self.open else []}

    def _routes(self, since: int, wait_s: float) -> Answer:
        with self._changed:
            self._changed.wait_for(lambda: self.routes["version"] != since or not self.open, wait_s)
            if self.routes["version"] == since:
                return 200, {"version": since, "full": False, "changes": [], "overflow": self.routes["overflow"]}
            return 200, self.routes

    def _ask(self, content: dict[str, Any]) -> Answer:
        with self._changed:
            self.asked.append(content)
            found = next((self.known[code] for code in content["codes"] if code in self.known), None)
            return 200, {"known": True, **found} if found else {"known": False}


def _handler(server: StationServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 30

        def do_GET(self) -> None:
            self._do()

        def do_POST(self) -> None:
            self._do()

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length", "0"))
            body = self.rfile.read(length)
            if len(body) < length:  # killed in the middle of its call
                self.close_connection = True
                return
            status, answer = server.answer(self.command, self.path, dict(self.headers.items()), body)
            if not server.open:
                self.close_connection = True
                return
            if server.lose_answers and self.path.endswith("/events"):
                # The work is done, the answer is not heard: what a broken network does.
                server.lose_answers -= 1
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Server-Time", str(int(time.time()) + server.clock_offset_s))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Quiet."""

    return Handler


def print_command(job: str, content: bytes, device: str = "printer1", language: str = "escpos") -> dict[str, Any]:
    """A `print` command as the server sends it."""
    facts = {
        "job": job,
        "document": "waybill",
        "media": "100x180",
        "language": language,
        "bytes_b64": base64.b64encode(content).decode(),
        "sha256": hashlib.sha256(content).hexdigest(),
        "copies": 1,
        "reprint": 0,
    }
    return {"id": f"print:{job}", "device": device, "kind": "print", "facts": facts}
