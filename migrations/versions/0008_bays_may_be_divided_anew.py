"""Bays may be divided anew.

Revision 0008, after 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

# What the newest schema guards: table, trigger, function. Going down takes them away with what they look at.
GUARDS = (
    ("stock", "stock_enters_no_retired_slot", "place_takes_goods"),
    ("stock", "stock_grows_in_no_retired_slot", "place_takes_goods"),
    ("slot", "slot_retires_empty", "slot_is_empty"),
    ("slot", "slot_stays_retired", "slot_is_for_ever"),
    ("slot", "slot_never_goes", "slot_is_for_ever"),
    ("slot_lease", "lease_of_no_retired_slot", "place_may_be_kept"),
    ("slot", "slot_retires_unkept", "slot_is_unkept"),
)


def upgrade() -> None:
    """Bays may be divided anew."""
    op.create_table(
        "bay_profile",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("levels", sa.Integer(), nullable=False),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("depth_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("weight_max_g", sa.Integer(), nullable=False),
        sa.Column("skus_max", sa.Integer(), nullable=False),
        sa.CheckConstraint("levels > 0 AND positions > 0", name=op.f("ck_bay_profile_has_slots")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bay_profile")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_bay_profile_warehouse_id_code")),
    )
    op.create_table(
        "division_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("wanted_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("skus_before", sa.Integer(), nullable=False),
        sa.Column("skus_after", sa.Integer(), nullable=False),
        sa.Column("litres_before", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("litres_after", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("racks_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("racks_after_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("used_l", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("optimal", sa.Boolean(), nullable=False),
        sa.Column("kept", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_division_plan")),
    )
    with op.batch_alter_table("division_plan", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_division_plan_warehouse_id_made_at"), ["warehouse_id", "made_at"], unique=False
        )

    op.create_table(
        "rack_part",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("depth_mm", sa.Integer(), nullable=False),
        sa.Column("spare", sa.Integer(), nullable=False),
        sa.CheckConstraint("kind IN ('beam', 'divider')", name=op.f("ck_rack_part_kind_known")),
        sa.CheckConstraint("spare >= 0", name=op.f("ck_rack_part_spare_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rack_part")),
        sa.UniqueConstraint("warehouse_id", "kind", "depth_mm", name=op.f("uq_rack_part_warehouse_id_kind_depth_mm")),
    )
    op.create_table(
        "bay_division",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bay_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("profile_before", sa.String(length=128), nullable=False),
        sa.Column("profile", sa.String(length=128), nullable=False),
        sa.Column("before", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("after", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("slots_before", sa.Integer(), nullable=False),
        sa.Column("slots_after", sa.Integer(), nullable=False),
        sa.Column("skus_more", sa.Integer(), nullable=False),
        sa.Column("litres_more", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("beams", sa.Integer(), nullable=False),
        sa.Column("dividers", sa.Integer(), nullable=False),
        sa.Column("goods", sa.Integer(), nullable=False),
        sa.Column("seconds", sa.Integer(), nullable=False),
        sa.Column("cost_cents", sa.Integer(), nullable=False),
        sa.Column("gain_cents_month", sa.Integer(), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("decided_by", sa.String(length=128), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_why", sa.String(length=128), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'accepted', 'changing', 'labelling', 'declined', 'done', 'dropped')",
            name=op.f("ck_bay_division_state_known"),
        ),
        sa.ForeignKeyConstraint(["bay_id"], ["bay.id"], name=op.f("fk_bay_division_bay_id_bay")),
        sa.ForeignKeyConstraint(["plan_id"], ["division_plan.id"], name=op.f("fk_bay_division_plan_id_division_plan")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bay_division")),
        sa.UniqueConstraint("plan_id", "bay_id", name=op.f("uq_bay_division_plan_id_bay_id")),
    )
    with op.batch_alter_table("bay_division", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_bay_division_bay_id"), ["bay_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_bay_division_warehouse_id_state"), ["warehouse_id", "state"], unique=False)

    op.create_table(
        "slot_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bay_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("old_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("new_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("old_id IS NOT NULL OR new_id IS NOT NULL", name=op.f("ck_slot_change_of_a_slot")),
        sa.ForeignKeyConstraint(["bay_id"], ["bay.id"], name=op.f("fk_slot_change_bay_id_bay")),
        sa.ForeignKeyConstraint(["new_id"], ["slot.place_id"], name=op.f("fk_slot_change_new_id_slot")),
        sa.ForeignKeyConstraint(["old_id"], ["slot.place_id"], name=op.f("fk_slot_change_old_id_slot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_change")),
    )
    with op.batch_alter_table("slot_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slot_change_bay_id"), ["bay_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_slot_change_new_id"), ["new_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_slot_change_old_id"), ["old_id"], unique=False)

    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.add_column(sa.Column("frame_mm", sa.Integer(), server_default="0", nullable=False))

    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.alter_column("frame_mm", server_default=None)

    # Uprights are as high as the levels between them and carry what their slots may hold.
    op.execute(
        "UPDATE bay SET frame_mm = f.tall FROM (SELECT bay_id, SUM(height_mm + 50) AS tall FROM ("
        "SELECT bay_id, level, MAX(height_mm) AS height_mm FROM slot WHERE NOT retired GROUP BY bay_id, level"
        ") AS level GROUP BY bay_id) AS f WHERE f.bay_id = bay.id"
    )
    op.execute(
        "UPDATE bay SET weight_max_g = f.held FROM (SELECT bay_id, SUM(weight_max_g) AS held FROM slot "
        "WHERE NOT retired GROUP BY bay_id) AS f WHERE f.bay_id = bay.id AND f.held > bay.weight_max_g"
    )
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("division_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True)
        )
        batch_op.alter_column("plan_id", existing_type=sa.INTEGER(), nullable=True)
        batch_op.create_index(batch_op.f("ix_move_proposal_division_id"), ["division_id"], unique=False)
        batch_op.create_foreign_key(
            batch_op.f("fk_move_proposal_division_id_bay_division"), "bay_division", ["division_id"], ["id"]
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_move_proposal_has_one_cause"), "(plan_id IS NULL) <> (division_id IS NULL)"
        )


def downgrade() -> None:
    """Undo it. Moves that only emptied a bay are forgotten: the older schema has no place for them."""
    for table, trigger, function in GUARDS:
        if op.get_bind().dialect.name == "postgresql":
            op.execute(f"DROP TRIGGER IF EXISTS {trigger} ON {table}")
            op.execute(f"DROP FUNCTION IF EXISTS {function}() CASCADE")
        else:
            op.execute(f"DROP TRIGGER IF EXISTS {trigger}")
    op.execute("DELETE FROM move_proposal WHERE plan_id IS NULL")
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_move_proposal_has_one_cause"), type_="check")
        batch_op.drop_constraint(batch_op.f("fk_move_proposal_division_id_bay_division"), type_="foreignkey")
        batch_op.drop_index(batch_op.f("ix_move_proposal_division_id"))
        batch_op.alter_column("plan_id", existing_type=sa.INTEGER(), nullable=False)
        batch_op.drop_column("division_id")

    with op.batch_alter_table("bay", schema=None) as batch_op:
        batch_op.drop_column("frame_mm")

    with op.batch_alter_table("slot_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slot_change_old_id"))
        batch_op.drop_index(batch_op.f("ix_slot_change_new_id"))
        batch_op.drop_index(batch_op.f("ix_slot_change_bay_id"))

    op.drop_table("slot_change")
    with op.batch_alter_table("bay_division", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_bay_division_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_bay_division_bay_id"))

    op.drop_table("bay_division")
    op.drop_table("rack_part")
    with op.batch_alter_table("division_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_division_plan_warehouse_id_made_at"))

    op.drop_table("division_plan")
    op.drop_table("bay_profile")
