"""Goods say how they are kept.

Revision 0013, after 0012.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

KNOWN = "('ambient', 'cool', 'chilled', 'frozen')"


def upgrade() -> None:
    """Goods say how they are kept."""
    op.create_table(
        "lift_rule",
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("heavy_piece_g", sa.Integer(), nullable=False),
        sa.Column("shoulder_mm", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("warehouse_id", name=op.f("pk_lift_rule")),
    )
    with op.batch_alter_table("sku", schema=None) as batch_op:
        batch_op.add_column(sa.Column("temperature", sa.String(length=128), server_default="ambient", nullable=False))
        batch_op.add_column(sa.Column("lookalike", sa.String(length=128), server_default="", nullable=False))

    with op.batch_alter_table("sku", schema=None) as batch_op:
        batch_op.alter_column("temperature", server_default=None)
        batch_op.alter_column("lookalike", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_sku_temperature_known"), f"temperature IN {KNOWN}")

    with op.batch_alter_table("zone", schema=None) as batch_op:
        batch_op.add_column(sa.Column("temperature", sa.String(length=128), server_default="ambient", nullable=False))

    with op.batch_alter_table("zone", schema=None) as batch_op:
        batch_op.alter_column("temperature", server_default=None)
        batch_op.create_check_constraint(batch_op.f("ck_zone_temperature_known"), f"temperature IN {KNOWN}")


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("zone", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_zone_temperature_known"), type_="check")
        batch_op.drop_column("temperature")

    with op.batch_alter_table("sku", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_sku_temperature_known"), type_="check")
        batch_op.drop_column("lookalike")
        batch_op.drop_column("temperature")

    op.drop_table("lift_rule")
