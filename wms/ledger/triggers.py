"""Movements are append-only: the database itself refuses to change or delete one."""

from __future__ import annotations

SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS movement_never_changes BEFORE UPDATE ON movement "
    "BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS movement_never_goes BEFORE DELETE ON movement "
    "BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION movement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'movements are append-only'; END $$",
    "CREATE OR REPLACE TRIGGER movement_never_changes BEFORE UPDATE ON movement "
    "FOR EACH ROW EXECUTE FUNCTION movement_is_append_only()",
    "CREATE OR REPLACE TRIGGER movement_never_goes BEFORE DELETE OR TRUNCATE ON movement "
    "FOR EACH STATEMENT EXECUTE FUNCTION movement_is_append_only()",
)
NAMES = ("movement_never_changes", "movement_never_goes")


def statements(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers on `dialect` ("sqlite" or "postgresql")."""
    return POSTGRESQL if dialect == "postgresql" else SQLITE
