"""Plans count crowding in the aisles.

Revision 0014, after 0013.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

_COLUMNS = ("people", "crowded_before_s", "crowded_s")


def upgrade() -> None:
    """Plans count crowding in the aisles."""
    with op.batch_alter_table("wave_plan", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.add_column(sa.Column(name, sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("wave_plan", schema=None) as batch_op:
        for name in _COLUMNS:
            batch_op.alter_column(name, server_default=None)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("wave_plan", schema=None) as batch_op:
        for name in reversed(_COLUMNS):
            batch_op.drop_column(name)
