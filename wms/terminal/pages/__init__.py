"""The terminal's doors. `terminal_pages` is everything under /terminal, `front_door` leads from / to it."""

from __future__ import annotations

from wms.terminal.pages import commands, door, labels, live, papers, sheets, views
from wms.terminal.pages.blueprints import front_door, terminal_pages

__all__ = ["commands", "door", "front_door", "labels", "live", "papers", "sheets", "terminal_pages", "views"]
