"""Logging in at a device, being locked out, being taken over."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from tests.builders import Park, a_park, at_once
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.core.tables import AuditRow
from wms.people import gate, queries, secrets, service
from wms.people.tables import LoginSession, Person
from wms.people.values import IDLE_MAX, Role, Session, rights_of

PIN = "2468"


@dataclass(frozen=True)
class Gate:
    park: Park

    def enter(self, pin: str = PIN, *, badge: str = "W1", device: str = "PDA-01") -> Session:
        return gate.log_in(
            self.park.database,
            self.park.clock,
            warehouse_id=self.park.warehouse_id,
            device_code=device,
            badge=badge,
            pin=pin,
        )

    def reason(self, pin: str = PIN, *, badge: str = "W1", device: str = "PDA-01") -> Reason:
        with pytest.raises(Refused) as no:
            self.enter(pin, badge=badge, device=device)
        return no.value.reason

    def who(self, token: str) -> str:
        now = self.park.clock.now()
        return self.park.read(lambda session: queries.who_has_session(session, token, now))[0].actor

    def why_not(self, token: str) -> Refused:
        with pytest.raises(Refused) as no:
            self.who(token)
        return no.value


@pytest.fixture
def door(database: Database) -> Gate:
    park = a_park(database)
    park.act(lambda call: service.add_person(call, badge="W1", name="林小满", role="worker", pin=PIN))
    for number in (1, 2):
        code = f"PDA-0{number}"
        park.act(lambda call, code=code: service.enrol_device(call, code=code, kind="handheld", name=f"手持 {code}"))  # type: ignore[misc]
    return Gate(park)


def test_badge_and_pin_open_a_session_with_the_roles_rights(door: Gate) -> None:
    session = door.enter()
    who, csrf = door.park.read(lambda each: queries.who_has_session(each, session.token, door.park.clock.now()))
    assert (who.person_id, who.rights, who.language, csrf) == (
        session.person_id,
        rights_of(Role.WORKER),
        "zh",
        session.csrf,
    )
    assert who.device_id is not None
    assert session.token != session.csrf


def test_the_database_does_not_know_the_token(door: Gate) -> None:
    session = door.enter()
    (row,) = door.park.read(lambda each: each.scalars(select(LoginSession)).all())
    assert row.token_hash == secrets.fast_hash(session.token) != session.token


def test_the_database_does_not_know_the_pin(door: Gate) -> None:
    (person,) = door.park.read(lambda each: each.scalars(select(Person)).all())
    assert person.pin_hash is not None
    assert person.pin_hash.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


def test_an_unknown_badge_and_a_strange_device_are_refused(door: Gate) -> None:
    assert door.reason(badge="W9") is Reason.BADGE_UNKNOWN
    assert door.reason(device="PDA-99") is Reason.DEVICE_NOT_ENROLLED


def test_a_wrong_pin_tells_how_many_tries_are_left(door: Gate) -> None:
    with pytest.raises(Refused) as no:
        door.enter("1357")
    assert (no.value.reason, no.value.facts) == (Reason.PIN_WRONG, {"left": 4})


def test_the_fifth_wrong_pin_locks_for_fifteen_minutes(door: Gate) -> None:
    assert [door.reason("1357") for _ in range(5)] == [Reason.PIN_WRONG] * 4 + [Reason.PERSON_LOCKED]
    assert door.reason() is Reason.PERSON_LOCKED
    door.park.clock.advance(minutes=14, seconds=59)
    assert door.reason() is Reason.PERSON_LOCKED
    door.park.clock.advance(seconds=1)
    assert door.enter().person_id


def test_four_wrong_pins_and_a_right_one_begin_the_count_anew(door: Gate) -> None:
    for _ in range(4):
        door.reason("1357")
    door.enter()
    assert [door.reason("1357") for _ in range(4)] == [Reason.PIN_WRONG] * 4
    assert door.enter().person_id


def test_wrong_pins_tried_at_once_are_all_counted(door: Gate) -> None:
    answers = at_once([partial(door.enter, "1357")] * 5)
    reasons = [answer.reason for answer in answers if isinstance(answer, Refused)]
    assert sorted(reasons) == [Reason.PERSON_LOCKED] + [Reason.PIN_WRONG] * 4


def test_a_new_pin_lifts_the_lock(door: Gate) -> None:
    person_id = door.enter().person_id
    for _ in range(5):
        door.reason("1357")
    door.park.act(lambda call: service.set_pin(call, person_id, "9753"))
    assert door.enter("9753").person_id == person_id
    assert door.reason(PIN) is Reason.PIN_WRONG


def test_logging_in_elsewhere_takes_over_and_tells_both(door: Gate) -> None:
    old = door.enter(device="PDA-01")
    door.park.clock.advance(minutes=1)
    new = door.enter(device="PDA-02")
    assert new.took_over_from == "手持 PDA-01"
    assert door.who(new.token) == f"person:{new.person_id}"
    no = door.why_not(old.token)
    assert (no.reason, no.facts) == (Reason.LOGGED_IN_ELSEWHERE, {"device": "手持 PDA-02"})


def test_logging_in_again_at_the_same_device_takes_over_from_nobody(door: Gate) -> None:
    door.enter()
    assert door.enter().took_over_from is None


def test_one_person_has_one_open_session(door: Gate) -> None:
    for device in ("PDA-01", "PDA-02", "PDA-01"):
        door.enter(device=device)
    still_open = select(LoginSession).where(LoginSession.ended_at.is_(None))
    assert len(door.park.read(lambda each: each.scalars(still_open).all())) == 1


def test_logging_out_ends_the_session(door: Gate) -> None:
    token = door.enter().token
    for _ in range(2):
        gate.log_out(door.park.database, door.park.clock, token)
    assert door.why_not(token).reason is Reason.NOT_LOGGED_IN


def test_a_made_up_token_opens_nothing(door: Gate) -> None:
    assert door.why_not("x" * 43).reason is Reason.NOT_LOGGED_IN


def test_a_session_ends_after_a_quarter_of_an_hour_of_idling(door: Gate) -> None:
    token = door.enter().token
    door.park.clock.advance(minutes=15)
    assert door.who(token)
    door.park.clock.advance(seconds=1)
    assert door.why_not(token).reason is Reason.NOT_LOGGED_IN


def test_a_session_in_use_stays_awake(door: Gate) -> None:
    token = door.enter().token
    for _ in range(3):
        door.park.clock.advance(minutes=10)
        gate.stay_awake(door.park.database, door.park.clock, token)
    assert door.who(token)


def test_a_device_that_is_shut_out_ends_its_sessions(door: Gate) -> None:
    token = door.enter().token
    door.park.act(lambda call: service.revoke_device(call, "PDA-01"))
    assert door.why_not(token).reason is Reason.NOT_LOGGED_IN
    assert door.reason() is Reason.DEVICE_NOT_ENROLLED
    door.park.act(lambda call: service.enrol_device(call, code="PDA-01", kind="handheld", name="手持"))
    assert door.enter().person_id


def test_who_was_dismissed_comes_in_no_more(door: Gate) -> None:
    session = door.enter()
    door.park.act(lambda call: service.dismiss(call, session.person_id))
    assert door.why_not(session.token).reason is Reason.NOT_LOGGED_IN
    assert door.reason() is Reason.BADGE_UNKNOWN


def test_a_supervisor_logs_in_with_a_password(door: Gate) -> None:
    add = partial(service.add_person, badge="S1", name="程丽", role="supervisor", login="cheng", password="hall lamp 7")
    person_id = door.park.act(add)
    enter = partial(gate.log_in_with_password, door.park.database, door.park.clock, warehouse_id=door.park.warehouse_id)
    session = enter(login="cheng", password="hall lamp 7")
    assert session.person_id == person_id
    door.park.clock.advance(minutes=15, seconds=1)
    assert door.park.clock.now() - IDLE_MAX > door.park.clock.now() - timedelta(hours=8)
    assert door.who(session.token)
    for login, password in (("cheng", "hall lamp 8"), ("chang", "hall lamp 7")):
        with pytest.raises(Refused) as no:
            enter(login=login, password=password)
        assert no.value.reason is Reason.PASSWORD_WRONG


def test_the_trail_knows_who_came_in_and_who_tried(door: Gate) -> None:
    door.reason("1357")
    door.enter()
    trail = door.park.read(lambda each: each.scalars(select(AuditRow.what).order_by(AuditRow.number)).all())
    assert trail[-2:] == ["person.wrong_secret", "person.logged_in"]
