"""${sentence(message)}

Revision ${up_revision}, after ${down_revision or "nothing"}.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = ${repr(branch_labels)}
depends_on = ${repr(depends_on)}


def upgrade() -> None:
    """${sentence(message)}"""
    ${commands(upgrades)}


def downgrade() -> None:
    """Undo it."""
    ${commands(downgrades)}
<%!
    def sentence(message):
        return message[:1].upper() + message[1:].rstrip(".") + "."

    def commands(lines):
        """The commands without Alembic's own remarks."""
        kept = [line for line in (lines or "").splitlines() if not line.strip().startswith("# ###")]
        return "\n".join(kept).strip() or "pass"
%>\
