"""Beams and uprights carry so much.

Revision 0012, after 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Beams and uprights carry so much."""
    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.add_column(sa.Column("weight_stated", sa.Boolean(), server_default=sa.false(), nullable=False))

    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.alter_column("weight_stated", server_default=None)

    with op.batch_alter_table("bay_profile", schema=None) as batch_op:
        batch_op.add_column(sa.Column("level_weight_max_g", sa.Integer(), nullable=True))

    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("level_weight_max_g", sa.Integer(), nullable=True))
        batch_op.create_index(batch_op.f("ix_slot_bay_id"), ["bay_id"], unique=False)

    with op.batch_alter_table("slot_lease", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "weight_g", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), server_default="0", nullable=False
            )
        )

    with op.batch_alter_table("slot_lease", schema=None) as batch_op:
        batch_op.alter_column("weight_g", server_default=None)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("slot_lease", schema=None) as batch_op:
        batch_op.drop_column("weight_g")

    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slot_bay_id"))
        batch_op.drop_column("level_weight_max_g")

    with op.batch_alter_table("bay_profile", schema=None) as batch_op:
        batch_op.drop_column("level_weight_max_g")

    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.drop_column("weight_stated")
