"""A scripted server and a PDA-sized browser page for each test."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor, Server


@pytest.fixture
def floor() -> Iterator[Floor]:
    """The scripted server's behaviour; its address is `floor.url`."""
    floor = Floor()
    server = Server(floor)
    floor.url = server.url  # type: ignore[attr-defined]
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.02), daemon=True)
    thread.start()
    yield floor
    floor.open = False
    server.shutdown()
    server.server_close()
    thread.join(timeout=5)


@pytest.fixture
def pda(browser: Any, floor: Floor) -> Iterator[Handheld]:
    """A PDA of 360 x 640 before it opens the page. Fails on script errors and on what the policy blocked."""
    context = browser.new_context(viewport={"width": 360, "height": 640}, locale="zh-CN")
    handheld = Handheld(context.new_page(), floor)
    yield handheld
    context.close()
    assert handheld.troubles == []
