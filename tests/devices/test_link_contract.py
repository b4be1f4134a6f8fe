"""The gateway's side of the examples in tests/contract/gateway, which the server's tests read too."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from devices.drivers.dws import facts_of
from devices.drivers.light_modbus import wanted_after
from devices.framing.dws import read_line
from devices.framing.modbus_map import CFM
from devices.link import Key, Line, ServerClock, ServerRefused, pair, sign
from devices.routes import RouteAnswer, RouteTable
from devices.simulators.sorter_modbus import seal
from devices.spool import job_of
from tests.devices.sorter.modbus_bench import Line as ModbusLine

EXAMPLES = Path(__file__).resolve().parents[1] / "contract" / "gateway"
DWS = Path(__file__).resolve().parents[2] / "docs" / "reference" / "dws.md"
REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "gateway.md"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


def outcome(call: Callable[[], dict[str, object]]) -> tuple[int, object]:
    """What came of a call: its answer, or the refusal's reason and facts."""
    try:
        return 200, call()
    except ServerRefused as refusal:
        return refusal.status, (refusal.reason, refusal.facts)


def as_understood(response: dict[str, Any]) -> tuple[int, object]:
    if response["status"] == 200:
        return 200, response["body"]
    error = response["body"]["error"]
    return response["status"], (error["reason"], error["facts"])


class Replayer:
    """Answers every call with one example's response and keeps what was asked."""

    def __init__(self) -> None:
        self.response: dict[str, Any] = {}
        self.asked: list[tuple[str, str, Any, dict[str, str]]] = []
        replayer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                self._replay()

            def do_POST(self) -> None:
                self._replay()

            def _replay(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
                headers = dict(self.headers.items())
                replayer.asked.append((self.command, self.path, json.loads(body) if body else None, headers))
                content = json.dumps(replayer.response["body"]).encode()
                self.send_response(replayer.response["status"])
                for header, value in replayer.response["headers"].items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: Any) -> None:
                """Quiet."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()


@pytest.fixture(scope="module")
def replayer() -> Iterator[Replayer]:
    started = Replayer()
    yield started
    started.http.shutdown()
    started.http.server_close()


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("pair")])
def test_the_signature_of_each_example_is_the_one_we_would_make(name: str) -> None:
    shown = example(name)
    request, headers = shown["request"], shown["request"]["headers"]
    body = request["body_bytes"].encode()
    assert json.loads(body or "null") == request["body"]
    signature = sign(
        bytes.fromhex(shown["key"]), request["method"], request["path"], headers["X-Time"], headers["X-Nonce"], body
    )
    assert signature == headers["X-Signature"]


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("pair")])
def test_our_calls_look_like_the_examples_and_their_answers_are_understood(name: str, replayer: Replayer) -> None:
    shown = example(name)
    request, replayer.response = shown["request"], shown["response"]
    key = Key(request["headers"]["X-Gateway"], bytes.fromhex(shown["key"]))
    line = Line(replayer.url, key, ServerClock())
    path = request["path"].removeprefix("/gateway/v1")
    understood = outcome(lambda: line.post(path, request["body"]) if request["method"] == "POST" else line.get(path))
    line.close()
    assert understood == as_understood(replayer.response)
    method, target, body, headers = replayer.asked[-1]
    assert (method, target, body) == (request["method"], request["path"], request["body"])
    assert set(request["headers"]) <= set(headers)


@pytest.mark.parametrize("name", [name for name in NAMES if name.startswith("pair")])
def test_pairing_looks_like_its_examples(name: str, replayer: Replayer) -> None:
    shown = example(name)
    body, replayer.response = shown["request"]["body"], shown["response"]
    understood = outcome(lambda: pair(replayer.url, body["code"], body["name"], body["devices"]))
    assert understood == as_understood(replayer.response)
    method, target, asked, headers = replayer.asked[-1]
    assert (method, target, asked) == ("POST", "/gateway/v1/pair", body)
    assert "X-Signature" not in headers


def test_the_print_command_of_the_example_is_a_sound_job() -> None:
    command = example("commands")["response"]["body"]["commands"][0]
    assert job_of(command).content == b"\x1b@HELLO\n\x1dV\x42\x00"


def test_the_measures_of_the_example_are_what_the_machines_lines_become() -> None:
    page = DWS.read_text(encoding="utf-8")
    lines = [line for line in page.splitlines() if line.startswith('{"boot"')]
    told = [event["facts"] for event in example("events_machines")["request"]["body"]["events"]][: len(lines)]
    assert [facts_of(measure) for measure in map(read_line, map(str.encode, lines)) if measure] == told


def test_the_lights_of_the_example_are_understood() -> None:
    first, second = (command["facts"] for command in example("commands_lights")["response"]["body"]["commands"])
    lit = wanted_after(frozenset({2}), first, 8)
    assert (lit, wanted_after(lit, second, 8)) == (frozenset({1, 5}), frozenset({3}))


def test_an_unreadable_entry_is_told_as_in_the_example() -> None:
    told = [event for event in example("events_machines")["request"]["body"]["events"] if event["kind"] == "unreadable"]
    line = ModbusLine()
    line.turn(0.2)
    line.write(CFM.address(1), seal([1, 0, 5, 7, 99, *[0] * 42]))
    line.plc._heads["CFM"] = 1
    line.turn(0.2)
    assert line.of_kind("unreadable") == [event["facts"] for event in told]


def test_the_tables_of_the_examples_follow_one_another() -> None:
    table = RouteTable()
    for name in ("routes_full", "routes_changes", "routes_nothing"):
        table.apply(example(name)["response"]["body"], 0.0)
    assert (table.current.version, table.current.overflow, len(table.current)) == (812, 24, 3)
    assert table.current.find("YT9876543210987") is None


def test_the_answers_about_unknown_parcels_are_understood() -> None:
    known = RouteAnswer.of(example("ask")["response"]["body"]).route
    assert known is not None
    assert known.chutes == (9,)
    assert RouteAnswer.of(example("ask_unknown")["response"]["body"]).route is None


def test_the_reference_names_every_example_and_every_kind_of_event() -> None:
    page = REFERENCE.read_text(encoding="utf-8")
    pushed = [*example("events")["request"]["body"]["events"], *example("events_machines")["request"]["body"]["events"]]
    kinds = {event["kind"] for event in pushed}
    assert [name for name in (*NAMES, *kinds) if f"`{name}`" not in page] == []
