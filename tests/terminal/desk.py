"""A terminal over a small park: the application, somebody who may use it, and a running server for a browser."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from flask.testing import FlaskClient

from tests.builders import Park, a_park
from wms.core.db import Database
from wms.core.web import Edge, make_flask
from wms.people import service as people
from wms.people.queries import who_has_key
from wms.people.values import Role
from wms.serving.server import Server
from wms.terminal.pages import front_door, terminal_pages

PASSWORD = "correct horse battery"
SESSION = "chuwei_terminal"
CLOSING_S = 5


@dataclass
class Desk:
    """`client` is a browser without a screen; `log_in` sits somebody down at it."""

    park: Park
    app: Any
    client: FlaskClient
    csrf: str = ""
    person_id: int = 0

    def hire(self, login: str = "cheng", role: Role = Role.SUPERVISOR, **facts: Any) -> int:
        name = facts.pop("name", "程丽")
        given = {"badge": f"S-{login}", "name": name, "role": role, "login": login, "password": PASSWORD, **facts}
        self.person_id = self.park.act(lambda call: people.add_person(call, **given))
        return self.person_id

    def log_in(self, login: str = "cheng", password: str = PASSWORD, **given: Any) -> Any:
        answer = self.client.post(
            "/terminal/login", json={"warehouse": "1", "login": login, "password": password, **given}
        )
        if answer.status_code == 200:
            self.csrf = self.mark()
        return answer

    def mark(self) -> str:
        """The page's CSRF mark."""
        page = self.client.get("/terminal/").get_data(as_text=True)
        return page.partition('name="csrf" content="')[2].partition('"')[0]

    def post(self, path: str, content: Any, csrf: str | None = None) -> Any:
        return self.client.post(
            f"/terminal/{path}", json=content, headers={"X-CSRF": self.csrf if csrf is None else csrf}
        )

    def do(self, deed: str, **args: Any) -> Any:
        """Press a button."""
        return self.post("do", {"id": uuid4().hex, "deed": deed, "args": args})

    def page(self, path: str = "") -> str:
        return self.client.get(f"/terminal/{path}").get_data(as_text=True)


def a_desk(park: Park) -> Desk:
    """The application over a park's database, with the park's clock."""
    db = park.database
    app = make_flask(
        "terminal-test", Edge(db, park.clock, lambda key: db.read(lambda session: who_has_key(session, key)))
    )
    app.register_blueprint(terminal_pages)
    app.register_blueprint(front_door)
    return Desk(park, app, app.test_client())


def a_staffed_desk(database: Database, role: Role = Role.MANAGER) -> Desk:
    """Somebody sits at it already."""
    desk = a_desk(a_park(database))
    desk.hire(role=role)
    assert desk.log_in().status_code == 200
    return desk


@contextmanager
def serving(desk: Desk) -> Iterator[str]:
    """The application on a free port of this machine; its address."""
    server = Server(desk.app, "127.0.0.1", 0, threads=24)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.effective_port}"
    finally:
        server.stop()
        thread.join(CLOSING_S)
