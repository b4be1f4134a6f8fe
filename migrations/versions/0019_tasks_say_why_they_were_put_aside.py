"""Tasks say why they were put aside.

Revision 0019, after 0018.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Tasks say why they were put aside."""
    op.add_column(
        "task", sa.Column("hindered", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=True)
    )


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("task") as table:
        table.drop_column("hindered")
