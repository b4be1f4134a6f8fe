"""The PDA's doors: log in, see where one stands, scan, act. Every changing call carries the page's CSRF token and an
id.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from flask import Blueprint, Response, render_template, request

from wms.core import codes
from wms.core.call import Call, Who
from wms.core.clock import WallClock
from wms.core.i18n import LANGUAGES, catalogue
from wms.core.json_in import read_object
from wms.core.perform import Outcome, perform, to_json
from wms.core.refusal import Reason, Refused
from wms.core.straight import Answer, Asked
from wms.core.web import edge, json_response, straight, wait_asked
from wms.handheld import shell
from wms.people import gate
from wms.people import queries as people_queries
from wms.people import service as people
from wms.site import queries as site_queries

SESSION_COOKIE = "chuwei_pda"
CSRF_COOKIE = "csrf"
SESSION_S = 12 * 3600
WAIT_S_MAX = 20.0
VERSION = re.compile(r"[0-9]{1,9}")
WALL = WallClock()
PAGE_TEXTS = ("pda.",)

handheld_pages = Blueprint("handheld", __name__, url_prefix="/pda", static_folder="static", template_folder="templates")


@handheld_pages.get("/")
def page() -> str:
    return render_template("pda.html")


@handheld_pages.get("/selftest")
def self_test() -> str:
    return render_template("selftest.html")


@handheld_pages.get("/texts")
def texts() -> Response:
    """The page's own words in one language."""
    language = request.args.get("language", "zh")
    if language not in LANGUAGES:
        raise Refused(Reason.BAD_INPUT, what="language: zh or en")
    return json_response(_texts(language))


@cache
def _texts(language: str) -> str:
    return to_json({key: words[language] for key, words in catalogue().items() if key.startswith(PAGE_TEXTS)})


@handheld_pages.post("/login")
def log_in() -> Response:
    """Badge and PIN on an enrolled device; sets the session's cookies."""
    body, at = _body(), edge()
    here = _warehouse_of(str(body.get("device", "")))
    opened = gate.log_in(
        at.db,
        WALL,
        warehouse_id=here,
        device_code=str(body.get("device", "")),
        badge=_badge(str(body.get("badge", ""))),
        pin=str(body.get("pin", "")),
        station_id=_station(here, body.get("station")),
    )
    who, _csrf = at.db.read(lambda session: people_queries.who_has_session(session, opened.token, WALL.now()))
    answer = json_response(to_json(shell.envelope(at.db, at.clock, who)))
    secure = request.is_secure
    answer.set_cookie(
        SESSION_COOKIE, opened.token, max_age=SESSION_S, httponly=True, secure=secure, samesite="Strict", path="/pda"
    )
    answer.set_cookie(CSRF_COOKIE, opened.csrf, max_age=SESSION_S, secure=secure, samesite="Strict", path="/pda")
    return answer


@handheld_pages.post("/logout")
def log_out() -> Response:
    _who(changing=True)
    gate.log_out(edge().db, WALL, request.cookies[SESSION_COOKIE])
    answer = json_response("{}")
    answer.delete_cookie(SESSION_COOKIE, path="/pda")
    return answer


@handheld_pages.get("/state")
def state() -> Response:
    """Where this person stands; with `since` (a version) and `wait_s` it waits for a change made elsewhere."""
    who, at = _who(), edge()
    since, wait_s = _known_version(request.args.get("since")), wait_asked(WAIT_S_MAX)
    if since is not None and wait_s:
        name = f"person:{who.person_id}"
        seen = at.db.wakes.seen(name)
        if _version(who) == since:
            at.db.wakes.wait(name, seen, wait_s)
    return json_response(to_json(shell.envelope(at.db, at.clock, who)))


@handheld_pages.get("/ahead")
def ahead() -> Response:
    """What lies ahead of the screen with this token: for a PDA that may lose its network."""
    who, at = _who(), edge()
    return json_response(to_json(shell.ahead(at.db, at.clock, who)))


def _known_version(text: str | None) -> int | None:
    """The version a page shows; None where it shows none. Raises BAD_INPUT."""
    if text is None:
        return None
    if not VERSION.fullmatch(text):
        raise Refused(Reason.BAD_INPUT, what="since: the version shown, a whole number")
    return int(text)


def _version(who: Who) -> int:
    return edge().db.read(lambda session: shell.standing(session, who.person_id or 0).version)


@handheld_pages.post("/scan")
@straight
def scan(asked: Asked) -> Answer:
    who, body, at = _who_asks(asked), read_object(asked.body or b"{}"), edge()
    aim = str(body["aim"]) if body.get("aim") else None
    left = shell.Left()
    outcome = shell.scan(at.db, at.clock, who, _text(body, "id"), _text(body, "code"), aim, _made_on(body), left=left)
    return 200, _screen(who, outcome, left)


@handheld_pages.post("/action")
@straight
def action(asked: Asked) -> Answer:
    who, body, at = _who_asks(asked), read_object(asked.body or b"{}"), edge()
    action_id, name, value = _text(body, "id"), _text(body, "action"), str(body.get("value", ""))
    left = shell.Left()
    outcome = shell.act(at.db, at.clock, who, action_id, name, value, _made_on(body), left=left)
    return 200, _screen(who, outcome, left)


@handheld_pages.post("/language")
def language() -> Response:
    who, body, at = _who(changing=True), _body(), edge()
    chosen = _text(body, "language")
    outcome = perform(
        at.db,
        at.clock,
        who,
        str(body.get("id") or f"language-{at.clock.now().timestamp()}"),
        chosen,
        lambda call: _set_language(call, chosen),
    )
    return json_response(_screen(_who(), outcome))


def _set_language(call: Call, chosen: str) -> dict[str, Any]:
    people.set_language(call, chosen)
    return {"message": None}


def _screen(who: Who, outcome: Outcome, left: shell.Left | None = None) -> str:
    """The screen as it is now, with what the command said. A refusal of ours (5xx) has gone another way."""
    at = edge()
    return to_json(shell.envelope(at.db, at.clock, who, outcome, left))


def _who(*, changing: bool = False) -> Who:
    """Who is logged in here. Raises NOT_LOGGED_IN, CSRF_WRONG."""
    token = request.cookies.get(SESSION_COOKIE, "")
    return _who_has(token, request.headers.get("X-CSRF", "") if changing else None)


def _who_asks(asked: Asked) -> Who:
    """Who is logged in here and wants something done. Raises NOT_LOGGED_IN, CSRF_WRONG."""
    return _who_has(asked.cookie(SESSION_COOKIE), asked.header("X-CSRF"))


def _who_has(token: str, mark: str | None) -> Who:
    """`mark` is what the page sent against forged requests; None where nothing is changed."""
    db = edge().db
    who, csrf = db.read(lambda session: people_queries.who_has_session(session, token, WALL.now()))
    if mark is not None:
        if mark != csrf:
            raise Refused(Reason.CSRF_WRONG)
        gate.stay_awake(db, WALL, token)
    return who


def _warehouse_of(device_code: str) -> int:
    """Devices carry their warehouse. Raises DEVICE_NOT_ENROLLED."""
    return edge().db.read(lambda session: people_queries.warehouse_of_device(session, device_code))


def _badge(scanned: str) -> str:
    """A badge's label, or what is written on it."""
    read = codes.read(scanned)
    return read.body if read.kind in (codes.Kind.BADGE, codes.Kind.PLAIN) else ""


def _station(warehouse_id: int, scanned: object) -> int | None:
    if not scanned:
        return None
    code = codes.read(str(scanned)).body
    return edge().db.read(lambda session: site_queries.station_by_code(session, warehouse_id, code)).id


def _made_on(body: dict[str, Any]) -> shell.MadeOn | None:
    """For what was kept on the device: the work it belongs to. A hand that is online is judged where it stands now."""
    if body.get("kept") is not True:
        return None
    work = body.get("work")
    if not isinstance(work, dict) or type(work.get("version")) is not int:
        raise Refused(Reason.BAD_INPUT, what="work: {task, version} of what was kept")
    task = work.get("task")
    return shell.MadeOn(task if type(task) is int else None, work["version"])


def _body() -> dict[str, Any]:
    return read_object(request.get_data(cache=True) or b"{}")


def _text(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value or len(value) > 256:
        raise Refused(Reason.BAD_INPUT, what=f"{name}: text of 1-256 characters")
    return value
