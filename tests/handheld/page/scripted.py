"""A small real HTTP server that serves the page's own files and plays scripted envelopes.

It is the far side of the contract, not a copy of the product: it remembers answers by id, as the product does, and it
can be slow, busy, cut off, or deaf after it has already written (the worst moment a network can choose).
"""

from __future__ import annotations

import json
import socket
import threading
import time
import tomllib
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

Json = dict[str, Any]
Script = Callable[[str, Json], Json]

ROOM = Path(__file__).parents[3] / "wms" / "handheld"
POLICY = "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'"
KINDS = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".html": "text/html; charset=utf-8"}
WATCH_S = 20.0
PAGES = {"/pda/": "pda.html", "/pda/selftest": "selftest.html"}


class Refuses(Exception):
    """The script answers with an error envelope."""

    def __init__(self, status: int, reason: str, message: str, **facts: Any) -> None:
        super().__init__(reason)
        self.status = status
        self.error = {"reason": reason, "message": message, "facts": facts}


class Floor:
    """What the server knows and how it behaves. A test sets these and reads `heard`."""

    def __init__(self) -> None:
        self.logged_in = True
        self.script: Script = lambda path, body: {}
        self.state: Callable[[], Json] = dict
        self.ahead: Callable[[], Json] = dict  # what GET /pda/ahead tells
        self.delay_s = 0.0
        self.network = "up"  # up | cut: hangs up before reading | deaf: acts, then hangs up | busy: 503
        self.heard: list[tuple[str, Json]] = []  # every call, repeats too
        self.done: dict[str, Json] = {}  # the answer by id: a repeated id is answered alike
        self.acted: list[Json] = []  # what was really done, once each, in order
        self.csrf_seen: set[str] = set()
        self.open = True
        self.turn = threading.Lock()

    def codes(self) -> list[str]:
        """The codes acted on, in order."""
        return [body["code"] for body in self.acted if "code" in body]

    def unchanged(self, since: str) -> bool:
        """Is there nothing to tell a page that waits for a change?"""
        up = self.open and self.logged_in and self.network != "cut"
        return up and str(self.state().get("work", {}).get("version")) == since

    def answer(self, path: str, body: Json) -> Json:
        with self.turn:
            self.heard.append((path, body))
            if body.get("id") in self.done:
                return self.done[body["id"]]
            answered = self.script(path, body)
            self.acted.append(body)
            if "id" in body:
                self.done[body["id"]] = answered
            return answered


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1  # head and body leave together
    floor: ClassVar[Floor]

    def log_message(self, format: str, *args: object) -> None:
        """Quiet: pytest's output is for failures."""

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        if url.path in PAGES:
            return self.file(ROOM / "templates" / PAGES[url.path])
        if url.path.startswith("/pda/static/"):
            return self.file(ROOM / "static" / url.path.removeprefix("/pda/static/"))
        if self.cut():
            return None
        if url.path == "/pda/texts":
            return self.reply(200, texts(parse_qs(url.query)["language"][0]))
        if url.path == "/pda/state":
            return self.state(parse_qs(url.query).get("since", [""])[0])
        if url.path == "/pda/ahead":
            return self.reply(200, self.floor.ahead())
        return self.reply(404, {"error": {"reason": "not_found", "message": "", "facts": {}}})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.floor.csrf_seen.add(self.headers.get("X-CSRF", ""))
        path = urlsplit(self.path).path.removeprefix("/pda/")
        if self.cut():
            return None
        if self.floor.network == "busy":
            return self.reply(503, {"error": {"reason": "busy", "message": "", "facts": {}}})
        if not self.floor.logged_in and path != "login":
            return self.reply(401, {"error": {"reason": "not_logged_in", "message": "", "facts": {}}})
        time.sleep(self.floor.delay_s)
        try:
            answered = self.floor.answer(path, body)
        except Refuses as no:
            return self.reply(no.status, {"error": no.error})
        if path == "login":
            self.floor.logged_in = True
        if self.floor.network == "deaf":
            return self.hang_up()
        return self.reply(200, answered)

    def state(self, since: str = "") -> None:
        """Where the work stands; with `since` not before its version is another one or 20 s are over."""
        until = time.monotonic() + WATCH_S
        while since and self.floor.unchanged(since) and time.monotonic() < until:
            time.sleep(0.02)
        if self.cut():
            return None
        if self.floor.network == "busy":
            return self.reply(503, {"error": {"reason": "busy", "message": "", "facts": {}}})
        if not self.floor.logged_in:
            return self.reply(401, {"error": {"reason": "not_logged_in", "message": "", "facts": {}}})
        return self.reply(200, self.floor.state())

    def cut(self) -> bool:
        if self.floor.network == "cut":
            self.hang_up()
        return self.floor.network == "cut"

    def hang_up(self) -> None:
        self.close_connection = True
        with suppress(OSError):  # the browser may have hung up first; gone is gone
            self.connection.shutdown(socket.SHUT_RDWR)

    def file(self, path: Path) -> None:
        if not path.is_file():
            return self.reply(404, {})
        return self.send(200, path.read_bytes(), KINDS.get(path.suffix, "text/plain"))

    def reply(self, status: int, body: Json) -> None:
        self.send(status, json.dumps(body).encode(), "application/json")

    def send(self, status: int, body: bytes, kind: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Set-Cookie", "csrf=token-of-the-test; Path=/pda; SameSite=Strict")
        self.end_headers()
        self.wfile.write(body)


def texts(language: str) -> dict[str, str]:
    """The page's own words, as the product hands them out."""
    catalogue = tomllib.loads((ROOM / "texts.toml").read_text("utf-8"))
    return {key: words[language] for key, words in catalogue.items() if key.startswith("pda.")}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, floor: Floor) -> None:
        super().__init__(("127.0.0.1", 0), type("Bound", (Handler,), {"floor": floor}))
        self.floor = floor

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up early is no failure of the test."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"
