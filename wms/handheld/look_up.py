"""S1, scan anything: what is it, where is it, how much, and what may be done with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wms.core.call import Call
from wms.core.codes import read
from wms.core.dialogue import (
    Choice,
    ChooseCard,
    Dialogue,
    Fact,
    FactsCard,
    Key,
    Move,
    Scan,
    Screen,
    Step,
    TextCard,
    Turn,
    leave,
)
from wms.handheld.finding import Found, find


def _begin(call: Call, given: Mapping[str, Any]) -> Move:
    code = str(given.get("code", ""))
    if not code:
        return Move("scan", {})
    find(call.session, call.warehouse_id, read(code), call.merchant_id)  # refuses what nobody knows
    return Move("card", {"code": code})


def _ask_screen(turn: Turn) -> Screen:
    return Screen(prompt=turn.say("look_up.scan"), keys=[Key("F4", turn.say("look_up.leave"), "leave")])


def _card_screen(turn: Turn) -> Screen:
    call = turn.call
    found = find(call.session, call.warehouse_id, read(str(turn.state["code"])), call.merchant_id)
    return Screen(
        prompt=turn.say("look_up.scan_next"),
        cards=[
            TextCard(turn.say(f"look_up.kind.{found.kind}"), found.title),
            *_facts(turn, found),
            *_choices(turn, found),
        ],
        keys=[Key("F4", turn.say("look_up.leave"), "leave")],
    )


def _facts(turn: Turn, found: Found) -> list[FactsCard]:
    rows = [Fact(turn.say(f"look_up.fact.{label}"), value) for label, value in found.facts[:6]]
    return [FactsCard(rows)] if rows else []


def _choices(turn: Turn, found: Found) -> list[ChooseCard]:
    rows = [Choice(one.code, one.title, one.note) for one in found.inside[:4]]
    return [ChooseCard(rows)] if rows else []


def _scanned(turn: Turn, scan: Scan) -> Move:
    return _begin(turn.call, {"code": scan.raw})


def _chosen(turn: Turn, value: str) -> Move:
    return _begin(turn.call, {"code": value})


LOOK_UP_DIALOGUE = Dialogue(
    name="look_up",
    title="look_up.title",
    right="look_up",
    begin=_begin,
    steps={
        "scan": Step(_ask_screen, frozenset({"card", None}), _scanned, {"leave": leave}),
        "card": Step(_card_screen, frozenset({"card", None}), _scanned, {"leave": leave, "choose": _chosen}),
    },
)
