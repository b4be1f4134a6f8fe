"""What the database itself refuses: to change or delete a movement, to put goods into a retired slot, to retire a slot
with goods in it, to take a retirement back or delete a slot.

PostgreSQL: whoever adds goods shares the place's row, whoever retires its slot wants it alone, so one of the two waits
and then sees what the other did. The slot's own row is left out of it on purpose: who takes a slot keeps that row first
and touches stock after, and would meet here somebody who came the other way.
"""

from __future__ import annotations

_ENTERS = "goods never enter a retired slot"
_LEAVES = "a slot with goods is never retired"
_STAYS = "a retired slot stays retired, and no slot is deleted"
_RETIRED = "EXISTS (SELECT 1 FROM slot WHERE place_id = NEW.place_id AND retired)"
_GOODS = "EXISTS (SELECT 1 FROM stock WHERE place_id = NEW.place_id AND on_hand > 0)"

SQLITE = (
    "CREATE TRIGGER IF NOT EXISTS movement_never_changes BEFORE UPDATE ON movement "
    "BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END",
    "CREATE TRIGGER IF NOT EXISTS movement_never_goes BEFORE DELETE ON movement "
    "BEGIN SELECT RAISE(ABORT, 'movements are append-only'); END",
    f"CREATE TRIGGER IF NOT EXISTS stock_enters_no_retired_slot BEFORE INSERT ON stock "
    f"WHEN NEW.on_hand > 0 AND {_RETIRED} BEGIN SELECT RAISE(ABORT, '{_ENTERS}'); END",
    f"CREATE TRIGGER IF NOT EXISTS stock_grows_in_no_retired_slot BEFORE UPDATE OF on_hand ON stock "
    f"WHEN NEW.on_hand > OLD.on_hand AND {_RETIRED} BEGIN SELECT RAISE(ABORT, '{_ENTERS}'); END",
    f"CREATE TRIGGER IF NOT EXISTS slot_retires_empty BEFORE UPDATE OF retired ON slot "
    f"WHEN NEW.retired AND NOT OLD.retired AND {_GOODS} BEGIN SELECT RAISE(ABORT, '{_LEAVES}'); END",
    f"CREATE TRIGGER IF NOT EXISTS slot_stays_retired BEFORE UPDATE OF retired ON slot "
    f"WHEN OLD.retired AND NOT NEW.retired BEGIN SELECT RAISE(ABORT, '{_STAYS}'); END",
    f"CREATE TRIGGER IF NOT EXISTS slot_never_goes BEFORE DELETE ON slot BEGIN SELECT RAISE(ABORT, '{_STAYS}'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION movement_is_append_only() RETURNS trigger LANGUAGE plpgsql AS "
    "$$ BEGIN RAISE EXCEPTION 'movements are append-only'; END $$",
    "CREATE OR REPLACE TRIGGER movement_never_changes BEFORE UPDATE ON movement "
    "FOR EACH ROW EXECUTE FUNCTION movement_is_append_only()",
    "CREATE OR REPLACE TRIGGER movement_never_goes BEFORE DELETE OR TRUNCATE ON movement "
    "FOR EACH STATEMENT EXECUTE FUNCTION movement_is_append_only()",
    "CREATE OR REPLACE FUNCTION place_takes_goods() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM 1 FROM place WHERE id = NEW.place_id FOR KEY SHARE; "
    f"IF {_RETIRED} THEN RAISE EXCEPTION '{_ENTERS}'; END IF; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER stock_enters_no_retired_slot BEFORE INSERT ON stock "
    "FOR EACH ROW WHEN (NEW.on_hand > 0) EXECUTE FUNCTION place_takes_goods()",
    "CREATE OR REPLACE TRIGGER stock_grows_in_no_retired_slot BEFORE UPDATE OF on_hand ON stock "
    "FOR EACH ROW WHEN (NEW.on_hand > OLD.on_hand) EXECUTE FUNCTION place_takes_goods()",
    "CREATE OR REPLACE FUNCTION slot_is_empty() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM 1 FROM place WHERE id = NEW.place_id FOR UPDATE; "
    f"IF {_GOODS} THEN RAISE EXCEPTION '{_LEAVES}'; END IF; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER slot_retires_empty BEFORE UPDATE OF retired ON slot "
    "FOR EACH ROW WHEN (NEW.retired AND NOT OLD.retired) EXECUTE FUNCTION slot_is_empty()",
    "CREATE OR REPLACE FUNCTION slot_is_for_ever() RETURNS trigger LANGUAGE plpgsql AS "
    f"$$ BEGIN RAISE EXCEPTION '{_STAYS}'; END $$",
    "CREATE OR REPLACE TRIGGER slot_stays_retired BEFORE UPDATE OF retired ON slot "
    "FOR EACH ROW WHEN (OLD.retired AND NOT NEW.retired) EXECUTE FUNCTION slot_is_for_ever()",
    "CREATE OR REPLACE TRIGGER slot_never_goes BEFORE DELETE ON slot FOR EACH ROW EXECUTE FUNCTION slot_is_for_ever()",
)
NAMES = ("movement_never_changes", "movement_never_goes")
SLOT_NAMES = (
    "stock_enters_no_retired_slot",
    "stock_grows_in_no_retired_slot",
    "slot_retires_empty",
    "slot_stays_retired",
    "slot_never_goes",
)


def statements(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers on `dialect` ("sqlite" or "postgresql")."""
    return POSTGRESQL if dialect == "postgresql" else SQLITE
