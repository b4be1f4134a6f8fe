"""A screen that is drawn anew is told from work that moved on.

Revision 0006, after 0005.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Until now each drawing counted as a move."""
    op.add_column("dialogue_state", sa.Column("moved_version", sa.Integer(), nullable=True))
    op.execute("UPDATE dialogue_state SET moved_version = version")
    with op.batch_alter_table("dialogue_state") as table:
        table.alter_column("moved_version", existing_type=sa.Integer(), nullable=False)


def downgrade() -> None:
    """Back to one version."""
    with op.batch_alter_table("dialogue_state") as table:
        table.drop_column("moved_version")
