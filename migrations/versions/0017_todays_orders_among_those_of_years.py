"""Today's orders are found among those of years.

Revision 0017, after 0016.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

BY_MOMENT = ("cut_off_at", "packed_at", "shipped_at")
WAVE = "ix_sales_order_wave_id"
FEW = {
    "ix_sales_order_short": ("state", "short_reason IS NOT NULL"),
    "ix_sales_order_intercepted": ("intercepted_at", "intercepted_at IS NOT NULL"),
}


def upgrade() -> None:
    """Today's orders are found among those of years."""
    for moment in BY_MOMENT:
        op.create_index(f"ix_sales_order_warehouse_id_{moment}", "sales_order", ["warehouse_id", moment])
    for name, (column, condition) in FEW.items():
        where = sa.text(condition)
        op.create_index(name, "sales_order", ["warehouse_id", column], sqlite_where=where, postgresql_where=where)
    op.drop_index(WAVE, table_name="sales_order")
    where = sa.text("wave_id IS NOT NULL")
    op.create_index(WAVE, "sales_order", ["wave_id"], sqlite_where=where, postgresql_where=where)


def downgrade() -> None:
    """Undo it."""
    op.drop_index(WAVE, table_name="sales_order")
    op.create_index(WAVE, "sales_order", ["wave_id"])
    for name in FEW:
        op.drop_index(name, table_name="sales_order")
    for moment in BY_MOMENT:
        op.drop_index(f"ix_sales_order_warehouse_id_{moment}", table_name="sales_order")
