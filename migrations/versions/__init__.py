"""One file per step of the schema; Alembic reads them, nobody imports them."""
