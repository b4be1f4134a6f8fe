"""The pace of walks is learnt.

Revision 0009, after 0008.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """The pace of walks is learnt."""
    op.create_table(
        "learnt_pace",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("s_per_m", sa.Double(), nullable=False),
        sa.Column("s_per_stop", sa.Double(), nullable=False),
        sa.Column("walks", sa.Integer(), nullable=False),
        sa.Column("legs", sa.Integer(), nullable=False),
        sa.Column("learnt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_learnt_pace")),
        sa.UniqueConstraint("warehouse_id", "zone_id", name=op.f("uq_learnt_pace_warehouse_id_zone_id")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("learnt_pace")
