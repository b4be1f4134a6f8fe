"""The HTTP server: cheroot's, with threads that stay with their connection and a bound on everything.

Between two requests of a busy connection its thread waits at the connection itself, which spares two changes of thread
a call; who is quiet for long is watched by one selector for all. Under TLS hands are shaken by the connection's own
thread, so that a client that never answers keeps nobody else waiting.
"""

from __future__ import annotations

import contextlib
import errno
import os
import queue
import socket
import ssl
import threading
import time
from pathlib import Path
from typing import Any

import structlog
from cheroot import connections, errors, server, wsgi
from cheroot.ssl import Adapter

from wms.serving.cookies import HostCookies
from wms.serving.files import QUIET_S, Writer, file_of

HEAD_BYTES_MAX = 32 * 1024
BODY_BYTES_MAX = 12 * 1024 * 1024  # above the largest import; the doors have limits of their own
CONNECTIONS_MAX = 512
BACKLOG = 256
IDLE_S = 75  # a connection that asks nothing for so long is closed
USED_UP = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM})
FULL_PAUSE_S = 0.1
FULL_SAY_S = 60.0
GRACE_S = 5.0  # for calls under way when the server is stopped
SPEAKS_TLS = (
    b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nContent-Length: 43\r\nConnection: close\r\n\r\n"
    b"This port speaks TLS only: begin with https"
)

log = structlog.get_logger(__name__)


class Request(server.HTTPRequest):
    """One request; its answer leaves in one piece where it can."""

    def parse_request(self) -> None:
        self.header_reader = _Headers()
        super().parse_request()

    def read_request_headers(self) -> bool:
        """Only lengths that every proxy reads alike."""
        if not super().read_request_headers():  # type: ignore[no-untyped-call]
            return False
        length = self.inheaders.get(b"Content-Length")
        if length is not None and (not length.isdigit() or b"Transfer-Encoding" in self.inheaders):
            self.close_connection = True
            self.simple_response("400 Bad Request", "Malformed Content-Length Header.")
            return False
        return True

    def respond(self) -> None:
        super().respond()
        self.conn.wfile.flush()

    def send_headers(self) -> None:
        wire: Writer = self.conn.wfile
        self.conn.wfile = _Held(wire)
        try:
            super().send_headers()
        finally:
            self.conn.wfile = wire


class _Held:
    """Where the library writes the head to."""

    def __init__(self, wire: Writer) -> None:
        self.write = wire.hold


class _Headers(server.HeaderReader):
    """Without those that WSGI could not tell from others: Idempotency_Key is not Idempotency-Key."""

    def _allow_header(self, key_name: bytes) -> bool:
        return b"_" not in key_name


class Connection(server.HTTPConnection):
    """One connection; `communicate` serves it until it is quiet or over."""

    RequestHandlerClass = Request

    def __init__(self, owner: Server, sock: Any, _makefile: Any = None) -> None:
        super().__init__(owner, sock, file_of)
        sock.settimeout(QUIET_S)
        self._greeted = not isinstance(sock, ssl.SSLSocket)
        self._watched = False
        self.resting = False  # between two requests
        self.crowded = not owner.let_in(self)

    def communicate(self) -> bool:
        """True: nothing to do now, watch it. False: close it."""
        stays = self.server.seats.acquire(blocking=False)
        try:
            return self._greet() and self._serve(stays)
        except errors.FatalSSLAlert:
            return False
        finally:
            if stays:
                self.server.seats.release()

    def _serve(self, stays: bool) -> bool:
        while self.server.ready:
            if not (stays or self._watched or self.rfile.has_data()):
                self._watched = True
                return True
            self._watched, self.resting = False, True
            begun = self.rfile.await_request()
            self.resting = False
            if not begun:
                self._watched = not self.rfile.over
                return self._watched
            if not super().communicate():  # type: ignore[no-untyped-call]
                return False
        return False

    def _greet(self) -> bool:
        """Shake hands, the first time."""
        if self._greeted:
            return True
        try:
            self.socket.do_handshake()
        except ssl.SSLError as error:
            if "http request" in str(error).lower():
                with contextlib.suppress(OSError):
                    os.write(self.socket.fileno(), SPEAKS_TLS)
            return False
        except OSError:
            return False
        self._greeted = True
        return True

    def close(self) -> None:
        self.server.let_go(self)
        super().close()

    def refuse(self) -> None:
        """At once, in the thread that lets all others in: without waiting for anything."""
        if self._greeted:
            self.socket.setblocking(False)
            with contextlib.suppress(OSError):
                self.socket.send(b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nRetry-After: 1\r\n\r\n")
        self.close()

    def hang_up(self) -> None:
        """From another thread: whoever reads or writes here is told that it is over."""
        with contextlib.suppress(OSError):
            socket.socket.shutdown(self.socket, socket.SHUT_RDWR)


class Workers:
    """Threads that serve connections; as many as are needed, up to `most`. They never keep a program from ending."""

    min = 1

    def __init__(self, most: int) -> None:
        self._most = most
        self._waiting: queue.SimpleQueue[Connection | None] = queue.SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._idle = 0
        self._counting = threading.Lock()

    def start(self) -> None:
        """Threads come with connections."""

    def get(self) -> Connection | None:
        return self._waiting.get()

    def put(self, connection: Connection) -> None:
        """Bounded by the connections there may be."""
        with self._counting:
            enough = self._idle > self._waiting.qsize() or len(self._threads) >= self._most
        self._waiting.put(connection)
        if not enough:
            thread = threading.Thread(target=self._work, name=f"http {len(self._threads)}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout: float | None = None) -> None:
        """Let each finish its call, for as long as `timeout`."""
        until_s = time.monotonic() + (timeout or 0)
        for _ in self._threads:
            self._waiting.put(None)
        for thread in self._threads:
            thread.join(max(0.0, until_s - time.monotonic()))

    def _work(self) -> None:
        while True:
            with self._counting:
                self._idle += 1
            connection = self.get()
            with self._counting:
                self._idle -= 1
            if connection is None:
                return
            _attend(connection)


def _attend(connection: Connection) -> None:
    keep = False
    try:
        keep = connection.communicate()
    except Exception as error:
        log.error("connection.failed", error=type(error).__name__, exc_info=error)
    finally:
        if keep:
            connection.server.put_conn(connection)
        else:
            connection.close()


class Door(connections.ConnectionManager):
    """Lets connections in. When the system gives no more of them it waits a moment, instead of asking again and again
    at full speed; whoever is inside is served meanwhile.
    """

    pause = staticmethod(time.sleep)

    def __init__(self, owner: Server) -> None:
        super().__init__(owner)
        self._said_s = float("-inf")
        self._unsaid = 0

    def _from_server_socket(self, server_socket: Any) -> Any:
        try:
            return super()._from_server_socket(server_socket)  # type: ignore[misc]  # the library's types leave it out
        except OSError as error:
            if error.errno not in USED_UP:
                raise
            self._say(error)
            self.pause(FULL_PAUSE_S)
            return None

    def _say(self, error: OSError) -> None:
        """A line a minute, however long it lasts."""
        self._unsaid += 1
        if time.monotonic() - self._said_s >= FULL_SAY_S:
            log.error("connections.used_up", error=error.strerror, tries=self._unsaid)
            self._said_s, self._unsaid = time.monotonic(), 0


class Server(wsgi.Server):
    """Bound to its port once it is made; `serve` runs until `stop`."""

    ConnectionClass = Connection
    max_request_header_size = HEAD_BYTES_MAX
    max_request_body_size = BODY_BYTES_MAX
    keep_alive_conn_limit = CONNECTIONS_MAX

    def __init__(self, app: Any, host: str, port: int, *, threads: int, tls: Tls | None = None) -> None:
        """Raises OSError when it cannot bind."""
        behind = HostCookies(app) if tls else app
        super().__init__((host, port), behind, server_name="chuwei", request_queue_size=BACKLOG, timeout=IDLE_S)
        self.shutdown_timeout = GRACE_S
        self.requests = Workers(threads)
        self.seats = threading.BoundedSemaphore(max(1, threads // 2))
        self._open: set[Connection] = set()
        self._counting = threading.Lock()
        self._why_not: list[OSError] = []
        if tls is not None:
            self.ssl_adapter = tls
        try:
            self.prepare()
        except OSError as error:
            raise (self._why_not or [error])[-1] from error
        self._connections: connections.ConnectionManager
        self._connections.close()
        self._connections = Door(self)

    def bind(self, family: int, type: int, proto: int = 0) -> Any:
        """Keeps the reason, of which the library passes on the words only."""
        try:
            return super().bind(family, type, proto)
        except OSError as error:
            self._why_not.append(error)
            raise

    def process_conn(self, conn: Connection) -> None:
        """Who comes when there is no room is told so, or, under TLS, hears nothing."""
        if conn.crowded:
            conn.refuse()
        else:
            self.requests.put(conn)

    def run(self) -> None:
        """Serve until somebody interrupts or stops it."""
        self.serve()

    @property
    def effective_port(self) -> int:
        return int(self.bind_addr[1])

    @property
    def can_add_keepalive_connection(self) -> bool:
        return bool(self.ready)

    def let_in(self, connection: Connection) -> bool:
        """False when there are too many."""
        with self._counting:
            self._open.add(connection)
            return len(self._open) <= CONNECTIONS_MAX

    def let_go(self, connection: Connection) -> None:
        with self._counting:
            self._open.discard(connection)

    def error_log(self, msg: str = "", level: int = 20, traceback: bool = False) -> None:
        log.log(level, "http", what=str(msg), exc_info=traceback)

    def stop(self) -> None:
        """Take no more; finish what is under way; hang up on who only waits."""
        if not self.ready:
            return
        hanging_up = threading.Timer(GRACE_S / 2, self._hang_up)
        hanging_up.start()
        self._hang_up(resting=True)
        super().stop()
        hanging_up.cancel()
        self._hang_up()

    def _hang_up(self, *, resting: bool = False) -> None:
        with self._counting:
            those = [connection for connection in self._open if connection.resting or not resting]
        for connection in those:
            connection.hang_up()


class Tls(Adapter):
    """TLS 1.2 and later with one certificate; hands are shaken later, by the connection's own thread."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        """Raises OSError (which ssl.SSLError is) when they do not fit each other."""
        self.context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self.context.load_cert_chain(certificate, private_key)

    def bind(self, sock: Any) -> Any:
        return sock

    def wrap(self, sock: Any) -> tuple[Any, dict[str, str]]:
        return self.context.wrap_socket(sock, server_side=True, do_handshake_on_connect=False), self.get_environ()

    def get_environ(self) -> dict[str, str]:
        return {"wsgi.url_scheme": "https", "HTTPS": "on"}

    def makefile(self, sock: Any, mode: str = "r", bufsize: int = -1) -> Any:
        return file_of(sock, mode, bufsize)
