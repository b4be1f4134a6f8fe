"""Row numbers that leave the house: they stand on labels, in gateways' files, in other programs.

Such a number is never given twice. On PostgreSQL a sequence sees to that; on SQLite the table is declared with
`**NEVER_AGAIN`, or the number of a deleted last row would be given anew.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

NEVER_AGAIN: dict[str, Any] = {"sqlite_autoincrement": True}
LEAP = 1_000_000  # more numbers than a large house gives in a day

_PG_SEQUENCES = "SELECT quote_ident(sequencename) FROM pg_sequences WHERE schemaname = current_schema()"

_PG_LEAP = "SELECT setval(CAST(:name AS regclass), nextval(CAST(:name AS regclass)) + :leap)"


def leap(session: Session) -> None:
    """Let every number that leaves the house go on a million further: those between may be known out there."""
    if session.get_bind().dialect.name == "sqlite":
        session.execute(text("UPDATE sqlite_sequence SET seq = seq + :leap"), {"leap": LEAP})
        return
    for name in session.scalars(text(_PG_SEQUENCES)).all():
        session.execute(text(_PG_LEAP), {"name": name, "leap": LEAP})
