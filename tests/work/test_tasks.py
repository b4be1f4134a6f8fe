"""One task is in one pair of hands."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest

from tests.builders import MORNING, Park, a_park, a_person, at_once
from wms.core.call import Call
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.work import queries, service
from wms.work.values import TaskFacts, TaskState

KIND = "put_away"


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def at(park: Park, task_id: int) -> TaskFacts:
    return park.act(lambda call: queries.task_by_id(call, task_id))


def created(park: Park, subject: str = "container:1", **facts: object) -> int:
    return park.act(lambda call: service.create(call, KIND, subject, **facts))  # type: ignore[arg-type]


def test_a_task_asked_for_twice_is_one_task_and_the_more_urgent(park: Park) -> None:
    first = created(park, priority=5, slot="A01-01-1A")
    again = created(park, priority=2)
    assert first == again
    assert (at(park, first).priority, at(park, first).facts) == (2, {"slot": "A01-01-1A"})
    created(park, priority=7)
    assert at(park, first).priority == 2


def test_a_task_asked_for_again_keeps_the_sooner_time(park: Park) -> None:
    task_id = created(park, due_at=MORNING + timedelta(hours=2))
    created(park, due_at=MORNING + timedelta(hours=1))
    created(park, due_at=MORNING + timedelta(hours=3))
    created(park)
    assert at(park, task_id).due_at == MORNING + timedelta(hours=1)


def test_a_task_that_was_done_opens_anew_with_new_facts(park: Park) -> None:
    lin = a_person(park, "林")
    task_id = created(park, round=1)
    lin.act(lambda call: service.claim(call, task_id))
    lin.act(lambda call: service.done(call, task_id))
    assert created(park, round=2) == task_id
    task = at(park, task_id)
    assert (task.state, task.facts, task.claimed_by, task.done_at) == (TaskState.OPEN, {"round": 2}, None, None)


@pytest.mark.parametrize("priority", [0, 10])
def test_priorities_run_from_one_to_nine(park: Park, priority: int) -> None:
    with pytest.raises(Refused) as no:
        created(park, priority=priority)
    assert no.value.reason is Reason.BAD_INPUT


def test_who_claims_second_is_told_who_has_it(park: Park) -> None:
    lin, fang = a_person(park, "林小满"), a_person(park, "方志远")
    task_id = created(park)
    lin.act(lambda call: service.claim(call, task_id))
    with pytest.raises(Refused) as no:
        fang.act(lambda call: service.claim(call, task_id))
    assert (no.value.reason, no.value.facts) == (Reason.TASK_TAKEN, {"name": "林小满"})


def test_claiming_ones_own_task_again_changes_nothing(park: Park) -> None:
    lin = a_person(park, "林")
    task_id = created(park)
    assert lin.act(lambda call: service.claim(call, task_id)) == lin.act(lambda call: service.claim(call, task_id))


def test_of_several_who_claim_at_once_one_wins(park: Park) -> None:
    people = [a_person(park, name) for name in ("甲", "乙", "丙", "丁")]
    for number in range(8):
        task_id = created(park, f"container:{number}")
        answers = at_once([partial(person.act, partial(claimed, task_id)) for person in people])
        assert sorted(str(answer) for answer in answers if not isinstance(answer, Refused)) == [str(task_id)]
        told = [answer.reason for answer in answers if isinstance(answer, Refused)]
        assert told == [Reason.TASK_TAKEN] * 3


def claimed(task_id: int, call: Call) -> int:
    return service.claim(call, task_id).id


def test_of_many_who_ask_for_work_at_once_none_gets_the_same(park: Park) -> None:
    people = [a_person(park, name) for name in ("甲", "乙", "丙", "丁", "戊", "己")]
    for number in range(4):
        created(park, f"container:{number}")
    got = at_once([partial(next_of, person) for person in people])
    tasks = [each for each in got if each is not None]
    assert len(tasks) == len(set(tasks)) > 0
    # Who looked while another held a row for a moment may have found nothing; nothing is lost by that.
    for person in people:
        next_of(person)
    assert {task.state for task in park.read(lambda session: queries.tasks(session, 1))} == {TaskState.CLAIMED}


def test_the_next_work_is_ones_own_in_progress(park: Park) -> None:
    lin = a_person(park, "林")
    mine = created(park, "container:1", priority=9)
    lin.act(lambda call: service.claim(call, mine))
    created(park, "container:2", priority=1)
    assert next_of(lin) == mine


def next_of(person: Park, kinds: tuple[str, ...] = (KIND,)) -> int | None:
    task = person.act(lambda call: service.claim_next(call, kinds))
    return task.id if task else None


def test_the_next_work_is_urgent_first_then_due_then_in_an_empty_zone_then_old(park: Park) -> None:
    busy = a_person(park, "忙")
    in_zone = created(park, "container:0", zone_id=7)
    busy.act(lambda call: service.claim(call, in_zone))
    old = created(park, "container:1")
    park.clock.advance(minutes=1)
    crowded = created(park, "container:2", zone_id=7)
    park.clock.advance(minutes=1)
    quiet = created(park, "container:3", zone_id=8)
    due = created(park, "container:4", due_at=MORNING + timedelta(hours=1))
    urgent = created(park, "container:5", priority=1)
    order = [next_of(a_person(park, str(number))) for number in range(5)]
    assert order == [urgent, due, old, quiet, crowded]


def test_work_of_other_kinds_is_not_offered(park: Park) -> None:
    created(park)
    assert next_of(a_person(park, "林"), ("count",)) is None
    assert next_of(a_person(park, "方"), ()) is None


def test_skipped_work_comes_back_when_its_time_is_over(park: Park) -> None:
    lin, fang = a_person(park, "林"), a_person(park, "方")
    task_id = created(park)
    lin.act(lambda call: service.claim(call, task_id))
    lin.act(lambda call: service.skip(call, task_id, 10))
    park.clock.advance(minutes=9, seconds=59)
    assert next_of(fang) is None
    park.clock.advance(seconds=1)
    assert next_of(fang) == task_id


@pytest.mark.parametrize("minutes", [0, 24 * 60 + 1])
def test_work_is_put_off_for_a_minute_to_a_day(park: Park, minutes: int) -> None:
    task_id = created(park)
    with pytest.raises(Refused) as no:
        a_person(park, "林").act(lambda call: service.skip(call, task_id, minutes))
    assert no.value.reason is Reason.BAD_INPUT


def test_only_its_holder_finishes_skips_or_gives_back_a_task(park: Park) -> None:
    lin, fang = a_person(park, "林"), a_person(park, "方")
    task_id = created(park)
    lin.act(lambda call: service.claim(call, task_id))
    for step in (service.done, service.give_back, partial(service.skip, minutes=5)):
        with pytest.raises(Refused) as no:
            fang.act(lambda call, step=step: step(call, task_id))  # type: ignore[misc]
        assert no.value.reason is Reason.TASK_TAKEN
    lin.act(lambda call: service.give_back(call, task_id))
    assert next_of(fang) == task_id


def test_a_task_is_done_once(park: Park) -> None:
    lin = a_person(park, "林")
    task_id = created(park)
    lin.act(lambda call: service.done(call, task_id))
    for step in (service.done, service.cancel, service.claim):
        with pytest.raises(Refused) as no:
            lin.act(lambda call, step=step: step(call, task_id))  # type: ignore[misc]
        assert no.value.reason is Reason.TASK_DONE


def test_a_task_handed_over_is_the_others_next_work(park: Park) -> None:
    lin, fang = a_person(park, "林"), a_person(park, "方")
    task_id = created(park)
    lin.act(lambda call: service.claim(call, task_id))
    park.act(lambda call: service.hand_over(call, task_id, fang.person_id))
    assert next_of(fang) == task_id
    assert next_of(lin) is None


def test_a_task_is_not_handed_to_a_stranger(park: Park) -> None:
    task_id = created(park)
    with pytest.raises(Refused) as no:
        park.act(lambda call: service.hand_over(call, task_id, 999))
    assert no.value.reason is Reason.NOT_FOUND


def test_work_done_on_the_way_leaves_the_board(park: Park) -> None:
    task_id = created(park, "container:1")
    assert park.act(lambda call: service.done_about(call, KIND, "container:1"))
    assert not park.act(lambda call: service.done_about(call, KIND, "container:1"))
    assert not park.act(lambda call: service.cancel_about(call, KIND, "container:9"))
    assert at(park, task_id).state is TaskState.DONE


def test_another_merchants_task_is_not_there(park: Park) -> None:
    task_id = created(park, merchant_id=1)
    assert park.act_for(1, lambda call: queries.task_by_id(call, task_id)).id == task_id
    for look in (queries.task_by_id, service.done, service.cancel):
        with pytest.raises(Refused) as no:
            park.act_for(2, lambda call, look=look: look(call, task_id))  # type: ignore[misc]
        assert no.value.reason is Reason.NOT_FOUND


def test_the_board_counts_open_work_and_people_in_zones(park: Park) -> None:
    lin, fang = a_person(park, "林"), a_person(park, "方")
    first, second = created(park, "container:1", zone_id=7), created(park, "container:2", zone_id=7)
    created(park, "container:3")
    lin.act(lambda call: service.claim(call, first))
    lin.act(lambda call: service.claim(call, second))
    (count,) = park.read(lambda session: queries.board(session, park.warehouse_id))
    assert (count.kind, count.open, count.claimed, count.oldest_at) == (KIND, 1, 2, MORNING)
    assert park.read(lambda session: queries.people_in_zones(session, park.warehouse_id)) == {7: 1}
    assert [t.id for t in park.read(lambda s: queries.tasks_of(s, park.warehouse_id, lin.person_id))] == [first, second]
    assert park.read(lambda session: queries.tasks_of(session, park.warehouse_id, fang.person_id)) == []
