"""What the database itself refuses: to keep a retired slot for somebody, to retire one that is kept.

As with goods (`wms/ledger/triggers.py`), on PostgreSQL both sides meet at the place's row. A lease that is over keeps
nothing; by whose clock it is over, the program says: it takes such rows away before it retires the slot.
"""

from __future__ import annotations

_KEPT = "a retired slot is kept for nobody"
_HELD = "a slot that is kept for somebody is never retired"
_RETIRED = "EXISTS (SELECT 1 FROM slot WHERE place_id = NEW.place_id AND retired)"
_LEASE = "EXISTS (SELECT 1 FROM slot_lease WHERE place_id = NEW.place_id)"

SQLITE = (
    f"CREATE TRIGGER IF NOT EXISTS lease_of_no_retired_slot BEFORE INSERT ON slot_lease "
    f"WHEN {_RETIRED} BEGIN SELECT RAISE(ABORT, '{_KEPT}'); END",
    f"CREATE TRIGGER IF NOT EXISTS slot_retires_unkept BEFORE UPDATE OF retired ON slot "
    f"WHEN NEW.retired AND NOT OLD.retired AND {_LEASE} BEGIN SELECT RAISE(ABORT, '{_HELD}'); END",
)
POSTGRESQL = (
    "CREATE OR REPLACE FUNCTION place_may_be_kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM 1 FROM place WHERE id = NEW.place_id FOR KEY SHARE; "
    f"IF {_RETIRED} THEN RAISE EXCEPTION '{_KEPT}'; END IF; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER lease_of_no_retired_slot BEFORE INSERT ON slot_lease "
    "FOR EACH ROW EXECUTE FUNCTION place_may_be_kept()",
    "CREATE OR REPLACE FUNCTION slot_is_unkept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
    "PERFORM 1 FROM place WHERE id = NEW.place_id FOR UPDATE; "
    f"IF {_LEASE} THEN RAISE EXCEPTION '{_HELD}'; END IF; RETURN NEW; END $$",
    "CREATE OR REPLACE TRIGGER slot_retires_unkept BEFORE UPDATE OF retired ON slot "
    "FOR EACH ROW WHEN (NEW.retired AND NOT OLD.retired) EXECUTE FUNCTION slot_is_unkept()",
)
NAMES = ("lease_of_no_retired_slot", "slot_retires_unkept")


def statements(dialect: str) -> tuple[str, ...]:
    """The statements that make the triggers on `dialect` ("sqlite" or "postgresql")."""
    return POSTGRESQL if dialect == "postgresql" else SQLITE
