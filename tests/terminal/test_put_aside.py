"""Work that nobody can begin is shown at the terminal with its reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.builders import Park, a_person
from tests.terminal.desk import Desk
from tests.terminal.scene import found, only
from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.work import service as work


def put_aside(walker: Park) -> int:
    """A box for which somebody was shown no slot; its task."""
    task_id = walker.act(lambda call: work.create(call, "putaway", "container:1", container="LPN-7"))
    walker.act(lambda call: work.claim(call, task_id))
    walker.act(lambda call: work.put_aside(call, task_id, Refused(Reason.NO_SLOT_FITS, why="volume")))
    return task_id


def test_work_that_cannot_be_begun_is_shown_with_its_reason_and_offered_again(desk: Desk) -> None:
    walker = a_person(desk.park, "汪建国")
    task_id = put_aside(walker)
    trouble = only(desk)
    assert (trouble.key, trouble.code) == (f"aside:{task_id}", "P-1104")
    page = desk.page()
    assert "上架 LPN-7 做不了" in page
    assert "没有合适的储位：放不下" in page
    assert walker.act(lambda call: work.claim_next(call, ["putaway"])) is None
    answer = desk.do(trouble.deed.name, **trouble.deed.args)
    assert answer.status_code == 200, answer.json
    assert not found(desk)
    again = walker.act(lambda call: work.claim_next(call, ["putaway"]))
    assert again is not None
    assert again.hindered is None


@pytest.mark.parametrize("ends", [work.cancel, work.done, work.claim])
def test_work_that_is_over_or_in_hand_is_no_trouble_any_more(
    sqlite_desk: Desk, ends: Callable[[Call, int], Any]
) -> None:
    desk = sqlite_desk
    walker = a_person(desk.park, "汪建国")
    task_id = put_aside(walker)
    assert only(desk).key == f"aside:{task_id}"
    walker.act(lambda call: ends(call, task_id))
    assert not found(desk)
