"""The live stream: what changed comes by itself, nothing else does, and the thirteenth is told why not."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest

from tests.outbound.orders import place
from tests.terminal.desk import SESSION, Desk, serving
from tests.terminal.scene import stocked
from wms.terminal.pages.blueprints import STREAMS_MAX

WAIT_S = 60.0
LIVE_S = 3.0
TRIES_MAX = 20


@pytest.fixture
def address(sqlite_desk: Desk) -> Iterator[str]:
    with serving(sqlite_desk) as address:
        yield address


def cookies(desk: Desk) -> dict[str, str]:
    token = desk.client.get_cookie(SESSION, path="/terminal")
    assert token is not None
    return {SESSION: token.value}


@contextmanager
def listening(desk: Desk, address: str, **asked: str) -> Iterator[Iterator[tuple[str, Any]]]:
    """A page's stream: (event, content) as they come."""
    with (
        httpx.Client(cookies=cookies(desk), timeout=WAIT_S) as client,
        client.stream("GET", f"{address}/terminal/live", params={"section": "overview", **asked}) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["Content-Type"].startswith("text/event-stream")
        yield events(answer)


def events(answer: httpx.Response) -> Iterator[tuple[str, Any]]:
    name = ""
    for line in answer.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: "))


def next_panels(stream: Iterator[tuple[str, Any]]) -> dict[str, Any]:
    return next(content["panels"] for name, content in stream if name == "panels")


def test_a_stream_begins_with_what_the_page_has_not_got(sqlite_desk: Desk, address: str) -> None:
    with listening(sqlite_desk, address) as stream:
        first = next_panels(stream)
    assert {"figures", "flow", "ground", "over", "crew", "day", "troubles", "tiles"} == set(first)
    have = ",".join(f"{name}:{panel['mark']}" for name, panel in first.items() if name != "flow")
    with listening(sqlite_desk, address, have=have) as stream:
        assert set(next_panels(stream)) == {"flow"}


def test_only_what_changed_is_sent_and_soon_after_the_commit(sqlite_desk: Desk, address: str) -> None:
    """On a machine that is busy with something else it may take longer: the best counts."""
    tea = stocked(sqlite_desk)
    took_s = [LIVE_S]
    with listening(sqlite_desk, address) as stream:
        next_panels(stream)
        for number in range(1, TRIES_MAX):
            if min(took_s) < LIVE_S and number > 2:
                break
            began_s = time.monotonic()
            place(sqlite_desk.park, f"N{number}", (tea, 1))
            changed = next_panels(stream)
            took_s.append(time.monotonic() - began_s)
            assert "flow" in changed
            assert "tiles" not in changed
            assert f"<b>{number}</b>" in changed["flow"]["html"]
    assert min(took_s) < LIVE_S


def test_a_quiet_stream_beats(sqlite_desk: Desk, address: str) -> None:
    with listening(sqlite_desk, address) as stream:
        next_panels(stream)
        name, content = next(stream)
    assert name == "beat"
    assert content["now_ms"] == round(sqlite_desk.park.clock.now().timestamp() * 1000)


def test_the_thirteenth_stream_is_told_why_and_a_closed_one_makes_room(sqlite_desk: Desk, address: str) -> None:
    client = httpx.Client(cookies=cookies(sqlite_desk), timeout=WAIT_S)
    url = f"{address}/terminal/live"
    streams = [client.stream("GET", url) for _ in range(STREAMS_MAX)]
    opened = [stream.__enter__() for stream in streams]
    assert [answer.status_code for answer in opened] == [200] * STREAMS_MAX
    thirteenth = client.get(url)
    assert thirteenth.status_code == 503
    assert "12" in thirteenth.json()["error"]["message"]
    for stream in streams:
        stream.__exit__(None, None, None)
    until_s = time.monotonic() + WAIT_S
    while time.monotonic() < until_s:
        with client.stream("GET", url) as answer:
            if answer.status_code == 200:
                return
        time.sleep(0.2)
    raise AssertionError("closed streams keep their places")
