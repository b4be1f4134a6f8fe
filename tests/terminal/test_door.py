"""Who gets in, what a foreign site can do (nothing), and what each person keeps: language and theme."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.builders import a_park, a_sku
from tests.outbound.orders import place
from tests.terminal.desk import PASSWORD, SESSION, Desk, a_desk
from wms.core.db import Database
from wms.people.values import Role


@pytest.fixture
def empty(sqlite_database: Database) -> Desk:
    """A terminal at which nobody sits."""
    return a_desk(a_park(sqlite_database))


def test_the_street_leads_to_the_terminal_and_the_terminal_to_the_log_in(empty: Desk) -> None:
    assert empty.client.get("/").headers["Location"] == "/terminal/"
    answer = empty.client.get("/terminal/waves?wave=W1")
    assert answer.status_code == 302
    assert answer.headers["Location"] == "/terminal/login?next=%2Fterminal%2Fwaves%3Fwave%3DW1"
    assert "登录" in empty.page("login")


def test_logging_in_sets_a_cookie_no_script_and_no_other_site_can_use(empty: Desk) -> None:
    empty.hire()
    answer = empty.log_in(next="/terminal/waves")
    assert answer.json == {"next": "/terminal/waves"}
    cookie = next(one for one in answer.headers.getlist("Set-Cookie") if one.startswith(SESSION))
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert "Path=/terminal" in cookie


def test_a_wrong_password_is_refused_like_an_unknown_name(empty: Desk) -> None:
    empty.hire()
    wrong, unknown = empty.log_in(password="not the password"), empty.log_in("nobody")
    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json["error"]["reason"] == unknown.json["error"]["reason"] == "password_wrong"


def test_a_form_of_another_site_cannot_log_anybody_in(empty: Desk) -> None:
    empty.hire()
    form = {"warehouse": "1", "login": "cheng", "password": PASSWORD}
    assert empty.client.post("/terminal/login", data=form).status_code == 400


@pytest.mark.parametrize("next_page", ["https://evil.example/", "//evil.example/", "/pda/", "/terminal/\\evil", ""])
def test_a_link_never_leads_out_of_the_terminal(empty: Desk, next_page: str) -> None:
    empty.hire()
    assert empty.log_in(next=next_page).json == {"next": "/terminal/"}


def test_who_lacks_the_right_is_told_which_and_who_can_give_it(empty: Desk) -> None:
    empty.hire("worker", Role.WORKER)
    empty.log_in("worker")
    answer = empty.client.get("/terminal/")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "see_terminal" in page
    assert "经理或管理员" in page
    assert empty.client.get("/terminal/live").status_code == 403
    assert empty.client.get("/terminal/waves").status_code == 403


def test_no_command_is_done_without_the_page_s_mark(sqlite_desk: Desk) -> None:
    deed = {"id": "1", "deed": "make_waves", "args": {}}
    for path, content in (("do", deed), ("language", {"language": "en"}), ("theme", {"theme": "dark"}), ("logout", {})):
        answer = sqlite_desk.post(path, content, csrf="stolen")
        assert (answer.status_code, answer.json["error"]["reason"]) == (403, "csrf_wrong"), path
    assert sqlite_desk.post("do", deed).status_code == 200


def test_each_deed_asks_for_its_own_right(sqlite_database: Database) -> None:
    desk = a_desk(a_park(sqlite_database))
    desk.hire(role=Role.SUPERVISOR)
    desk.log_in()
    answer = desk.do("approve_count", count=1)
    assert (answer.status_code, answer.json["error"]["facts"]) == (403, {"right": "approve"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"deed": "make_waves"}, "bad_input"),
        ({"id": "1", "deed": "no_such"}, "bad_input"),
        ({"id": "1", "deed": "empty_chute", "args": {"chute": "7"}}, "bad_input"),
        ({"id": "1", "deed": "empty_chute", "args": {"chute": 77}}, "chute_unknown"),
        ({"id": "1", "deed": "pick_first", "args": {"courier": "YD", "at": "tomorrow"}}, "bad_input"),
        ({"id": "1", "deed": "pick_first", "args": {"courier": "YD", "at": "2026-11-07T16:00:00"}}, "bad_input"),
        ({"id": "1", "deed": "release_wave", "args": {"wave": "W9"}}, "wave_unknown"),
        ({"id": "1", "deed": "make_waves", "args": []}, "bad_input"),
    ],
)
def test_a_deed_that_makes_no_sense_is_refused_with_its_reason(
    sqlite_desk: Desk, content: dict[str, object], reason: str
) -> None:
    assert sqlite_desk.post("do", content).json["error"]["reason"] == reason


def test_language_and_theme_belong_to_the_person(sqlite_desk: Desk) -> None:
    assert 'lang="zh-CN" data-theme="light"' in sqlite_desk.page("waves")
    sqlite_desk.post("language", {"language": "en"})
    sqlite_desk.post("theme", {"theme": "dark"})
    assert 'lang="en" data-theme="dark"' in sqlite_desk.page("waves")
    sqlite_desk.hire("zhou", Role.SUPERVISOR, name="周工")
    sqlite_desk.log_in("zhou")
    assert 'lang="zh-CN" data-theme="light"' in sqlite_desk.page("waves")


def test_logging_out_ends_the_session_and_old_cookies_open_nothing(sqlite_desk: Desk) -> None:
    token = sqlite_desk.client.get_cookie(SESSION, path="/terminal")
    assert token is not None
    assert sqlite_desk.post("logout", {}).status_code == 200
    sqlite_desk.client.set_cookie(SESSION, token.value, path="/terminal")
    assert sqlite_desk.client.get("/terminal/").status_code == 302


def test_an_unknown_section_is_not_found(sqlite_desk: Desk) -> None:
    assert sqlite_desk.client.get("/terminal/treasure").status_code == 404
    answer = sqlite_desk.client.get("/terminal/live?section=treasure")
    assert answer.json
    assert answer.json["error"]["reason"] == "bad_input"


@pytest.mark.parametrize("page", ["login", "", "look"])
def test_an_address_that_no_database_can_hold_is_refused_before_anybody_logs_in(empty: Desk, page: str) -> None:
    answer = empty.client.get(f"/terminal/{page}?q=a%00b")
    assert (answer.status_code, answer.get_json()["error"]["reason"]) == (400, "bad_input")


@pytest.mark.parametrize("option", ["width", "people", "page", "bay", "move", "pid"])
def test_a_digit_that_is_no_number_is_an_option_left_out(empty: Desk, option: str) -> None:
    place(empty.park, "N1", (empty.park.act(a_sku), 1))  # so that the day has a curve
    empty.park.clock.at += timedelta(hours=2)
    empty.hire()
    empty.log_in()
    for section in ("", "waves", "slots", "line"):
        assert empty.client.get(f"/terminal/{section}?{option}=²").status_code == 200
