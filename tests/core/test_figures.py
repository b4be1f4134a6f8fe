"""SQLite is told how large its tables are, and every connection hears of it."""

from __future__ import annotations

from sqlalchemy import text
from sqlalchemy.orm import Session

from wms.core.db import Database
from wms.core.db.figures import ROWS_MIN, learn_figures

_FILL = text(
    "INSERT INTO file_mark (name, value) WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < :n) "
    "SELECT :prefix || i, '{}' FROM n"
)
_KNOWN = text("SELECT stat FROM sqlite_stat1 WHERE tbl = 'file_mark'")


def fill(database: Database, prefix: str, rows: int) -> None:
    database.transact(lambda session: session.execute(_FILL, {"n": rows, "prefix": prefix}))


def rows_known(database: Database) -> list[int]:
    return database.read(lambda session: [int(stat.split()[0]) for stat in session.scalars(_KNOWN)])


def test_a_table_that_has_grown_is_news_once(sqlite_database: Database) -> None:
    fill(sqlite_database, "a", 10 * ROWS_MIN)
    assert learn_figures(sqlite_database)
    assert rows_known(sqlite_database) == [10 * ROWS_MIN]
    assert not learn_figures(sqlite_database)


def test_figures_of_a_small_table_are_not_believed(sqlite_database: Database) -> None:
    fill(sqlite_database, "a", ROWS_MIN // 2)
    assert not learn_figures(sqlite_database)
    assert rows_known(sqlite_database) == []
    fill(sqlite_database, "b", 10 * ROWS_MIN)
    assert learn_figures(sqlite_database)


def test_the_writer_does_not_remember_what_was_thrown_away(sqlite_database: Database) -> None:
    """The look itself puts figures into the head of its own connection; a small table is to be large there too."""
    plan = "EXPLAIN QUERY PLAN SELECT 1 FROM few JOIN many ON many.name = few.name WHERE few.kind = 'a'"
    sqlite_database.transact(_many_of_a_kind)
    sqlite_database.transact(lambda session: session.execute(text("CREATE TABLE few (name VARCHAR, kind VARCHAR)")))
    sqlite_database.transact(lambda session: session.execute(text("CREATE INDEX few_by_kind ON few (kind)")))
    sqlite_database.transact(lambda session: session.execute(text("INSERT INTO few VALUES ('n1', 'a')")))
    assert learn_figures(sqlite_database)
    found = sqlite_database.transact(lambda session: [row[3] for row in session.execute(text(plan))])
    assert any("few_by_kind" in step for step in found), found


def test_a_connection_that_was_open_before_hears_of_it(sqlite_database: Database) -> None:
    fill(sqlite_database, "a", 2 * ROWS_MIN)
    assert learn_figures(sqlite_database)  # from now on the table of the figures is there
    sqlite_database.transact(_many_of_a_kind)

    def found_by(name: str) -> str:
        """Who only explains reads no schema anew, and one that was explained before is told as it was."""
        plan = f"EXPLAIN QUERY PLAN SELECT 1 FROM many WHERE kind = 'a' AND size = 1 AND hue = 1 AND name = '{name}'"
        with Session(sqlite_database.read_engine) as session:
            session.execute(text("SELECT count(*) FROM many WHERE name = 'n1'"))
            return str(session.execute(text(plan)).all()[0][3])

    assert "by_kind" in found_by("n7")
    assert learn_figures(sqlite_database)
    assert "by_name" in found_by("n8")


def _many_of_a_kind(session: Session) -> None:
    session.execute(text("CREATE TABLE many (name VARCHAR, kind VARCHAR, size INTEGER, hue INTEGER)"))
    session.execute(text("CREATE INDEX by_name ON many (name)"))
    session.execute(text("CREATE INDEX by_kind ON many (kind, size, hue)"))
    rows = [{"name": f"n{number}"} for number in range(2 * ROWS_MIN)]
    session.execute(text("INSERT INTO many VALUES (:name, 'a', 1, 1)"), rows)


def test_a_server_that_counts_by_itself_is_left_alone(database: Database) -> None:
    if not database.is_sqlite:
        assert not learn_figures(database)
