from __future__ import annotations

import shutil
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from devices import courier
from devices.courier import LONG_POLL_S, Asker, FetchCommands, FetchRoutes, Runner, SendEvents
from devices.errors import ConfigError, GatewayError
from devices.gateway import _TableFromServer
from devices.link import Key, Line, Reach, ServerAway, ServerClock, ServerRefused, load_key, pair, save_key
from devices.outbox import Outbox
from devices.routes import RouteAnswer, RouteTable
from devices.station import wall_ms
from devices.store import Store
from tests.devices.processes import WAIT_S, wait_until
from tests.devices.server import CODE, GATEWAY, KEY, StationServer, no

BOOT = "5d0c91ae"


@pytest.fixture
def server() -> Iterator[StationServer]:
    started = StationServer()
    yield started
    started.stop()
    assert started.wrong == []


@pytest.fixture
def line(server: StationServer) -> Iterator[Line]:
    made = line_to(server)
    yield made
    made.close()


@pytest.fixture
def outbox(tmp_path: Path) -> Iterator[Outbox]:
    store = Store(tmp_path / "station.db")
    yield Outbox(store, wall_ms)
    store.close()


def line_to(server: StationServer, clock: ServerClock | None = None) -> Line:
    return Line(server.url, Key(GATEWAY, bytes.fromhex(KEY)), clock or ServerClock())


def add(outbox: Outbox, count: int) -> None:
    tickets = [outbox.add("scanner1", "scan", {"scan_id": str(number), "code": "1"}) for number in range(count)]
    assert all(ticket.wait(WAIT_S) for ticket in tickets)


def sender(line: Line, outbox: Outbox) -> SendEvents:
    return SendEvents(line, Reach(), outbox, BOOT)


def numbers(server: StationServer) -> list[int]:
    return [event["seq"] for event in server.events]


def test_pairing_gives_a_key_that_only_its_owner_can_read(server: StationServer, tmp_path: Path) -> None:
    answer = pair(server.url, CODE, "packing-1", [{"name": "scanner1", "driver": "scanner_serial"}])
    path = tmp_path / "station.db.key"
    save_key(path, server.url, answer)
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_key(path) == Key(GATEWAY, bytes.fromhex(KEY), server.url)


def test_a_wrong_code_gives_no_key(server: StationServer) -> None:
    with pytest.raises(ServerRefused) as refusal:
        pair(server.url, "0000-0000", "packing-1", [])
    assert (refusal.value.status, refusal.value.reason) == (401, "pairing_code_wrong")


@pytest.mark.parametrize("content", ["", "{}", '{"gateway": 7, "key": "zz"}', '{"gateway": 7, "key": "00"}', "[]"])
def test_an_unsound_key_file_is_said(tmp_path: Path, content: str) -> None:
    (tmp_path / "key").write_text(content)
    with pytest.raises(ConfigError):
        load_key(tmp_path / "key")


def test_who_is_not_paired_is_told_how(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="wms-devices pair CODE URL"):
        load_key(tmp_path / "key")


def test_a_station_whose_clock_is_wrong_learns_the_time_and_goes_on(server: StationServer) -> None:
    server.clock_offset_s = 7200
    clock = ServerClock()
    line = line_to(server, clock)
    assert line.get("/commands?wait_s=0") == {"commands": []}
    assert 7198 <= clock.offset_s <= 7202
    line.close()


def test_events_arrive_in_order_two_hundred_at_a_time(server: StationServer, line: Line, outbox: Outbox) -> None:
    add(outbox, 450)
    send = sender(line, outbox)
    while outbox.waiting():
        send.run_once()
    assert numbers(server) == list(range(1, 451))
    assert server.pushes == 1 + 3


def test_an_answer_that_was_lost_doubles_nothing(server: StationServer, line: Line, outbox: Outbox) -> None:
    add(outbox, 5)
    send = sender(line, outbox)
    send.mark_known_s = time.monotonic()
    server.lose_answers = 1
    with pytest.raises(ServerAway):
        send.run_once()
    assert outbox.waiting() == 5
    send.run_once()
    assert (numbers(server), outbox.waiting()) == ([1, 2, 3, 4, 5], 0)


def test_a_server_restored_from_a_backup_gets_again_what_it_forgot(
    server: StationServer, line: Line, outbox: Outbox
) -> None:
    add(outbox, 10)
    send = sender(line, outbox)
    send.run_once()
    server.events, server.high_water = server.events[:4], 4
    add(outbox, 1)
    send.run_once()
    send.run_once()
    assert numbers(server) == list(range(1, 12))


def test_a_station_with_nothing_to_say_still_learns_that_the_server_was_restored(
    server: StationServer, line: Line, outbox: Outbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    add(outbox, 10)
    send = sender(line, outbox)
    send.run_once()
    server.events, server.high_water = server.events[:4], 4
    monkeypatch.setattr(courier, "MARK_EVERY_S", 0.0)
    send.run_once()
    assert numbers(server) == list(range(1, 11))


def test_a_station_that_lost_its_outbox_is_not_mistaken_for_a_repeat(
    server: StationServer, line: Line, outbox: Outbox
) -> None:
    server.high_water = 1000
    add(outbox, 3)
    sender(line, outbox).run_once()
    assert numbers(server) == [1001, 1002, 1003]


def test_what_is_no_longer_kept_is_not_made_up(server: StationServer, line: Line, outbox: Outbox) -> None:
    add(outbox, 3)
    send = sender(line, outbox)
    send.run_once()
    outbox._store.write(lambda connection: connection.execute("DELETE FROM events WHERE seq <= 3"))
    server.events, server.high_water = [], 0
    add(outbox, 1)
    with pytest.raises(GatewayError, match="no longer kept here"):
        send.run_once()
    assert server.events == []


def test_a_server_that_was_away_is_found_again_and_gets_everything(server: StationServer, outbox: Outbox) -> None:
    stopping, reach = threading.Event(), Reach()
    runner = Runner(SendEvents(line_to(server), reach, outbox, BOOT), reach, stopping)
    server.stop()
    runner.start()
    add(outbox, 20)
    wait_until(lambda: reach.trouble.startswith("server does not answer"))
    server.start()
    wait_until(lambda: server.high_water == 20)
    wait_until(lambda: reach.reachable)
    stopping.set()
    runner.stop(WAIT_S)


def test_a_revoked_station_keeps_its_events_and_says_why(server: StationServer, line: Line, outbox: Outbox) -> None:
    server.refuse = no(401, "key_unknown")
    add(outbox, 1)
    with pytest.raises(ServerRefused, match="key_unknown"):
        sender(line, outbox).run_once()
    assert outbox.waiting() == 1


@pytest.mark.parametrize("status", [429, 500, 503])
def test_not_now_is_not_no(server: StationServer, line: Line, status: int) -> None:
    server.refuse = no(status, "busy")
    with pytest.raises(ServerAway):
        line.get("/commands?wait_s=0")


def test_a_command_is_taken_as_soon_as_it_is_given(server: StationServer, line: Line) -> None:
    taken: list[str] = []

    def take(command: object) -> bool:
        assert isinstance(command, dict)
        taken.append(command["id"])
        return True

    fetch = FetchCommands(line, Reach(), take, threading.Event())
    threading.Timer(0.1, server.order, [{"id": "c1", "device": "line1", "kind": "chute", "facts": {}}]).start()
    fetch.run_once()
    assert (taken, server.polls_in_vain) == (["c1"], 0)


def test_a_long_poll_ends_when_the_gateway_stops(server: StationServer) -> None:
    stopping, reach = threading.Event(), Reach()
    runner = Runner(FetchCommands(line_to(server), reach, lambda command: True, stopping), reach, stopping)
    runner.start()
    wait_until(lambda: server.polls_inside == 1)
    stopping.set()
    runner.stop(LONG_POLL_S / 2)
    assert not runner._thread.is_alive()
    assert (server.polls_inside, server.polls_in_vain) == (1, 0)


def test_routes_come_whole_then_as_changes(server: StationServer, line: Line) -> None:
    table = RouteTable()
    fetch = FetchRoutes(line, Reach(), _TableFromServer(table))
    server.publish({"version": 5, "full": True, "overflow": "24", "changes": [{"code": "A", "chute": "5/6"}]})
    fetch.run_once()
    first = table.current
    server.publish(
        {"version": 6, "full": False, "overflow": "24", "changes": [{"code": "B", "chute": "0", "reason": "HOLD"}]}
    )
    fetch.run_once()
    assert (first.find("B"), first.version) == (None, 5)
    found = table.current.find("A")
    assert found is not None
    assert (found.chutes, table.current.version, len(table.current)) == ((5, 6), 6, 2)


def test_a_table_that_makes_no_sense_is_not_taken(server: StationServer, line: Line) -> None:
    table = RouteTable()
    server.publish({"version": 5, "full": True, "overflow": None, "changes": [{"code": "A", "chute": "left"}]})
    with pytest.raises(GatewayError, match="cannot be used"):
        FetchRoutes(line, Reach(), _TableFromServer(table)).run_once()
    assert table.current.version == 0


def test_a_question_is_answered_or_nobody_knows(server: StationServer, line: Line) -> None:
    reach = Reach()
    asker = Asker(line, reach)
    answers: list[RouteAnswer | None] = []
    asker.ask(1, ["A"], answers.append)
    assert answers == [None]  # the server was never reached: no waiting
    reach.went_through()
    server.known = {"A": {"code": "A", "chute": "9", "alternate": "10"}}
    asker.ask(2, ["A"], answers.append)
    asker.run_once()
    asker.ask(3, ["B"], answers.append)
    asker.run_once()
    known, unknown = answers[1], answers[2]
    assert known is not None
    assert known.route is not None
    assert (known.route.chutes, known.route.alternate) == ((9,), 10)
    assert unknown is not None
    assert unknown.route is None
    server.stop()
    asker.ask(4, ["A"], answers.append)
    asker.run_once()
    assert answers[3] is None
    assert not reach.reachable


def test_a_code_that_is_no_utf8_does_not_stop_the_link(server: StationServer, line: Line, outbox: Outbox) -> None:
    broken = b"\xff".decode("utf-8", "surrogateescape")
    outbox.add("line1", "cfm", {"pid": 1, "codes": [broken]}).wait(WAIT_S)
    sender(line, outbox).run_once()
    assert server.events[0]["facts"]["codes"] == [broken]


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl to make a certificate")
def test_https_with_a_certificate_of_ones_own_and_no_other(tmp_path: Path) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *files, *subject]
    subprocess.run(make, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = StationServer(context)
    try:
        assert pair(server.url, CODE, "packing-1", [], certificate)["gateway"] == int(GATEWAY)
        with pytest.raises(ServerAway, match="certificate"):
            pair(server.url, CODE, "packing-1", [])
    finally:
        server.stop()
