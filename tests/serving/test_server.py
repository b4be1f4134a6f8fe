"""The HTTP server under clients as they come: many, quiet, slow, malformed; and when it is stopped."""

from __future__ import annotations

import os
import queue
import resource
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from typing import Any

import pytest

from tests.devices.processes import wait_until
from wms.serving import files, server
from wms.serving.server import Server

WAIT_S = 60.0
FOR_EVER_S = 3_600.0
GET = b"GET /%s HTTP/1.1\r\nHost: here\r\n\r\n"
Wsgi = Callable[[dict[str, Any], Any], Iterable[bytes]]


def echo(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
    """Path, length of the body, and the request id as the application sees it."""
    body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
    said = f"{environ['PATH_INFO']} {len(body)} {environ.get('HTTP_IDEMPOTENCY_KEY', '-')}".encode()
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(len(said)))])
    return [said]


@contextmanager
def served(app: Wsgi = echo, *, threads: int = 4) -> Iterator[Server]:
    made = Server(app, "127.0.0.1", 0, threads=threads)
    thread = threading.Thread(target=made.run, daemon=True)
    thread.start()
    try:
        yield made
    finally:
        made.stop()
        thread.join(WAIT_S)
        assert not thread.is_alive()


def client(of: Server) -> socket.socket:
    return socket.create_connection(("127.0.0.1", of.effective_port), WAIT_S)


def answer(connection: socket.socket) -> tuple[int, bytes]:
    """Status and body; (0, b"") when the server hung up."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = connection.recv(1)
        if not more:
            return 0, b""
        got += more
    length = int(got.lower().partition(b"content-length:")[2].partition(b"\r\n")[0] or 0)
    body = b""
    while len(body) < length and (more := connection.recv(length - len(body))):
        body += more
    return int(got[9:12]), body


def ask(connection: socket.socket, request: bytes) -> tuple[int, bytes]:
    connection.sendall(request)
    return answer(connection)


def stopped(here: Server) -> None:
    """Stop it; fails when it does not end."""
    ending = threading.Thread(target=here.stop, daemon=True)
    ending.start()
    ending.join(WAIT_S)
    assert not ending.is_alive()


def test_a_connection_is_kept_for_the_next_request() -> None:
    with served() as here, client(here) as one:
        assert ask(one, GET % b"a") == (200, b"/a 0 -")
        assert ask(one, GET % b"b") == (200, b"/b 0 -")


def test_requests_sent_without_waiting_are_answered_in_order() -> None:
    with served(threads=1) as here, client(here) as one:
        assert ask(one, GET % b"a" + GET % b"b") == (200, b"/a 0 -")
        assert answer(one) == (200, b"/b 0 -")


def test_a_body_that_comes_in_pieces_is_read_whole() -> None:
    with served() as here, client(here) as one:
        one.sendall(b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: 6\r\nIdempot")
        time.sleep(0.05)
        one.sendall(b"ency-Key: k1\r\n\r\nabc")
        time.sleep(0.05)
        assert ask(one, b"def") == (200, b"/x 6 k1")


def test_head_and_body_leave_in_one_piece() -> None:
    with served() as here, client(here) as one:
        one.sendall(GET % b"a")
        assert one.recv(65_536).endswith(b"/a 0 -")


def test_a_header_that_only_looks_like_ours_is_left_out() -> None:
    with served() as here, client(here) as one:
        assert ask(one, b"GET /a HTTP/1.1\r\nHost: here\r\nIdempotency_Key: forged\r\n\r\n") == (200, b"/a 0 -")


@pytest.mark.parametrize(
    "lines",
    [
        b"Content-Length: -5",
        b"Content-Length: +5",
        b"Content-Length: 1_0",
        b"Content-Length: five",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
    ],
)
def test_a_length_that_two_programs_could_read_differently_is_refused_and_the_connection_closed(lines: bytes) -> None:
    with served() as here, client(here) as one:
        status, _body = ask(one, b"POST /x HTTP/1.1\r\nHost: here\r\n" + lines + b"\r\n\r\n")
        assert status == 400
        assert answer(one) == (0, b"")


def test_a_head_without_end_and_a_body_too_large_are_refused() -> None:
    with served() as here:
        with client(here) as one:
            one.sendall(b"GET /a HTTP/1.1\r\nX: " + b"x" * server.HEAD_BYTES_MAX)
            assert answer(one)[0] == 413
        with client(here) as one:
            large = b"POST /x HTTP/1.1\r\nHost: here\r\nContent-Length: %d\r\n\r\n" % (server.BODY_BYTES_MAX + 1)
            assert ask(one, large)[0] == 413


def test_quiet_connections_take_no_thread_from_those_who_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "QUIET_S", FOR_EVER_S)  # whatever thread they took they would keep
    with served(threads=4) as here, ExitStack() as quiet:
        for number in range(40):
            one = quiet.enter_context(client(here))
            if number % 2:
                assert ask(one, GET % b"a")[0] == 200
        with client(here) as another:
            assert ask(another, GET % b"b") == (200, b"/b 0 -")


def test_who_stops_in_the_middle_of_a_request_is_told_and_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "QUIET_S", 0.2)
    with served() as here, client(here) as one:
        assert ask(one, b"GET /a HTTP/1.1\r\nHost: he")[0] == 408
        assert answer(one) == (0, b"")


def test_a_request_that_drips_in_has_an_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "REQUEST_S", 0.3)
    with served() as here, client(here) as one:
        one.sendall(b"GET /a HTTP/1.1\r\nX: ")
        until_s = time.monotonic() + WAIT_S
        with pytest.raises(OSError, match=r"reset|pipe"):
            _drip(one, until_s)


def _drip(into: socket.socket, until_s: float) -> None:
    while time.monotonic() < until_s:
        into.sendall(b"x")
        time.sleep(0.02)


def test_who_comes_when_there_is_no_room_is_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "CONNECTIONS_MAX", 3)
    with served() as here, ExitStack() as inside:
        ones = [inside.enter_context(client(here)) for _ in range(3)]
        assert [ask(one, GET % b"a")[0] for one in ones] == [200] * 3
        with client(here) as late:
            assert answer(late)[0] == 503
        ones[0].close()

        def let_in() -> bool:
            with client(here) as later, suppress(OSError):
                return ask(later, GET % b"a")[0] == 200
            return False

        wait_until(let_in, WAIT_S, "the place of one who left")


def test_a_mistake_of_the_application_costs_no_thread() -> None:
    def breaks(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/bad":
            raise RuntimeError("broken")
        return echo(environ, start_response)

    with served(breaks, threads=1) as here:
        for _ in range(3):
            with client(here) as one:
                assert ask(one, GET % b"bad")[0] == 500
        with client(here) as one:
            assert ask(one, GET % b"a")[0] == 200


def test_a_stream_arrives_as_it_is_written_and_ends_when_the_server_is_stopped() -> None:
    ended = threading.Event()

    def stream(_environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        try:
            while True:
                yield b"beat\n"
                time.sleep(0.01)
        finally:
            ended.set()

    with served(stream) as here, client(here) as one:
        one.sendall(GET % b"live")
        got = b""
        while got.count(b"beat") < 3:
            got += one.recv(1024)
        stopped(here)
        assert ended.wait(WAIT_S)


def test_a_call_under_way_is_answered_before_the_server_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_S", WAIT_S)
    inside = threading.Event()

    def slow(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        inside.set()
        time.sleep(0.5)
        return echo(environ, start_response)

    with served(slow) as here, client(here) as one:
        one.sendall(GET % b"a")
        assert inside.wait(WAIT_S)
        here.stop()
        assert answer(one) == (200, b"/a 0 -")


def test_connections_between_two_requests_do_not_hold_the_end_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "GRACE_S", FOR_EVER_S)  # what held it up would hold it up for ever
    with served() as here, client(here) as one:
        assert ask(one, GET % b"a")[0] == 200
        stopped(here)


def test_a_port_that_is_taken_says_why() -> None:
    with served() as here, pytest.raises(OSError, match="in use") as refused:
        Server(echo, "127.0.0.1", here.effective_port, threads=4)
    assert refused.value.errno


@contextmanager
def no_more_files() -> Iterator[None]:
    """This process may open none beyond those it has."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest_free = os.dup(0)
    os.close(lowest_free)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest_free, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_a_server_that_gets_no_more_connections_waits_says_so_once_and_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """The process may open no more files, as after a leak or under a low limit of the system."""
    said: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(server.log, "error", lambda what, **facts: said.append((what, facts)))
    pauses: queue.SimpleQueue[float] = queue.SimpleQueue()

    def pause(seconds: float) -> None:
        pauses.put(seconds)
        time.sleep(seconds)

    monkeypatch.setattr(server.Door, "pause", staticmethod(pause))
    with served() as here, client(here) as inside, socket.socket() as waiting:
        assert ask(inside, GET % b"a")[0] == 200
        with no_more_files():
            waiting.connect(("127.0.0.1", here.effective_port))
            assert {pauses.get(timeout=WAIT_S) for _ in range(3)} == {server.FULL_PAUSE_S}
            assert ask(inside, GET % b"b")[0] == 200
        assert ask(waiting, GET % b"c") == (200, b"/c 0 -")
    assert [what for what, _ in said] == ["connections.used_up"]
