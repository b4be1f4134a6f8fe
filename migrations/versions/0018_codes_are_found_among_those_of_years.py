"""Codes are found among those of years.

Revision 0018, after 0017.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

BAG = "ix_parcel_bag_id"
NEW = (
    ("asn", "warehouse_id", "no"),
    ("asn", "warehouse_id", "state"),
    ("audit_entry", "day"),
    ("bag", "warehouse_id", "state"),
    ("container", "warehouse_id", "code"),
    ("login_session", "station_id", "ended_at"),
    ("parcel", "manifest_id", "warehouse_id"),
    ("parcel", "warehouse_id", "made_at"),
    ("sales_order", "warehouse_id", "no"),
)


def upgrade() -> None:
    """Codes are found among those of years."""
    for table, *columns in NEW:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.drop_index(BAG, table_name="parcel")
    where = sa.text("bag_id IS NOT NULL")  # parcels in no bag are most of them: nobody is to begin there
    op.create_index(BAG, "parcel", ["bag_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo it."""
    op.drop_index(BAG, table_name="parcel")
    op.create_index(BAG, "parcel", ["bag_id"])
    for table, *columns in NEW:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
