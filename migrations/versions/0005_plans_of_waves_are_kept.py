"""Plans of waves are kept.

Revision 0005, after 0004.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Plans of waves are kept."""
    op.create_table(
        "wave_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wave_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("release_after", sa.Boolean(), nullable=False),
        sa.Column("think_s", sa.Integer(), nullable=False),
        sa.Column("rounds", sa.Integer(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wish", sa.String(), nullable=False),
        sa.Column("why", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("spent_ms", sa.Integer(), nullable=False),
        sa.Column("memory_mb", sa.Integer(), nullable=False),
        sa.Column("orders", sa.Integer(), nullable=False),
        sa.Column("batches", sa.Integer(), nullable=False),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("walk_mm", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("s_shape_mm", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("first_come_mm", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lower_bound_mm", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("history", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.CheckConstraint(
            "state IN ('waiting', 'running', 'ready', 'releasing', 'released', 'failed', 'lost', 'cancelled')",
            name=op.f("ck_wave_plan_state_known"),
        ),
        sa.CheckConstraint("wish IN ('', 'stop', 'cancel')", name=op.f("ck_wave_plan_wish_known")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_wave_plan_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave_plan")),
        sa.UniqueConstraint("wave_id", name=op.f("uq_wave_plan_wave_id")),
    )
    with op.batch_alter_table("wave_plan", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_wave_plan_warehouse_id_state"), ["warehouse_id", "state"], unique=False)

    op.create_table(
        "plan_batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("order_ids", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("picks", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("stops", sa.Integer(), nullable=False),
        sa.Column("pieces", sa.Integer(), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("walk_mm", sa.Integer(), nullable=False),
        sa.Column("s_shape_mm", sa.Integer(), nullable=False),
        sa.Column("optimal", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("path", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.ForeignKeyConstraint(["plan_id"], ["wave_plan.id"], name=op.f("fk_plan_batch_plan_id_wave_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plan_batch")),
        sa.UniqueConstraint("plan_id", "number", name=op.f("uq_plan_batch_plan_id_number")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("plan_batch")
    with op.batch_alter_table("wave_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_wave_plan_warehouse_id_state"))

    op.drop_table("wave_plan")
