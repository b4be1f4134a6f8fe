"""Commands from outside: asked twice, done once, answered alike."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.builders import MORNING, at_once
from wms.core.call import Call, Who
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.outbox import WAKE, announce
from wms.core.perform import Outcome, perform, stored, system_call
from wms.core.refusal import Reason, Refused
from wms.core.tables import FileMark, OutboxRow, RequestRow

WHO = Who("key:1", 1, language="en")


def marked(call: Call) -> dict[str, object]:
    """A command with an effect that shows: how many marks there are now."""
    count = call.session.scalar(select(func.count()).select_from(FileMark)) or 0
    call.session.add(FileMark(name=f"mark {count}", value=call.request_id))
    return {"marks": count + 1, "at": call.now}


def refused(call: Call) -> dict[str, object]:
    marked(call)
    raise Refused(Reason.SLOT_BLOCKED, slot="A01-01-1A")


def asked(
    database: Database,
    work: Callable[[Call], dict[str, object]],
    request_id: str = "r1",
    *,
    content: str = "please",
    who: Who = WHO,
    status: int = 200,
) -> Outcome:
    return perform(database, HandClock(MORNING), who, request_id, content, work, status=status)


def marks(database: Database) -> int:
    return database.read(lambda session: session.scalar(select(func.count()).select_from(FileMark))) or 0


def test_a_command_is_done_and_answered(database: Database) -> None:
    outcome = asked(database, marked, status=201)
    assert (outcome.status, outcome.content, outcome.replayed) == (201, {"marks": 1, "at": MORNING.isoformat()}, False)
    assert marks(database) == 1


def test_the_same_request_again_gets_the_same_answer_and_does_nothing(database: Database) -> None:
    first, again = asked(database, marked, status=201), asked(database, marked, status=201)
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    assert marks(database) == 1


def test_the_same_request_id_with_other_content_is_refused(database: Database) -> None:
    asked(database, marked)
    outcome = asked(database, marked, content="something else")
    assert (outcome.status, outcome.content["error"]["reason"]) == (422, "request_id_reused")
    assert marks(database) == 1


def test_request_ids_belong_to_who_asks(database: Database) -> None:
    asked(database, marked)
    other = asked(database, marked, who=Who("key:2", 1))
    assert (other.status, other.replayed) == (200, False)
    assert marks(database) == 2


def test_a_refusal_undoes_the_work_and_is_answered_in_words(database: Database) -> None:
    outcome = asked(database, refused)
    assert outcome.status == 409
    assert outcome.content == {
        "error": {
            "reason": "slot_blocked",
            "message": "The slot is blocked: A01-01-1A",
            "facts": {"slot": "A01-01-1A"},
        }
    }
    assert marks(database) == 0


def test_a_refusal_stays_even_when_its_cause_is_gone(database: Database) -> None:
    first, again = asked(database, refused), asked(database, marked)
    assert first.replayed is False, "said for the first time"
    assert (again.status, again.body, again.replayed) == (409, first.body, True)
    assert marks(database) == 0


def test_a_breakdown_of_ours_is_not_stored(database: Database) -> None:
    def broken(call: Call) -> dict[str, object]:
        marked(call)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asked(database, broken)
    assert marks(database) == 0
    assert asked(database, marked).replayed is False


def test_being_busy_is_not_stored(database: Database) -> None:
    def busy(call: Call) -> dict[str, object]:
        raise Refused(Reason.BUSY)

    with pytest.raises(Refused):
        asked(database, busy)
    assert asked(database, marked).status == 200


@pytest.mark.parametrize("request_id", ["", "x" * 129, "a\nb"])
def test_a_command_needs_a_proper_request_id(database: Database, request_id: str) -> None:
    with pytest.raises(Refused) as no:
        asked(database, marked, request_id)
    assert no.value.reason is Reason.REQUEST_ID_MISSING


def test_the_longest_request_id_is_kept_whole(database: Database) -> None:
    assert asked(database, marked, "x" * 128).replayed is False
    assert asked(database, marked, "x" * 128).replayed is True


def test_copies_sent_at_once_have_one_effect_and_one_answer(database: Database) -> None:
    for number in range(5):
        before = marks(database)
        outcomes = at_once([partial(asked, database, marked, f"storm {number}")] * 8)
        bodies = {outcome.body for outcome in outcomes if isinstance(outcome, Outcome)}
        assert len(bodies) == 1, outcomes
        assert all(isinstance(outcome, Outcome) and outcome.status == 200 for outcome in outcomes)
        assert marks(database) == before + 1


def test_copies_of_a_refused_command_get_one_refusal(database: Database) -> None:
    outcomes = at_once([partial(asked, database, refused)] * 8)
    assert len({outcome.body for outcome in outcomes if isinstance(outcome, Outcome)}) == 1
    assert database.read(lambda session: session.scalar(select(func.count()).select_from(RequestRow))) == 1


def test_those_who_wait_are_woken_after_the_commit_and_not_after_a_refusal(database: Database) -> None:
    def announced(call: Call) -> dict[str, object]:
        announce(call, "order.shipped", "order:1")
        return {}

    def announced_in_vain(call: Call) -> dict[str, object]:
        announced(call)
        raise Refused(Reason.NO_WORK)

    seen = database.wakes.seen(WAKE)
    asked(database, announced_in_vain, "r1")
    assert database.wakes.seen(WAKE) == seen
    assert database.read(lambda session: session.scalars(select(OutboxRow.id)).all()) == []
    asked(database, announced, "r2")
    assert database.wakes.seen(WAKE) == seen + 1


def test_a_command_is_answered_with_200_unless_told_otherwise(database: Database) -> None:
    outcome = perform(database, HandClock(MORNING), WHO, "r1", "please", marked)
    assert outcome.status == 200
    assert asked(database, marked).replayed, "and kept under that status"


def test_what_was_asked_is_compared_as_bytes_too(database: Database) -> None:
    for content in ("请", "请".encode()):
        assert perform(database, HandClock(MORNING), WHO, "r1", content, marked).status == 200
    assert marks(database) == 1


@pytest.mark.parametrize("request_id", ["a", "x" * 128])
def test_the_shortest_and_the_longest_request_id_serve(database: Database, request_id: str) -> None:
    assert asked(database, marked, request_id).status == 200


def test_another_askers_answer_under_the_same_id_is_not_shown(database: Database) -> None:
    asked(database, marked, who=Who("key:2", 1))
    asked(database, marked, who=Who("key:3", 1))
    mine, again = asked(database, refused), asked(database, refused)
    assert (mine.status, again.status, again.replayed) == (409, 409, True)


def test_answers_keep_their_signs_and_moments(database: Database) -> None:
    outcome = asked(database, lambda call: {"name": "储位", "at": call.now, "who": Who("key:9", 1).rights})
    assert '"name":"储位"' in outcome.body
    assert outcome.content["at"] == MORNING.isoformat()
    assert outcome.content["who"] == str(frozenset())


def test_a_key_broken_by_the_work_itself_is_an_error_of_ours(database: Database) -> None:
    def twice(call: Call) -> dict[str, object]:
        call.session.add_all([FileMark(name="same", value="1"), FileMark(name="same", value="2")])
        return {}

    with pytest.raises(IntegrityError):
        asked(database, twice)
    assert marks(database) == 0


def test_what_the_work_left_in_the_session_is_written_before_its_answer(database: Database) -> None:
    """So that a mark that cannot be written is found out before an answer is stored."""
    asked(database, marked, "r1")
    stored = database.read(lambda session: session.scalars(select(FileMark.value)).all())
    assert stored == ["r1"]


def test_a_no_of_exactly_500_would_not_be_kept(database: Database) -> None:
    """BUSY is 503, the only one there is; the boundary itself is held by the reasons' statuses."""
    assert {reason.status for reason in Reason if reason.status >= 500} == {503}


def test_wakes_of_a_try_that_failed_are_forgotten(database: Database) -> None:
    tries: list[int] = []

    def again(call: Call) -> dict[str, object]:
        tries.append(1)
        if len(tries) == 1:
            call.wakes.add("in vain")
            raise OperationalError("", {}, Exception("database is locked"))
        call.wakes.add("done")
        return {}

    before = {name: database.wakes.seen(name) for name in ("in vain", "done")}
    asked(database, again)
    assert {name: database.wakes.seen(name) - before[name] for name in before} == {"in vain": 0, "done": 1}
    tries.clear()
    system_call(database, HandClock(MORNING), 1, again, request_id="night")
    assert {name: database.wakes.seen(name) - before[name] for name in before} == {"in vain": 0, "done": 2}


def test_a_command_of_the_house_may_act_for_somebody(database: Database) -> None:
    def whoever(call: Call) -> str:
        return f"{call.actor} in {call.warehouse_id}"

    clock = HandClock(MORNING)
    assert system_call(database, clock, 1, whoever, request_id="a") == "system in 1"
    assert system_call(database, clock, 1, whoever, request_id="b", actor="audit") == "audit in 1"
    assert system_call(database, clock, 1, whoever, request_id="c", who=Who("person:7", 2)) == "person:7 in 2"


def test_a_command_of_the_house_stores_no_answer(database: Database) -> None:
    answer = system_call(database, HandClock(MORNING), 1, marked, request_id="night")
    assert answer["marks"] == 1
    assert database.read(lambda session: session.scalar(select(func.count()).select_from(RequestRow))) == 0


def test_an_answer_that_was_given_is_found_again_without_doing_anything(database: Database) -> None:
    assert stored(database, WHO, "r1", "please") is None
    first = asked(database, marked, status=201)
    again = stored(database, WHO, "r1", "please")
    assert again is not None
    assert (again.status, again.body, again.replayed) == (201, first.body, True)
    other = stored(database, WHO, "r1", "other")
    assert other is not None
    assert other.status == Reason.REQUEST_ID_REUSED.status
    with pytest.raises(Refused) as no:
        stored(database, WHO, "", "please")
    assert no.value.reason is Reason.REQUEST_ID_MISSING
    assert marks(database) == 1
