"""Who works here, which programs may ask, and what each may do."""

from __future__ import annotations

import re
import threading
from functools import partial

import pytest
from sqlalchemy import event

from tests.builders import Park, a_park, a_person
from wms.core.db import Database
from wms.core.refusal import Reason, Refused
from wms.people import queries, rules, secrets, service
from wms.people.values import RIGHTS, Right, Role, rights_of


@pytest.fixture
def park(database: Database) -> Park:
    return a_park(database)


def test_every_right_belongs_to_the_admin_and_to_somebody_else_or_the_house() -> None:
    assert RIGHTS[Role.ADMIN] == frozenset(Right)
    assert set(RIGHTS) == set(Role)
    of_others = frozenset().union(*(rights for role, rights in RIGHTS.items() if role is not Role.ADMIN))
    assert {right.value.partition("_")[0] for right in frozenset(Right) - of_others} == {"manage"}


def test_a_merchant_may_touch_nothing_on_the_floor() -> None:
    assert not RIGHTS[Role.MERCHANT] & (RIGHTS[Role.WORKER] | RIGHTS[Role.PACKER] | RIGHTS[Role.LINE])


def test_only_named_rights_open_doors() -> None:
    rules.require(rights_of(Role.PACKER), Right.PACK)
    with pytest.raises(Refused) as no:
        rules.require(rights_of(Role.PACKER), Right.ADJUST_STOCK)
    assert (no.value.reason, no.value.facts) == (Reason.NOT_ALLOWED, {"right": "adjust_stock"})


@pytest.mark.parametrize("pin", ["123", "123456789", "12a4", "1111", "", "１２３４"])
def test_weak_pins_are_refused(pin: str) -> None:
    with pytest.raises(Refused) as no:
        rules.check_pin(pin)
    assert no.value.reason is Reason.BAD_INPUT


@pytest.mark.parametrize("pin", ["1234", "12345678", "1112"])
def test_pins_have_four_to_eight_digits(pin: str) -> None:
    rules.check_pin(pin)


@pytest.mark.parametrize(("length", "lawful"), [(9, False), (10, True), (128, True), (129, False)])
def test_passwords_have_ten_to_128_signs(length: int, lawful: bool) -> None:
    if lawful:
        rules.check_password("p" * length)
        return
    with pytest.raises(Refused):
        rules.check_password("p" * length)


def test_a_badge_belongs_to_one_person(park: Park) -> None:
    add = partial(service.add_person, badge="W1", name="林", role="worker")
    park.act(add)
    with pytest.raises(Refused) as no:
        park.act(add)
    assert no.value.reason is Reason.ALREADY_EXISTS


@pytest.mark.parametrize("wrong", [{"role": "king"}, {"language": "fr"}, {"name": "  "}, {"badge": "a\nb"}])
def test_people_are_listed_properly_or_not_at_all(park: Park, wrong: dict[str, str]) -> None:
    facts = {"badge": "W1", "name": "林", "role": "worker", **wrong}
    with pytest.raises(Refused) as no:
        park.act(lambda call: service.add_person(call, **facts))
    assert no.value.reason is Reason.BAD_INPUT


def test_people_choose_their_own_language_and_sound(park: Park) -> None:
    lin = a_person(park, "林")
    lin.act(lambda call: service.set_language(call, "en"))
    lin.act(lambda call: service.set_sound(call, volume=30, speech=True))
    person = park.read(lambda session: queries.person_by_id(session, park.warehouse_id, lin.person_id))
    assert (person.language, person.volume, person.speech) == ("en", 30, True)
    with pytest.raises(Refused):
        lin.act(lambda call: service.set_sound(call, volume=101, speech=True))


def test_a_key_opens_with_its_roles_rights_and_its_merchant_only(park: Park) -> None:
    key = park.act(lambda call: service.make_key(call, role="merchant", merchant_id=7))
    assert re.fullmatch(r"cw_[a-z0-9]{8}_[A-Za-z0-9_-]{43}", key)
    who = park.read(lambda session: queries.who_has_key(session, key))
    assert (who.merchant_id, who.rights, who.warehouse_id) == (7, rights_of(Role.MERCHANT), park.warehouse_id)
    assert re.fullmatch(r"key:\d+", who.actor)


def test_a_merchants_key_needs_the_merchant(park: Park) -> None:
    with pytest.raises(Refused) as no:
        park.act(lambda call: service.make_key(call, role="merchant"))
    assert no.value.reason is Reason.BAD_INPUT


@pytest.mark.parametrize("key", ["", "cw_abcdefgh_" + "x" * 43, "Bearer", "cw_" + "x" * 5_000, "cw_abc' OR 1=1 --"])
def test_made_up_keys_open_nothing(park: Park, key: str) -> None:
    with pytest.raises(Refused) as no:
        park.read(lambda session: queries.who_has_key(session, key))
    assert no.value.reason is Reason.KEY_UNKNOWN


def test_a_revoked_key_opens_nothing(park: Park) -> None:
    key = park.act(lambda call: service.make_key(call, role="integrator"))
    park.read(lambda session: queries.who_has_key(session, key))
    (listed,) = park.read(lambda session: queries.keys(session, park.warehouse_id))
    park.act(lambda call: service.revoke_key(call, listed.prefix))
    with pytest.raises(Refused) as no:
        park.read(lambda session: queries.who_has_key(session, key))
    assert no.value.reason is Reason.KEY_UNKNOWN
    with pytest.raises(Refused):
        park.act(lambda call: service.revoke_key(call, listed.prefix))


def test_a_key_is_looked_up_once_in_five_seconds(park: Park) -> None:
    key = park.act(lambda call: service.make_key(call, role="integrator"))
    asked: list[str] = []
    event.listen(park.database.read_engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    for _ in range(10):
        park.read(lambda session: queries.who_has_key(session, key))
    assert len([each for each in asked if "api_key" in each]) == 1


def test_a_third_hash_waits_until_one_of_two_is_made() -> None:
    made: list[str] = []
    third = threading.Thread(target=lambda: made.append(secrets.slow_hash("2468")))
    with secrets.at_once:
        with secrets.at_once:
            third.start()
            third.join(0.3)
            assert made == []
        third.join(20)
        assert made


def test_people_at_work_are_those_with_an_open_session(park: Park) -> None:
    a_person(park, "林")
    assert park.read(lambda session: queries.people_at_work(session, park.warehouse_id)) == []
    assert [each.name for each in park.read(lambda session: queries.people(session, park.warehouse_id))] == ["林"]


def test_who_is_bound_to_a_merchant_has_no_right_over_everybodys_goods() -> None:
    everybodys = {Right.RELEASE_WAVES, Right.SORT, Right.CONTROL_LINE, Right.SEE_TERMINAL, Right.MANAGE_COURIERS}
    for role in Role:
        assert not {right.value for right in everybodys} & rights_of(role, 7)
        assert rights_of(role, 7) <= rights_of(role)
    assert rights_of(Role.MERCHANT, 7) == rights_of(Role.MERCHANT)
