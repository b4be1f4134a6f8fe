"""Promises follow their goods.

Revision 0015, after 0014.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Promises follow their goods."""
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.add_column(sa.Column("follows", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.alter_column("follows", server_default=None)
    op.execute(
        "UPDATE hold SET follows = true WHERE purpose = 'order_line' AND quantity > 0 AND reference_id IN "
        "(SELECT l.id FROM order_line l JOIN sales_order o ON o.id = l.order_id WHERE o.state = 'allocated')"
    )
    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.add_column(sa.Column("followed", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.alter_column("followed", server_default=None)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.drop_column("followed")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_column("follows")
