"""Holds are found by their line.

Revision 0016, after 0015.
"""

from __future__ import annotations

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Holds are found by their line."""
    op.drop_index("ix_hold_purpose_reference_id", table_name="hold")
    op.create_index("ix_hold_reference_id_purpose", "hold", ["reference_id", "purpose"])


def downgrade() -> None:
    """Undo it."""
    op.drop_index("ix_hold_reference_id_purpose", table_name="hold")
    op.create_index("ix_hold_purpose_reference_id", "hold", ["purpose", "reference_id"])
