"""What SQLite knows of its tables' sizes, without which it guesses that ten rows share any indexed value.

"All holds of order lines" or "all stock of this warehouse" are then taken for few rows, and a question that begins with
them grows with the years. PostgreSQL's server counts by itself; SQLite has to be told to.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.db.engine import Database

ROWS_LOOKED_AT = 400  # of an index, however long it is
# A table that is small today may be large before the next look; without figures SQLite takes it for large.
ROWS_MIN = 1_000

_LIMIT = text(f"PRAGMA analysis_limit = {ROWS_LOOKED_AT}")
_LOOK = text("PRAGMA optimize = 0x10002")  # analyse what grew tenfold, whoever asked of it
_THERE = text("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'")
_KNOWN = text("SELECT tbl, idx, stat FROM sqlite_stat1 ORDER BY tbl, idx")
_FORGET_SMALL = text("DELETE FROM sqlite_stat1 WHERE CAST(stat AS INTEGER) < :rows_min")
_READ_AGAIN = text("ANALYZE sqlite_master")  # analyses nothing: the look itself put all figures into the writer's head
# Other connections read the figures with the schema, and only when that is another.
_TELL = (text("CREATE TABLE figures_are_news (id INTEGER)"), text("DROP TABLE figures_are_news"))


def learn_figures(db: Database) -> bool:
    """Look which tables have grown, and let every connection know; whether anything was news. Some milliseconds."""
    return db.is_sqlite and db.transact(_learn, alone=True)


def _learn(session: Session) -> bool:
    before = _known(session)
    session.execute(_LIMIT)
    session.execute(_LOOK)
    if not session.execute(_THERE).scalar_one():
        return False
    session.execute(_FORGET_SMALL, {"rows_min": ROWS_MIN})
    session.execute(_READ_AGAIN)
    if _known(session) == before:
        return False
    for statement in _TELL:
        session.execute(statement)
    return True


def _known(session: Session) -> list[Any]:
    there = session.execute(_THERE).scalar_one()
    return list(session.execute(_KNOWN).all()) if there else []
