"""The least server a gateway can speak to, for acceptance runs with `wms_down`: a process that can be killed.

`python -m devices.accept.server PORT FOLDER` serves the gateway's link (docs/reference/gateway.md): signed calls,
events kept in `FOLDER/server.events`, the routes of `FOLDER/server.routes`. What it was told outlives its death.
"""

from __future__ import annotations

import hmac
import json
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from devices.link import PREFIX, sign

KEY_HEX: Final = "5c" * 32
GATEWAY: Final = "1"
WAIT_S_MAX: Final = 20.0
NOTHING_NEW_S: Final = 5.0


class Kept:
    """What the server remembers, on disk before it is acknowledged."""

    def __init__(self, folder: Path) -> None:
        self.routes = json.loads((folder / "server.routes").read_text(encoding="ascii"))
        self._path = folder / "server.events"
        self._lock = threading.Lock()
        self.high_water = sum(1 for _ in self._path.open(encoding="utf-8")) if self._path.exists() else 0

    def take(self, events: list[dict[str, Any]]) -> dict[str, Any] | None:
        """The new high-water mark, None for a gap."""
        with self._lock:
            fresh = [event for event in events if event["seq"] > self.high_water]
            if fresh and fresh[0]["seq"] != self.high_water + 1:
                return None
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(json.dumps(event) + "\n" for event in fresh)
            self.high_water += len(fresh)
            return {"high_water": self.high_water}


class Handler(BaseHTTPRequestHandler):
    """One call of the link."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    kept: Kept

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _answer(self, body: bytes) -> None:
        parts = urlsplit(self.path)
        if not self._signed(body):
            self._send(401, {"error": {"reason": "signature_wrong", "message": "", "facts": {}}})
            return
        content = json.loads(body) if body else {}
        match parts.path.removeprefix(PREFIX):
            case "/events":
                taken = self.kept.take(content["events"])
                gap = {"reason": "event_gap", "message": "", "facts": {"expected": self.kept.high_water + 1}}
                self._send(*((200, taken) if taken is not None else (409, {"error": gap})))
            case "/health":
                self._send(200, {})
            case "/commands":
                time.sleep(NOTHING_NEW_S)
                self._send(200, {"commands": []})
            case "/routes":
                self._send(200, self._routes(int(parse_qs(parts.query)["since"][0])))
            case "/ask":
                self._send(200, {"known": False})
            case _:
                self._send(404, {"error": {"reason": "not_found", "message": "", "facts": {}}})

    def _routes(self, since: int) -> dict[str, Any]:
        if since < 1:
            return {"version": 1, "full": True, "changes": self.kept.routes, "overflow": None}
        time.sleep(NOTHING_NEW_S)
        return {"version": since, "full": False, "changes": [], "overflow": None}

    def _signed(self, body: bytes) -> bool:
        time_s, nonce = self.headers.get("X-Time", ""), self.headers.get("X-Nonce", "")
        right = sign(bytes.fromhex(KEY_HEX), self.command, self.path, time_s, nonce, body)
        return hmac.compare_digest(right, self.headers.get("X-Signature", ""))

    def _send(self, status: int, content: dict[str, Any]) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Server-Time", str(int(time.time())))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Silent: the run's report is what counts."""


class Server(ThreadingHTTPServer):
    daemon_threads = True


def main() -> int:
    Handler.kept = Kept(Path(sys.argv[2]))
    Server(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main())
