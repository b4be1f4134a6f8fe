"""A server in a process of its own that stops at a named moment of a command, and the wire that leads to it."""

from __future__ import annotations

import contextlib
import ctypes
import http.client
import json
import os
import select
import signal
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from wms.app import make_house
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.serving.server import Server as HttpServer
from wms.settings import Settings

BEFORE_SEND, BEFORE_COMMIT, AFTER_COMMIT, AFTER_ANSWER = MOMENTS = (
    "before send",
    "before commit",
    "after commit",
    "after answer",
)
SHORT_S, LONG_S = 2.0, 15.0  # how long a client waits where no answer will come, and where one will
START_S = 30.0
CLOCK_JUMP = timedelta(days=1)
PR_SET_PDEATHSIG = 1
RST = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends a reset


@dataclass(frozen=True, slots=True)
class Said:
    """What a client heard: status 0 for no answer at all."""

    status: int
    body: bytes = b""

    @property
    def word(self) -> str:
        return {0: "silent", 503: "later"}.get(self.status, "told" if self.status < 400 else "no")


class Server:
    """`moment` is where the first command stops and waits for `go_on`."""

    def __init__(self, url: str, moment: str) -> None:
        self._url, self._moment = url, moment
        self.port = self.pid = 0
        self.start()

    def start(self) -> None:
        told_r, told_w = os.pipe()
        go_r, go_w = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            try:
                _serve(self._url, self._moment, told_w, go_r)
            finally:
                os._exit(1)
        os.close(told_w)
        os.close(go_r)
        self._told, self._go = told_r, go_w
        assert select.select([told_r], [], [], START_S)[0], "the server did not come up"
        self.port = int(os.read(told_r, 16))

    def await_moment(self) -> None:
        assert select.select([self._told], [], [], START_S)[0], "the command never came to its moment"
        os.read(self._told, 1)

    def go_on(self) -> None:
        """Past the moment, if it still lives."""
        if self.pid:
            with contextlib.suppress(BrokenPipeError):
                os.write(self._go, b"!")

    def kill(self) -> None:
        """kill -9."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
            self.pid = 0
            os.close(self._told)
            os.close(self._go)

    def start_again(self) -> None:
        self.kill()
        self._moment = ""
        self.start()


def die_with_parent() -> None:
    """A process of ours ends when the one that bore it does, however that ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)


def _serve(url: str, moment: str, told: int, go: int) -> None:
    """The server's own life."""
    die_with_parent()
    jump = [timedelta(0)]
    now = WallClock.now
    setattr(WallClock, "now", lambda clock: now(clock) + jump[0])  # noqa: B010 - the process's own clock, set wrong
    signal.signal(signal.SIGUSR1, lambda *_: jump.__setitem__(0, -CLOCK_JUMP))
    signal.signal(signal.SIGUSR2, lambda *_: jump.__setitem__(0, CLOCK_JUMP))
    database = Database.open(url)
    if moment:
        _stop_once(database, moment, told, go)
    server = HttpServer(make_house(database, WallClock(), Settings()).app, "127.0.0.1", 0, threads=8)
    os.write(told, str(server.effective_port).encode())
    server.run()


def _stop_once(database: Database, moment: str, told: int, go: int) -> None:
    """From outside: the first unit of work stops at `moment`, tells us, and waits."""
    transact, left = database.transact, [1]

    def stop() -> None:
        with contextlib.suppress(IndexError):
            left.pop()
            os.write(told, b"!")
            os.read(go, 1)

    def stopping(work: Callable[[Any], Any], **how: Any) -> Any:
        def to_the_end(session: Any) -> Any:
            result = work(session)
            if moment == BEFORE_COMMIT:
                session.flush()
                stop()
            return result

        result = transact(to_the_end, **how)
        if moment == AFTER_COMMIT:
            stop()
        return result

    database.transact = stopping  # type: ignore[method-assign]


class Wire:
    """Forwards bytes between the client and the server; may be cut, silent, slow, or closed for new ones."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listener.getsockname()[1])
        self.up, self.hangs, self.slow, self._over = True, False, False, False
        self._pairs: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._over:
            with contextlib.suppress(OSError):
                client, _address = self._listener.accept()
                if not self.up:
                    reset(client)
                    continue
                threading.Thread(target=self._forward, args=(client,), daemon=True).start()

    def _forward(self, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            server = socket.create_connection(("127.0.0.1", self._server.port), timeout=LONG_S)
            server.settimeout(None)
            self._pairs += [client, server]
            back = threading.Thread(target=self._pump, args=(server, client), daemon=True)
            back.start()
            self._pump(client, server)
            return
        reset(client)

    def _pump(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                while self.hangs:
                    time.sleep(0.02)
                for part in [data[at : at + 40] for at in range(0, len(data), 40)] if self.slow else [data]:
                    target.sendall(part)
                    time.sleep(0.01 if self.slow else 0)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def cut(self) -> None:
        """Everything under way is reset, nothing new gets through."""
        self.up = False
        for each in self._pairs:
            reset(each)
        self._pairs = []

    def close(self) -> None:
        self._over = True
        self.hangs = False
        self._listener.close()
        for each in self._pairs:
            with contextlib.suppress(OSError):
                each.close()


def reset(each: socket.socket) -> None:
    """Close with a reset, as a dead wire looks from here."""
    with contextlib.suppress(OSError):
        each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RST)
        each.close()


class Client:
    """Sends one command, always under the same id. `give_up` is a client that dies while it waits."""

    def __init__(self, port: int, key: str, request_id: str, body: dict[str, Any]) -> None:
        self.port, self._key, self._id, self._body = port, key, request_id, json.dumps(body)
        self._connection: http.client.HTTPConnection | None = None
        self.patience_s = LONG_S

    @property
    def headers(self) -> dict[str, str]:
        mine = {"Authorization": f"Bearer {self._key}", "Idempotency-Key": self._id}
        return {**mine, "Content-Type": "application/json"}

    def send(self, port: int = 0, body: str = "") -> Said:
        self._connection = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=self.patience_s)
        try:
            self._connection.request("POST", "/api/v1/receipts", body or self._body, self.headers)
            answer = self._connection.getresponse()
            return Said(answer.status, answer.read())
        except (OSError, http.client.HTTPException, AttributeError):
            return Said(0)
        finally:
            self._connection.close()

    def copy(self) -> Client:
        """The same command from elsewhere."""
        return Client(self.port, self._key, self._id, json.loads(self._body))

    def half(self, port: int) -> None:
        """Half of the request, then nothing."""
        head = "".join(f"{name}: {value}\r\n" for name, value in self.headers.items())
        raw = (
            f"POST /api/v1/receipts HTTP/1.1\r\nHost: x\r\n{head}Content-Length: {len(self._body)}\r\n\r\n{self._body}"
        )
        with socket.create_connection(("127.0.0.1", port), timeout=SHORT_S) as wire:
            wire.sendall(raw.encode()[: len(raw) - len(self._body) // 2])

    def give_up(self) -> None:
        if self._connection is not None and self._connection.sock is not None:
            with contextlib.suppress(OSError):
                self._connection.sock.shutdown(socket.SHUT_RDWR)
