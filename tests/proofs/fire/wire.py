"""A client as a careful one is written: it journals what was acknowledged, and sends again what was not.

A command is sent under its own id until an answer below 500 has come, on whatever port the server listens meanwhile.
Sockets are used bare, so that fifty clients weigh little beside the server.
"""

from __future__ import annotations

import json
import socket
import time
from dataclasses import dataclass, field
from typing import Any

from tests.proofs.fire.park import Badge
from tests.proofs.fire.servers import Where

CALL_SECONDS_MAX = 30.0
ANSWER_SECONDS_MAX = 120.0
AGAIN_AFTER_S = 0.02
HEAD_BYTES_MAX = 16_384


@dataclass(frozen=True, slots=True)
class Ask:
    """One command: where to, what, under which id; `books` is how many pieces it moves if it is not refused."""

    path: str
    body: dict[str, Any] | None
    id: str
    kind: str
    books: int = 0


@dataclass(frozen=True, slots=True)
class Entry:
    """An acknowledged command, as the client wrote it down: sent `sent` times, answered `at_s` after `took_s`."""

    actor: str
    ask: Ask
    status: int
    answer: dict[str, Any]
    sent: int
    at_s: float
    took_s: float

    @property
    def accepted(self) -> bool:
        """Whether it was done. A PDA's no is an answer of 200 with a red message."""
        if self.status >= 400:
            return False
        message = self.answer.get("message") if "screen" in self.answer else None
        return not message or message["level"] not in ("wrong", "intercepted")


class NeverAnswered(Exception):
    """A command stayed without an answer for two minutes."""


@dataclass
class Wire:
    """One keep-alive connection to wherever the server is; `head` are the headers that say who asks."""

    where: Where
    actor: str
    head: str
    journal: list[Entry] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    _socket: socket.socket | None = None

    def ask(self, ask: Ask) -> Entry:
        """Send until acknowledged; the journal's new entry. Raises NeverAnswered."""
        began_s = time.monotonic()
        sent = 0
        while time.monotonic() - began_s < ANSWER_SECONDS_MAX:
            sent += 1
            try:
                status, answer = self.once(ask)
            except (OSError, ValueError):
                self.close()
                time.sleep(AGAIN_AFTER_S)
                continue
            if status < 500:
                now_s = time.monotonic()
                entry = Entry(self.actor, ask, status, answer, sent, now_s, now_s - began_s)
                self.journal.append(entry)
                return entry
            self._note_failure(ask, status, answer)
            time.sleep(AGAIN_AFTER_S)
        raise NeverAnswered(f"{self.actor} {ask.kind} {ask.id}")

    def once(self, ask: Ask) -> tuple[int, dict[str, Any]]:
        """One attempt: status and content. Raises OSError when the connection breaks, ValueError on half an answer."""
        if self._socket is None:
            self._socket = socket.create_connection(("127.0.0.1", self.where.port), CALL_SECONDS_MAX)
            self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        content = b"" if ask.body is None else json.dumps(ask.body, separators=(",", ":")).encode()
        head = (
            f"POST {ask.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n{self.head}"
            f"Idempotency-Key: {ask.id}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        self._socket.sendall(head.encode() + content)
        return _answer(self._socket)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _note_failure(self, ask: Ask, status: int, answer: dict[str, Any]) -> None:
        """503 says "again"; anything else above 499 is a mistake of the server's."""
        if status != 503:
            self.failures.append(f"{ask.kind}: {status} {json.dumps(answer, ensure_ascii=False)[:200]}")


def program(where: Where, actor: str, key: str) -> Wire:
    """A program's connection."""
    return Wire(where, actor, f"Authorization: Bearer {key}\r\n")


def pda(where: Where, badge: Badge) -> Wire:
    """A PDA's connection."""
    return Wire(where, badge.actor, f"Cookie: chuwei_pda={badge.token}\r\nX-CSRF: {badge.csrf}\r\n")


def _answer(connection: socket.socket) -> tuple[int, dict[str, Any]]:
    got = b""
    while b"\r\n\r\n" not in got:
        got += _more(connection, len(got))
    head, _, body = got.partition(b"\r\n\r\n")
    length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
    while len(body) < length:
        body += _more(connection, 0)
    answer: dict[str, Any] = json.loads(body)
    return int(head[9:12]), answer


def _more(connection: socket.socket, so_far: int) -> bytes:
    more = connection.recv(65_536)
    if not more or so_far > HEAD_BYTES_MAX:
        raise ConnectionError("the server hung up")
    return more
