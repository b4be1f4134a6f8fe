"""The parts that all dialogues share."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from wms.core.call import Call, Who
from wms.core.dialogue import (
    Card,
    CountsCard,
    Fact,
    FactsCard,
    Input,
    Key,
    LocationCard,
    Pip,
    Screen,
    Turn,
    WalkMap,
    leave,
    leave_key,
    pips,
)

WORDS = {"scan_source": "refill.source", "scan_item": "refill.item", "scan_target": "refill.target"}


@pytest.fixture
def turn() -> Turn:
    who = Who("person:1", warehouse_id=1, language="en")
    return Turn(Call(Session(), who, "r", datetime(2026, 11, 30, tzinfo=UTC)), {})


@pytest.mark.parametrize(
    ("now", "marks"),
    [
        ("scan_source", ["now", "next", "next"]),
        ("scan_item", ["done", "now", "next"]),
        ("scan_target", ["done", "done", "now"]),
        (None, ["done", "done", "done"]),
    ],
)
def test_steps_before_the_one_at_hand_are_done_and_those_after_it_wait(
    turn: Turn, now: str | None, marks: list[str]
) -> None:
    assert [(pip.label, pip.state) for pip in pips(turn, WORDS, now)] == list(
        zip([turn.say(key) for key in WORDS.values()], marks, strict=True)
    )


def test_a_step_that_has_no_mark_is_a_mistake_of_ours(turn: Turn) -> None:
    with pytest.raises(ValueError, match="not in list"):
        pips(turn, WORDS, "type_quantity")


def test_a_screen_is_told_with_all_that_is_in_it() -> None:
    drawn = WalkMap((0, 0, 9, 9), "M0 0", "", "1,1", "2,2", (1, 1), (2, 2))
    cards: list[Card] = [
        LocationCard("go", "A01", "aisle 1", 1, 3, "now", 12, drawn),
        CountsCard(3, 1, 2, 0, ("should", "done")),
        FactsCard([Fact("batch", "B1", good=True), Fact("order", "A-1")]),
    ]
    screen = Screen("scan", pips=(Pip("slot", "now"),), cards=cards, keys=[Key("F1", "short", "short")])
    told = screen.to_json()
    assert told["cards"] == [{"kind": card.kind, **asdict(card)} for card in cards]
    assert (told["prompt"]["pips"], told["keys"]) == ([asdict(screen.pips[0])], [asdict(screen.keys[0])])
    assert told["input"] is None
    typed = Input("quantity", "how many", "quantity", "3", 1, 3)
    assert Screen("type", input=typed).to_json()["input"] == asdict(typed)


def test_the_key_that_leaves_sends_what_leaves(turn: Turn) -> None:
    key = leave_key(turn)
    assert (key.key, key.action) == ("F4", "leave")
    assert leave(turn, "").step is None
