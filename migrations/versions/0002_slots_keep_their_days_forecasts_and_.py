"""Slots keep their days, forecasts and what-ifs.

Revision 0002, after 0001.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Slots keep their days, forecasts and what-ifs."""
    op.create_table(
        "cost_rate",
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wage_cents_h", sa.Integer(), nullable=False),
        sa.Column("walk_mm_s", sa.Integer(), nullable=False),
        sa.Column("handling_s_line", sa.Integer(), nullable=False),
        sa.Column("rent_cents_m2_month", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse_id", name=op.f("pk_cost_rate")),
    )
    op.create_table(
        "slot_day",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("area_m2", sa.Integer(), nullable=False),
        sa.Column("slots", sa.Integer(), nullable=True),
        sa.Column("filled", sa.Integer(), nullable=True),
        sa.Column("volume_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("used_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("skus", sa.Integer(), nullable=True),
        sa.Column("more_skus", sa.Integer(), nullable=True),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("tours", sa.Integer(), nullable=False),
        sa.Column("walked_m", sa.Integer(), nullable=False),
        sa.Column("worked_s", sa.Integer(), nullable=False),
        sa.Column("moves", sa.Integer(), nullable=False),
        sa.Column("moved_m", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_day")),
        sa.UniqueConstraint("warehouse_id", "day", name=op.f("uq_slot_day_warehouse_id_day")),
    )
    op.create_table(
        "what_if",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_by", sa.String(length=128), nullable=False),
        sa.Column("asked", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("answer", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("trouble", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_what_if")),
    )
    with op.batch_alter_table("what_if", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_what_if_warehouse_id_asked_at"), ["warehouse_id", "asked_at"], unique=False
        )

    op.create_table(
        "sku_forecast",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("said_lines", sa.Double(), nullable=False),
        sa.Column("came_lines", sa.Integer(), nullable=True),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_forecast_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku_forecast")),
        sa.UniqueConstraint(
            "warehouse_id", "made_at", "sku_id", name=op.f("uq_sku_forecast_warehouse_id_made_at_sku_id")
        ),
    )
    with op.batch_alter_table("move_plan", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "bay_m", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), server_default="{}", nullable=False
            )
        )
    with op.batch_alter_table("move_plan", schema=None) as batch_op:
        batch_op.alter_column("bay_m", server_default=None)

    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.add_column(sa.Column("confidence_percent", sa.Integer(), server_default="0", nullable=False))
        batch_op.add_column(sa.Column("judged_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("came_lines", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("saved_m", sa.Integer(), nullable=True))
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.alter_column("confidence_percent", server_default=None)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.drop_column("saved_m")
        batch_op.drop_column("came_lines")
        batch_op.drop_column("judged_at")
        batch_op.drop_column("confidence_percent")

    with op.batch_alter_table("move_plan", schema=None) as batch_op:
        batch_op.drop_column("bay_m")

    op.drop_table("sku_forecast")
    with op.batch_alter_table("what_if", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_what_if_warehouse_id_asked_at"))

    op.drop_table("what_if")
    op.drop_table("slot_day")
    op.drop_table("cost_rate")
