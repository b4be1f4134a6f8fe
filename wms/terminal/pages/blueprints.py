"""The blueprints, and what each running application keeps for them: one planner, one board."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock, Semaphore
from typing import cast

from flask import Blueprint, current_app, redirect
from flask.typing import ResponseReturnValue

from wms.core.clock import WallClock
from wms.core.web import edge
from wms.terminal.board import Board
from wms.terminal.service.planner import Planner

STREAMS_MAX = 12
WALL = WallClock()
_KEPT = "chuwei.terminal"
_making = Lock()

terminal_pages = Blueprint(
    "terminal", "wms.terminal", url_prefix="/terminal", static_folder="static", template_folder="templates"
)
front_door = Blueprint("front_door", "wms.terminal")


@dataclass(frozen=True)
class Kept:
    """What lasts as long as the application."""

    board: Board
    planner: Planner
    streams: Semaphore = field(default_factory=lambda: Semaphore(STREAMS_MAX))


def kept() -> Kept:
    """The running application's board and planner, made at first use."""
    with _making:
        if _KEPT not in current_app.extensions:
            at = edge()
            planner = Planner(at.db, at.clock)
            board = Board(at.db, at.clock, WALL, planner, current_app.jinja_env)
            current_app.extensions[_KEPT] = Kept(board, planner)
    return cast(Kept, current_app.extensions[_KEPT])


@front_door.get("/")
def from_the_street() -> ResponseReturnValue:
    """Whoever comes without an address wants the terminal."""
    return redirect("/terminal/")
