"""Codes are found among those of years.

Revision 0018, after 0017.
"""

from __future__ import annotations

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

NEW = (
    ("asn", "warehouse_id", "no"),
    ("asn", "warehouse_id", "state"),
    ("audit_entry", "day"),
    ("bag", "warehouse_id", "state"),
    ("container", "warehouse_id", "code"),
    ("login_session", "station_id", "ended_at"),
    ("parcel", "manifest_id"),
    ("parcel", "warehouse_id", "made_at"),
    ("sales_order", "warehouse_id", "no"),
)


def upgrade() -> None:
    """Codes are found among those of years."""
    for table, *columns in NEW:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)


def downgrade() -> None:
    """Undo it."""
    for table, *columns in NEW:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
