"""The screen in a command's answer is drawn from what the command knew; it is the one the rows would give."""

from __future__ import annotations

import json
from itertools import count
from typing import Any

from tests.proofs.fire.park import Badge, build
from tests.proofs.fire.walks import plan, walks
from tests.proofs.fire.wire import Ask, Entry
from wms.app import make_house
from wms.core.clock import WallClock
from wms.core.db import Database
from wms.settings import Settings

ORDERS = 5
CALLS_MAX = 200


class Pda:
    """A PDA without a page: every answer to a command, and what it shows when it asks again."""

    def __init__(self, database: Database, badge: Badge) -> None:
        self._client = make_house(database, WallClock(), Settings()).app.test_client()
        self._client.set_cookie("chuwei_pda", badge.token, path="/pda")
        self._headers = {"X-CSRF": badge.csrf}

    def post(self, ask: Ask) -> dict[str, Any]:
        return _drawn(self._client.post(ask.path, json=ask.body, headers=self._headers))

    def state(self) -> dict[str, Any]:
        return _drawn(self._client.get("/pda/state"))


def _drawn(answer: Any) -> dict[str, Any]:
    assert answer.status_code == 200, answer.get_data(as_text=True)
    found: dict[str, Any] = json.loads(answer.data)
    del found["server_ms"]
    return found


def test_a_whole_walk_shows_after_each_scan_what_the_rows_say(database: Database) -> None:
    park = build(database, 1)
    plan(database, park, 1, ORDERS)
    badge = park.people[0]
    pda, totes, seen = Pda(database, badge), count(), set()
    life = walks(park, "L0", 0, totes)
    ask = next(life)
    for _ in range(CALLS_MAX):
        answer = pda.post(ask)
        seen.add(answer["screen"]["step"])
        assert answer == pda.state()
        if answer["screen"]["dialogue"] == "menu":
            break
        ask = life.send(Entry(badge.actor, ask, 200, answer, 1, 0.0, 0.0))
    assert seen == {"scan_cart", "scan_new_tote", "scan_slot", "scan_sku", "scan_tote", "scan_lane", "menu"}


def test_a_refused_or_repeated_scan_is_shown_on_the_screen_of_the_rows(database: Database) -> None:
    park = build(database, 1)
    plan(database, park, 1, ORDERS)
    badge = park.people[0]
    pda, life = Pda(database, badge), walks(park, "L0", 0, count())
    begun = pda.post(next(life))
    wrong = pda.post(Ask("/pda/scan", {"id": "w1", "code": "CW-999", "at_ms": 0}, "w1", "scan"))
    assert wrong["message"]["level"] == "wrong"
    assert wrong["screen"] == begun["screen"] == pda.state()["screen"]
    cart = life.send(Entry(badge.actor, Ask("", {}, "", ""), 200, begun, 1, 0.0, 0.0))
    first, again = pda.post(cart), pda.post(cart)
    assert first == again == pda.state()
