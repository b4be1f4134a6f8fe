"""A sort plan is shown before it is used.

Revision 0003, after 0002.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """A sort plan is shown before it is used."""
    op.create_table(
        "sort_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("closed", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("running", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("proposal", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "state IN ('proposed', 'accepted', 'declined', 'overtaken')", name=op.f("ck_sort_plan_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sort_plan")),
    )
    with op.batch_alter_table("sort_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sort_plan_warehouse_id_state"), ["warehouse_id", "state"], unique=False)

    op.create_table(
        "sort_switch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("chute", sa.Integer(), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("hub", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sort_switch")),
        sa.UniqueConstraint("warehouse_id", "chute", name=op.f("uq_sort_switch_warehouse_id_chute")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("sort_switch")
    with op.batch_alter_table("sort_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sort_plan_warehouse_id_state"))

    op.drop_table("sort_plan")
