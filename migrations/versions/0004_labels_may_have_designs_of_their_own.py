"""Labels may have designs of their own.

Revision 0004, after 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Labels may have designs of their own."""
    op.create_table(
        "label_design",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("template", sa.String(length=128), nullable=False),
        sa.Column("elements", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_label_design")),
    )
    with op.batch_alter_table("label_design", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_label_design_warehouse_id_template_merchant_id"),
            ["warehouse_id", "template", "merchant_id"],
            unique=False,
        )


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("label_design", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_label_design_warehouse_id_template_merchant_id"))

    op.drop_table("label_design")
