"""In and out, language and theme."""

from __future__ import annotations

from flask import Response, render_template, request
from flask.typing import ResponseReturnValue

from wms.core.call import Call
from wms.core.i18n import LANGUAGES
from wms.core.ids import new_id
from wms.core.perform import perform, to_json
from wms.core.refusal import Reason, Refused
from wms.core.web import edge, json_response, respond
from wms.people import gate
from wms.people import service as people
from wms.site import queries as site
from wms.site.values import WarehouseFacts
from wms.terminal.pages.blueprints import WALL, terminal_pages
from wms.terminal.pages.who import (
    PATH,
    SESSION_COOKIE,
    SESSION_S,
    THEMES,
    YEAR_S,
    anyone,
    best_language,
    body,
    check_csrf,
    field,
    theme_cookie,
)
from wms.terminal.words import Reader

SECRET_MAX = 128


@terminal_pages.get("/login")
def log_in_page() -> ResponseReturnValue:
    """Name and password; the building too where there are several."""
    language = best_language()
    warehouses = edge().db.read(site.warehouses)
    zone = warehouses[0].zone if warehouses else WarehouseFacts(0, "", "", "UTC", {}).zone
    return render_template(
        "terminal/login.html",
        r=Reader(language, zone),
        theme=THEMES[0],
        warehouses=warehouses,
        next=_own_page(request.args.get("next", "")),
        why="",
    )


def _own_page(asked: str) -> str:
    """Only our own pages: a link must not send somebody who logged in elsewhere."""
    return asked if asked.startswith(f"{PATH}/") and "//" not in asked and "\\" not in asked else f"{PATH}/"


@terminal_pages.post("/login")
def log_in() -> Response:
    """Sets the session's cookie. JSON only, so that no form of another site can log somebody in."""
    given, at = body(), edge()
    code = field(given, "warehouse", 40)
    here = next((one for one in at.db.read(site.warehouses) if one.code == code), None)
    if here is None:
        raise Refused(Reason.NOT_FOUND, what=code[:40])
    name, password = field(given, "login", 60), field(given, "password", SECRET_MAX)
    opened = gate.log_in_with_password(at.db, WALL, warehouse_id=here.id, login=name, password=password)
    answer = json_response(to_json({"next": _own_page(str(given.get("next", "")))}))
    answer.set_cookie(
        SESSION_COOKIE,
        opened.token,
        max_age=SESSION_S,
        httponly=True,
        secure=request.is_secure,
        samesite="Strict",
        path=PATH,
    )
    return answer


@terminal_pages.post("/logout")
def log_out() -> Response:
    check_csrf(anyone())
    gate.log_out(edge().db, WALL, request.cookies[SESSION_COOKIE])
    answer = json_response("{}")
    answer.delete_cookie(SESSION_COOKIE, path=PATH)
    return answer


@terminal_pages.post("/language")
def choose_language() -> Response:
    """His own language, also on the PDA; the page is loaded again where it stands."""
    found, at = anyone(), edge()
    check_csrf(found)
    chosen = field(body(), "language", 2)
    if chosen not in LANGUAGES:
        raise Refused(Reason.BAD_INPUT, what="language")

    def choose(call: Call) -> dict[str, str]:
        people.set_language(call, chosen)
        return {"language": chosen}

    return respond(perform(at.db, at.clock, found.who, f"language-{new_id()}", chosen, choose))


@terminal_pages.post("/theme")
def choose_theme() -> Response:
    found = anyone()
    check_csrf(found)
    chosen = field(body(), "theme", 5)
    if chosen not in THEMES:
        raise Refused(Reason.BAD_INPUT, what="theme")
    answer = json_response(to_json({"theme": chosen}))
    answer.set_cookie(
        theme_cookie(found.person.id),
        chosen,
        max_age=YEAR_S,
        httponly=True,
        secure=request.is_secure,
        samesite="Strict",
        path=PATH,
    )
    return answer
