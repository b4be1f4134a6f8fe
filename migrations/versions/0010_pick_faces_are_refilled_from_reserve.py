"""Pick faces are refilled from reserve.

Revision 0010, after 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Pick faces are refilled from reserve."""
    op.create_table(
        "refill_rule",
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reach_mm", sa.Integer(), nullable=False),
        sa.Column("lines_a_week", sa.Integer(), nullable=False),
        sa.Column("days_min", sa.Integer(), nullable=False),
        sa.Column("days_max", sa.Integer(), nullable=False),
        sa.Column("levels_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("0 < days_min AND days_min < days_max", name=op.f("ck_refill_rule_days_in_order")),
        sa.PrimaryKeyConstraint("warehouse_id", name=op.f("pk_refill_rule")),
    )
    op.create_table(
        "refill_walk",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'dropped')", name=op.f("ck_refill_walk_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refill_walk")),
    )
    with op.batch_alter_table("refill_walk", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_refill_walk_warehouse_id_state_zone_id"), ["warehouse_id", "state", "zone_id"], unique=False
        )

    op.create_table(
        "face_level",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pieces_a_day", sa.Double(), nullable=False),
        sa.Column("quantity_min", sa.Integer(), nullable=False),
        sa.Column("quantity_max", sa.Integer(), nullable=False),
        sa.Column("by_hand", sa.Boolean(), nullable=False),
        sa.Column("set_by", sa.String(length=128), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "0 <= quantity_min AND quantity_min < quantity_max", name=op.f("ck_face_level_levels_in_order")
        ),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_face_level_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_face_level")),
        sa.UniqueConstraint("warehouse_id", "sku_id", name=op.f("uq_face_level_warehouse_id_sku_id")),
    )
    op.create_table(
        "refill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("walk_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("book", sa.String(length=128), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("case_quantity", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("open_key", sa.String(), nullable=True),
        sa.Column("stock_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("moved", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_why", sa.String(length=128), nullable=True),
        sa.CheckConstraint("(open_key IS NULL) = (state IN ('done', 'dropped'))", name=op.f("ck_refill_open_has_key")),
        sa.CheckConstraint("reason IN ('wave', 'order', 'empty', 'low')", name=op.f("ck_refill_reason_known")),
        sa.CheckConstraint("state IN ('open', 'carried', 'done', 'dropped')", name=op.f("ck_refill_state_known")),
        sa.CheckConstraint("quantity > 0 AND case_quantity > 0", name=op.f("ck_refill_quantity_positive")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_refill_lot_id_lot")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_refill_sku_id_sku")),
        sa.ForeignKeyConstraint(["source_id"], ["slot.place_id"], name=op.f("fk_refill_source_id_slot")),
        sa.ForeignKeyConstraint(["target_id"], ["slot.place_id"], name=op.f("fk_refill_target_id_slot")),
        sa.ForeignKeyConstraint(["walk_id"], ["refill_walk.id"], name=op.f("fk_refill_walk_id_refill_walk")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refill")),
        sa.UniqueConstraint("warehouse_id", "open_key", name=op.f("uq_refill_warehouse_id_open_key")),
    )
    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_refill_walk_id"), ["walk_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_refill_warehouse_id_state"), ["warehouse_id", "state"], unique=False)


def downgrade() -> None:
    """Undo it."""
    with op.batch_alter_table("refill", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refill_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_refill_walk_id"))

    op.drop_table("refill")
    op.drop_table("face_level")
    with op.batch_alter_table("refill_walk", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_refill_walk_warehouse_id_state_zone_id"))

    op.drop_table("refill_walk")
    op.drop_table("refill_rule")
