"""The parts that all dialogues share."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from sqlalchemy.orm import Session

from wms.core.call import Call, Who
from wms.core.dialogue import Turn, leave, leave_key, pips

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


def test_the_key_that_leaves_sends_what_leaves(turn: Turn) -> None:
    key = leave_key(turn)
    assert (key.key, key.action) == ("F4", "leave")
    assert leave(turn, "").step is None
