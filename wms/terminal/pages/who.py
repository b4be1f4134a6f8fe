"""Who sits at the terminal: the session behind the cookie, his language, his theme."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import Session

from wms.core.call import Who
from wms.core.i18n import LANGUAGES
from wms.core.json_in import read_object
from wms.core.perform import error_body, to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response
from wms.people import gate
from wms.people import queries as people
from wms.people.rules import require
from wms.people.values import PersonFacts, Right
from wms.terminal.pages.blueprints import WALL, terminal_pages

SESSION_COOKIE = "chuwei_terminal"
SESSION_S = 12 * 3600
YEAR_S = 366 * 24 * 3600
THEMES = ("light", "dark")
PATH = "/terminal"


@dataclass(frozen=True, slots=True)
class Sitter:
    """Somebody logged in at a browser."""

    who: Who
    csrf: str
    person: PersonFacts

    @property
    def theme(self) -> str:
        chosen = request.cookies.get(theme_cookie(self.person.id), "")
        return chosen if chosen in THEMES else THEMES[0]


def theme_cookie(person_id: int) -> str:
    """Each person has his own choice, also where several share one screen."""
    return f"theme_{person_id}"


def anyone() -> Sitter:
    """Who sits here, whatever he may do. Raises NOT_LOGGED_IN, LOGGED_IN_ELSEWHERE."""
    token, at = request.cookies.get(SESSION_COOKIE, ""), edge()

    def ask(session: Session) -> Sitter:
        who, csrf = people.who_has_session(session, token, WALL.now())
        assert who.person_id is not None
        return Sitter(who, csrf, people.person_by_id(session, who.warehouse_id, who.person_id))

    return at.db.read(ask)


def sitter(*, changing: bool = False) -> Sitter:
    """Who sits here and may see the terminal; a change also needs the page's own mark.

    Raises NOT_LOGGED_IN, NOT_ALLOWED, CSRF_WRONG.
    """
    found = anyone()
    require(found.who.rights, Right.SEE_TERMINAL)
    if changing:
        check_csrf(found)
    return found


def check_csrf(found: Sitter) -> None:
    if request.headers.get("X-CSRF", "") != found.csrf:
        raise Refused(Reason.CSRF_WRONG)
    gate.stay_awake(edge().db, WALL, request.cookies.get(SESSION_COOKIE, ""))


def best_language() -> str:
    """Before anybody is logged in: what was asked for, or what the browser speaks."""
    asked = request.args.get("language", "")
    return asked if asked in LANGUAGES else request.accept_languages.best_match(LANGUAGES, "zh") or "zh"


def body() -> dict[str, Any]:
    """The JSON object of a POST. Raises BAD_INPUT."""
    if request.mimetype != "application/json":
        raise Refused(Reason.BAD_INPUT, what="Content-Type: application/json")
    return read_object(request.get_data(cache=True) or b"{}")


def field(given: dict[str, Any], name: str, length_max: int = 256) -> str:
    value = given.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= length_max:
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


_LOGGED_OUT = (Reason.NOT_LOGGED_IN, Reason.LOGGED_IN_ELSEWHERE)


@terminal_pages.errorhandler(Refused)
def refused(no: Refused) -> ResponseReturnValue:
    """A page that may not be seen says so as a page; everything else gets the one error envelope."""
    if request.method != "GET" or request.endpoint == "terminal.live":
        return _envelope(no)
    if no.reason in _LOGGED_OUT:
        next_page = request.full_path.rstrip("?") if request.endpoint != "terminal.log_in_page" else f"{PATH}/"
        return redirect(f"{PATH}/login?{urlencode({'next': next_page})}")
    from wms.terminal.pages.views import state_page

    try:
        return state_page(no)
    except Refused:  # nobody is logged in who could be shown a page
        return _envelope(no)


def _envelope(no: Refused) -> Response:
    try:
        language = anyone().who.language
    except Refused:
        language = best_language()
    return json_response(to_json(error_body(no, language)), no.reason.status)
