"""The manager's figures as a file for a spreadsheet."""

from __future__ import annotations

from flask import Response
from flask.typing import ResponseReturnValue

from wms.core.web import edge
from wms.terminal.pages.blueprints import WALL, terminal_pages
from wms.terminal.pages.who import sitter
from wms.terminal.queries.look import look
from wms.terminal.rules.sheets import as_csv, as_xlsx
from wms.terminal.sections.gains import export_table, measured_by
from wms.terminal.words import Reader

XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@terminal_pages.get("/slots/figures.<any(csv, xlsx):kind>")
def slot_figures(kind: str) -> ResponseReturnValue:
    """Before, after and every week, in the reader's language."""
    found, at = sitter(), edge()
    here = at.db.read(lambda session: look(session, found.who.warehouse_id, at.clock.now(), WALL.now()).here)
    figures = at.db.read(lambda session: measured_by(look(session, found.who.warehouse_id, at.clock.now(), WALL.now())))
    reader = Reader(found.who.language, here.zone)
    table = export_table(figures, reader, here.name)
    content, mime = (as_csv(table), "text/csv; charset=utf-8") if kind == "csv" else (as_xlsx(table, "figures"), XLSX)
    answer = Response(content, mimetype=mime)
    answer.headers["Content-Disposition"] = f'attachment; filename="slots-{at.clock.now():%Y-%m-%d}.{kind}"'
    answer.headers["Cache-Control"] = "no-store"
    return answer
