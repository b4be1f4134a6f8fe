"""Aisles and zones are closed and opened.

Revision 0007, after 0006.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Aisles and zones are closed and opened."""
    op.create_table(
        "closure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("aisle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("from_y_mm", sa.Integer(), nullable=False),
        sa.Column("to_y_mm", sa.Integer(), nullable=False),
        sa.Column("why", sa.String(length=300), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=128), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hall_version", sa.Integer(), nullable=False),
        sa.Column("opened_by", sa.String(length=128), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("(zone_id IS NULL) <> (aisle_id IS NULL)", name=op.f("ck_closure_zone_or_aisle")),
        sa.CheckConstraint("from_y_mm < to_y_mm", name=op.f("ck_closure_has_length")),
        sa.ForeignKeyConstraint(["aisle_id"], ["aisle.id"], name=op.f("fk_closure_aisle_id_aisle")),
        sa.ForeignKeyConstraint(["hall_id"], ["hall.id"], name=op.f("fk_closure_hall_id_hall")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_closure_zone_id_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_closure")),
    )
    with op.batch_alter_table("closure", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_closure_warehouse_id_opened_at"), ["warehouse_id", "opened_at"], unique=False
        )

    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.add_column(sa.Column("shut", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.alter_column("shut", server_default=None)
    op.execute(
        "INSERT INTO closure (warehouse_id, hall_id, aisle_id, from_y_mm, to_y_mm, why, closed_by, closed_at, "
        "hall_version, opened_by) SELECT a.warehouse_id, a.hall_id, a.id, 0, h.depth_mm, '-', 'system', "
        "CURRENT_TIMESTAMP, h.version, '' FROM aisle a JOIN hall h ON h.id = a.hall_id WHERE a.blocked"
    )
    op.execute("UPDATE slot SET shut = true WHERE aisle_id IN (SELECT id FROM aisle WHERE blocked)")
    with op.batch_alter_table("aisle", schema=None) as batch_op:
        batch_op.drop_column("blocked")

    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.add_column(sa.Column("hall_version", sa.Integer(), server_default="0", nullable=False))
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.alter_column("hall_version", server_default=None)
    op.execute(
        "UPDATE batch SET hall_version = (SELECT max(h.version) FROM hall h WHERE h.warehouse_id = batch.warehouse_id)"
    )

    with op.batch_alter_table("pick_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("why", sa.String(length=300), server_default="", nullable=False))
    with op.batch_alter_table("pick_line", schema=None) as batch_op:
        batch_op.alter_column("why", server_default=None)
        batch_op.drop_constraint(op.f("ck_pick_line_state_known"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_pick_line_state_known"), "state IN ('open', 'done', 'short', 'cancelled', 'aside')"
        )


def downgrade() -> None:
    """What is aside is open again; what is closed from end to end is blocked."""
    op.execute("UPDATE pick_line SET state = 'open' WHERE state = 'aside'")
    with op.batch_alter_table("pick_line", schema=None) as batch_op:
        batch_op.drop_constraint(op.f("ck_pick_line_state_known"), type_="check")
        batch_op.create_check_constraint(
            op.f("ck_pick_line_state_known"), "state IN ('open', 'done', 'short', 'cancelled')"
        )
        batch_op.drop_column("why")

    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_column("hall_version")

    with op.batch_alter_table("aisle", schema=None) as batch_op:
        batch_op.add_column(sa.Column("blocked", sa.Boolean(), server_default=sa.false(), nullable=False))
    with op.batch_alter_table("aisle", schema=None) as batch_op:
        batch_op.alter_column("blocked", server_default=None)
    op.execute(
        "UPDATE aisle SET blocked = true WHERE id IN (SELECT aisle_id FROM closure WHERE opened_at IS NULL "
        "AND aisle_id IS NOT NULL)"
    )
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.drop_column("shut")

    with op.batch_alter_table("closure", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_closure_warehouse_id_opened_at"))

    op.drop_table("closure")
