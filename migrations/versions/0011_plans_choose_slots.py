"""Plans choose slots with the walk.

Revision 0011, after 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

_BIG = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Plans choose slots with the walk. Those that stand keep the slots that were promised."""
    for table, kind in (("wave_plan", _BIG), ("plan_batch", sa.Integer())):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.add_column(sa.Column("promised_mm", kind, server_default="0", nullable=False))
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.alter_column("promised_mm", server_default=None)
        op.execute(f"UPDATE {table} SET promised_mm = walk_mm")


def downgrade() -> None:
    """Undo it."""
    for table in ("plan_batch", "wave_plan"):
        with op.batch_alter_table(table, schema=None) as batch_op:
            batch_op.drop_column("promised_mm")
