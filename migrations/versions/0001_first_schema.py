"""First schema.

Revision 0001, after nothing.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """First schema."""
    op.create_table(
        "api_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("role", sa.String(length=128), nullable=False),
        sa.Column("prefix", sa.String(length=128), nullable=False),
        sa.Column("key_hash", sa.String(length=128), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_api_key")),
        sa.UniqueConstraint("key_hash", name=op.f("uq_api_key_key_hash")),
    )
    op.create_table(
        "audit_entry",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("what", sa.String(length=128), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("previous_hash", sa.String(length=128), nullable=False),
        sa.Column("hash", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_audit_entry")),
        sa.UniqueConstraint("warehouse_id", "day", "number", name=op.f("uq_audit_entry_warehouse_id_day_number")),
    )
    op.create_table(
        "bag",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("hub", sa.String(length=300), nullable=False),
        sa.Column("chute", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("net_weight_g", sa.Integer(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("manifest_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed', 'handed_over', 'void')", name=op.f("ck_bag_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bag")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_bag_warehouse_id_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "broken_promise",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("promise", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("facts", sa.String(), nullable=False),
        sa.Column("found_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_broken_promise")),
    )
    op.create_table(
        "chute",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("side", sa.String(length=128), nullable=False),
        sa.Column("x_mm", sa.Integer(), nullable=False),
        sa.Column("y_mm", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("parcels_max", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_chute")),
        sa.UniqueConstraint("warehouse_id", "number", name=op.f("uq_chute_warehouse_id_number")),
    )
    op.create_table(
        "courier",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("product", sa.String(length=300), nullable=False),
        sa.Column("cut_offs", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("weight_max_g", sa.Integer(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_courier")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_courier_warehouse_id_code")),
    )
    op.create_table(
        "device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("key_hash", sa.String(), nullable=True),
        sa.Column("enrolled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_device")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_device_warehouse_id_code")),
    )
    op.create_table(
        "dialogue_state",
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("dialogue", sa.String(length=128), nullable=False),
        sa.Column("step", sa.String(length=128), nullable=False),
        sa.Column("state", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("message", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("person_id", name=op.f("pk_dialogue_state")),
    )
    op.create_table(
        "divert",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gateway_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("pid", sa.BigInteger(), nullable=False),
        sa.Column("codes", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("parcel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("told_chute", sa.Integer(), nullable=True),
        sa.Column("told_reason", sa.String(), nullable=False),
        sa.Column("told_version", sa.BigInteger(), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chute", sa.Integer(), nullable=True),
        sa.Column("result", sa.String(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finding", sa.String(), nullable=False),
        sa.Column("latency_us", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_divert")),
        sa.UniqueConstraint("warehouse_id", "gateway_id", "pid", name=op.f("uq_divert_warehouse_id_gateway_id_pid")),
    )
    with op.batch_alter_table("divert", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_divert_parcel_id"), ["parcel_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_divert_warehouse_id_confirmed_at"), ["warehouse_id", "confirmed_at"], unique=False
        )

    op.create_table(
        "file_mark",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_file_mark")),
    )
    op.create_table(
        "gateway",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("key_hex", sa.String(), nullable=False),
        sa.Column("pairing_hash", sa.String(), nullable=False),
        sa.Column("pairing_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("boot", sa.String(), nullable=False),
        sa.Column("high_water", sa.BigInteger(), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("routes_version", sa.BigInteger(), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway")),
        sa.UniqueConstraint("warehouse_id", "name", name=op.f("uq_gateway_warehouse_id_name")),
    )
    op.create_table(
        "hall",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("depth_mm", sa.Integer(), nullable=False),
        sa.Column("cross_y_mm", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("depot_x_mm", sa.Integer(), nullable=False),
        sa.Column("depot_y_mm", sa.Integer(), nullable=False),
        sa.Column("outline", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hall")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_hall_warehouse_id_code")),
    )
    op.create_table(
        "login_session",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("token_hash", sa.String(length=128), nullable=False),
        sa.Column("csrf", sa.String(length=128), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_login_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_login_session_token_hash")),
    )
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_login_session_person_id_ended_at"), ["person_id", "ended_at"], unique=False
        )

    op.create_table(
        "manifest",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("vehicle", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("parcels", sa.Integer(), nullable=False),
        sa.Column("bags", sa.Integer(), nullable=False),
        sa.Column("weight_g", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.String(), nullable=False),
        sa.Column("missing_reason", sa.String(), nullable=True),
        sa.CheckConstraint("state IN ('open', 'closed')", name=op.f("ck_manifest_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_manifest")),
        sa.UniqueConstraint("warehouse_id", "no", name=op.f("uq_manifest_warehouse_id_no")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("manifest", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_manifest_warehouse_id_courier_state"), ["warehouse_id", "courier", "state"], unique=False
        )

    op.create_table(
        "merchant",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("contact", sa.String(), nullable=False),
        sa.Column("phone", sa.String(), nullable=False),
        sa.Column("blocked_reason", sa.String(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_merchant")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_merchant_warehouse_id_code")),
    )
    op.create_table(
        "move_plan",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("made_by", sa.String(length=128), nullable=False),
        sa.Column("lines", sa.Integer(), nullable=False),
        sa.Column("tours", sa.Integer(), nullable=False),
        sa.Column("weeks", sa.Integer(), nullable=False),
        sa.Column("walked_m", sa.Integer(), nullable=False),
        sa.Column("planned_m", sa.Integer(), nullable=False),
        sa.Column("signal_percent", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move_plan")),
    )
    with op.batch_alter_table("move_plan", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_move_plan_warehouse_id_made_at"), ["warehouse_id", "made_at"], unique=False
        )

    op.create_table(
        "movement_sum",
        sa.Column(
            "place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("condition", sa.String(length=128), nullable=False),
        sa.Column("book", sa.String(length=128), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("total", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.PrimaryKeyConstraint("place_id", "lot_id", "condition", "book", name=op.f("pk_movement_sum")),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("topic", sa.String(length=128), nullable=False),
        sa.Column("aggregate", sa.String(length=128), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("not_before", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("set_aside_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_outbox")),
    )
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_outbox_aggregate_id"), ["aggregate", "id"], unique=False)
        batch_op.create_index(
            "ix_outbox_open",
            ["id"],
            unique=False,
            sqlite_where=sa.text("sent_at IS NULL"),
            postgresql_where=sa.text("sent_at IS NULL"),
        )

    op.create_table(
        "person",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("badge", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("role", sa.String(length=128), nullable=False),
        sa.Column("login", sa.String(), nullable=True),
        sa.Column("pin_hash", sa.String(), nullable=True),
        sa.Column("password_hash", sa.String(), nullable=True),
        sa.Column("language", sa.String(), nullable=False),
        sa.Column("volume", sa.Integer(), nullable=False),
        sa.Column("speech", sa.Boolean(), nullable=False),
        sa.Column("failed_attempts", sa.Integer(), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_person")),
        sa.UniqueConstraint("warehouse_id", "badge", name=op.f("uq_person_warehouse_id_badge")),
        sa.UniqueConstraint("warehouse_id", "login", name=op.f("uq_person_warehouse_id_login")),
    )
    op.create_table(
        "place",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.CheckConstraint("kind IN ('slot', 'container', 'staging', 'virtual')", name=op.f("ck_place_kind_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_place")),
        sa.UniqueConstraint("warehouse_id", "kind", "code", name=op.f("uq_place_warehouse_id_kind_code")),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "print_job",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("job_key", sa.String(length=128), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("document", sa.String(length=128), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("media", sa.String(length=128), nullable=False),
        sa.Column("language", sa.String(length=128), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("sha256", sa.String(length=128), nullable=False),
        sa.Column("reprint", sa.Integer(), nullable=False),
        sa.Column("nonce", sa.String(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("trouble", sa.String(), nullable=True),
        sa.Column("printer", sa.String(), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("offered_until", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('queued', 'claimed', 'sending', 'sent', 'verified', 'uncertain', 'failed', 'cancelled')",
            name=op.f("ck_print_job_state_known"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_print_job")),
        sa.UniqueConstraint("warehouse_id", "job_key", name=op.f("uq_print_job_warehouse_id_job_key")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_print_job_subject"), ["subject"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_print_job_warehouse_id_station_id_state"),
            ["warehouse_id", "station_id", "state"],
            unique=False,
        )

    op.create_table(
        "request",
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("request_id", sa.String(length=128), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("fingerprint", sa.String(length=128), nullable=False),
        sa.Column("status", sa.Integer(), nullable=False),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("actor", "request_id", name=op.f("pk_request")),
    )
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_request_answered_at"), ["answered_at"], unique=False)

    op.create_table(
        "reroute",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("from_hub", sa.String(length=300), nullable=False),
        sa.Column("to_hub", sa.String(length=300), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reroute")),
        sa.UniqueConstraint(
            "warehouse_id", "courier", "from_hub", name=op.f("uq_reroute_warehouse_id_courier_from_hub")
        ),
    )
    op.create_table(
        "route_change",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("chutes", sa.String(), nullable=True),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_change")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("route_change", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_route_change_warehouse_id_code"), ["warehouse_id", "code"], unique=False)
        batch_op.create_index(batch_op.f("ix_route_change_warehouse_id_id"), ["warehouse_id", "id"], unique=False)

    op.create_table(
        "route_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("match", sa.String(length=128), nullable=False),
        sa.Column("route_code", sa.String(length=128), nullable=False),
        sa.Column("hub", sa.String(length=300), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_route_rule")),
        sa.UniqueConstraint(
            "warehouse_id",
            "courier",
            "match",
            "priority",
            name=op.f("uq_route_rule_warehouse_id_courier_match_priority"),
        ),
    )
    op.create_table(
        "sort_rule",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("hub", sa.String(length=300), nullable=False),
        sa.Column("chutes", sa.String(length=128), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sort_rule")),
        sa.UniqueConstraint("warehouse_id", "courier", "hub", name=op.f("uq_sort_rule_warehouse_id_courier_hub")),
    )
    op.create_table(
        "station",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("x_mm", sa.Integer(), nullable=False),
        sa.Column("y_mm", sa.Integer(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("weighed_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_station_warehouse_id_code")),
    )
    op.create_table(
        "stock_count",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.String(length=128), nullable=False),
        sa.Column("ledger_mark", sa.Integer(), nullable=False),
        sa.Column("counted_by", sa.String(), nullable=False),
        sa.Column("approved_by", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('open', 'counted', 'approval', 'closed', 'cancelled')", name=op.f("ck_stock_count_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count")),
    )
    with op.batch_alter_table("stock_count", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_count_slot_id"), ["slot_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_stock_count_warehouse_id_counted_at"), ["warehouse_id", "counted_at"], unique=False
        )
        batch_op.create_index(batch_op.f("ix_stock_count_warehouse_id_state"), ["warehouse_id", "state"], unique=False)

    op.create_table(
        "stock_count_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("count_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stock_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.String(length=128), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("counted", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_count_line")),
    )
    with op.batch_alter_table("stock_count_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_count_line_count_id"), ["count_id"], unique=False)

    op.create_table(
        "task",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("claimed_by", sa.Integer(), nullable=True),
        sa.Column("claimed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("skipped_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'claimed', 'done', 'cancelled')", name=op.f("ck_task_state_known")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_task")),
        sa.UniqueConstraint("warehouse_id", "kind", "subject", name=op.f("uq_task_warehouse_id_kind_subject")),
    )
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_task_warehouse_id_state_kind_priority"),
            ["warehouse_id", "state", "kind", "priority"],
            unique=False,
        )

    op.create_table(
        "warehouse",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("time_zone", sa.String(length=128), nullable=False),
        sa.Column("settings", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_warehouse")),
        sa.UniqueConstraint("code", name=op.f("uq_warehouse_code")),
    )
    op.create_table(
        "wave",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("cut_off_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("walk_m", sa.Integer(), nullable=False),
        sa.Column("s_shape_m", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "state IN ('draft', 'planning', 'released', 'done', 'cancelled')", name=op.f("ck_wave_state_known")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wave")),
        sa.UniqueConstraint("warehouse_id", "no", name=op.f("uq_wave_warehouse_id_no")),
    )
    op.create_table(
        "waybill_pool",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("branch", sa.String(length=128), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("prefix", sa.String(), nullable=False),
        sa.Column("digits", sa.Integer(), nullable=False),
        sa.Column("first", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("next", sa.BigInteger(), nullable=False),
        sa.Column("low_mark", sa.Integer(), nullable=False),
        sa.CheckConstraint("first <= next AND next <= last + 1", name=op.f("ck_waybill_pool_next_in_range")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waybill_pool")),
    )
    op.create_table(
        "asn",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("expected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('expected', 'receiving', 'closed', 'cancelled')", name=op.f("ck_asn_state_known")
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_asn_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asn")),
        sa.UniqueConstraint("warehouse_id", "merchant_id", "no", name=op.f("uq_asn_warehouse_id_merchant_id_no")),
    )
    op.create_table(
        "batch",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("wave_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("cart_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("walk_mm", sa.Integer(), nullable=False),
        sa.Column("s_shape_mm", sa.Integer(), nullable=False),
        sa.Column("optimal", sa.Boolean(), nullable=False),
        sa.Column("method", sa.String(length=128), nullable=False),
        sa.Column("path", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'picking', 'done', 'cancelled')", name=op.f("ck_batch_state_known")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_batch_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch")),
        sa.UniqueConstraint("warehouse_id", "no", name=op.f("uq_batch_warehouse_id_no")),
    )
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_task_id"), ["task_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_warehouse_id_state"), ["warehouse_id", "state"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_wave_id"), ["wave_id"], unique=False)

    op.create_table(
        "container",
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("parent_place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("positions", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.CheckConstraint("kind IN ('lpn', 'tote', 'cart', 'parcel')", name=op.f("ck_container_kind_known")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_container_place_id_place")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_container")),
        sa.UniqueConstraint("warehouse_id", "kind", "code", name=op.f("uq_container_warehouse_id_kind_code")),
    )
    op.create_table(
        "gateway_command",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gateway_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("device", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("facts", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("result", sa.String(), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_gateway_command_gateway_id_gateway")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_command")),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("gateway_command", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_gateway_command_gateway_id_result"), ["gateway_id", "result"], unique=False
        )

    op.create_table(
        "gateway_device",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("gateway_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("driver", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("counters", sa.JSON().with_variant(postgresql.JSONB(), "postgresql"), nullable=False),
        sa.ForeignKeyConstraint(["gateway_id"], ["gateway.id"], name=op.f("fk_gateway_device_gateway_id_gateway")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_gateway_device")),
        sa.UniqueConstraint("gateway_id", "name", name=op.f("uq_gateway_device_gateway_id_name")),
    )
    op.create_table(
        "sales_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("no", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("shop", sa.String(), nullable=False),
        sa.Column("receiver_name", sa.String(length=300), nullable=False),
        sa.Column("receiver_phone", sa.String(length=300), nullable=False),
        sa.Column("receiver_province", sa.String(length=300), nullable=False),
        sa.Column("receiver_city", sa.String(length=300), nullable=False),
        sa.Column("receiver_district", sa.String(length=300), nullable=False),
        sa.Column("receiver_address", sa.String(), nullable=False),
        sa.Column("area_code", sa.String(), nullable=False),
        sa.Column("remark", sa.String(), nullable=False),
        sa.Column("wave_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cut_off_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allocated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("picked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("shipped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("intercepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cancelled_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("short_reason", sa.String(), nullable=True),
        sa.CheckConstraint(
            "state IN ('placed', 'allocated', 'released', 'picking', 'picked', 'packed', 'shipped', 'cancelled', 'short')",
            name=op.f("ck_sales_order_state_known"),
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_sales_order_merchant_id_merchant")),
        sa.ForeignKeyConstraint(["wave_id"], ["wave.id"], name=op.f("fk_sales_order_wave_id_wave")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint(
            "warehouse_id", "merchant_id", "no", name=op.f("uq_sales_order_warehouse_id_merchant_id_no")
        ),
        sqlite_autoincrement=True,
    )
    with op.batch_alter_table("sales_order", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_sales_order_warehouse_id_state_cut_off_at"),
            ["warehouse_id", "state", "cut_off_at"],
            unique=False,
        )
        batch_op.create_index(batch_op.f("ix_sales_order_wave_id"), ["wave_id"], unique=False)

    op.create_table(
        "sku",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("unit", sa.String(), nullable=False),
        sa.Column("family", sa.String(), nullable=False),
        sa.Column("length_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=False),
        sa.Column("lot_tracked", sa.Boolean(), nullable=False),
        sa.Column("shelf_life_days", sa.Integer(), nullable=True),
        sa.Column("min_life_receipt_days", sa.Integer(), nullable=False),
        sa.Column("min_life_ship_days", sa.Integer(), nullable=False),
        sa.Column("fragile", sa.Boolean(), nullable=False),
        sa.Column("hazard", sa.String(), nullable=False),
        sa.Column("zone_kind", sa.String(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "weight_g >= 0 AND length_mm >= 0 AND width_mm >= 0 AND height_mm >= 0",
            name=op.f("ck_sku_sizes_not_negative"),
        ),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_sku_merchant_id_merchant")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku")),
        sa.UniqueConstraint("warehouse_id", "merchant_id", "code", name=op.f("uq_sku_warehouse_id_merchant_id_code")),
    )
    op.create_table(
        "zone",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["hall_id"], ["hall.id"], name=op.f("fk_zone_hall_id_hall")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_zone")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_zone_warehouse_id_code")),
    )
    op.create_table(
        "aisle",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hall_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("index", sa.Integer(), nullable=False),
        sa.Column("x_mm", sa.Integer(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["hall_id"], ["hall.id"], name=op.f("fk_aisle_hall_id_hall")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_aisle_zone_id_zone")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aisle")),
        sa.UniqueConstraint("hall_id", "index", name=op.f("uq_aisle_hall_id_index")),
    )
    op.create_table(
        "asn_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("expected", sa.Integer(), nullable=False),
        sa.Column("received", sa.Integer(), nullable=False),
        sa.CheckConstraint("expected > 0 AND received >= 0", name=op.f("ck_asn_line_quantities_lawful")),
        sa.ForeignKeyConstraint(["asn_id"], ["asn.id"], name=op.f("fk_asn_line_asn_id_asn")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_asn_line_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asn_line")),
        sa.UniqueConstraint("asn_id", "sku_id", name=op.f("uq_asn_line_asn_id_sku_id")),
    )
    op.create_table(
        "batch_order",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("tote_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_batch_order_batch_id_batch")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_batch_order_order_id_sales_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_batch_order")),
        sa.UniqueConstraint("batch_id", "order_id", name=op.f("uq_batch_order_batch_id_order_id")),
        sa.UniqueConstraint("batch_id", "position", name=op.f("uq_batch_order_batch_id_position")),
    )
    with op.batch_alter_table("batch_order", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_batch_order_order_id"), ["order_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_batch_order_tote_id"), ["tote_id"], unique=False)

    op.create_table(
        "lot",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("produced_on", sa.Date(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("origin", sa.String(), nullable=False),
        sa.Column("first_received_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_lot_merchant_id_merchant")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_lot_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lot")),
        sa.UniqueConstraint(
            "warehouse_id", "merchant_id", "sku_id", "code", name=op.f("uq_lot_warehouse_id_merchant_id_sku_id_code")
        ),
    )
    op.create_table(
        "order_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("allocated", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("packed", sa.Integer(), nullable=False),
        sa.Column("shipped", sa.Integer(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("price_cents", sa.Integer(), nullable=False),
        sa.CheckConstraint("allocated + short <= quantity", name=op.f("ck_order_line_promised_within_ordered")),
        sa.CheckConstraint(
            "picked <= allocated AND packed <= picked AND shipped <= packed AND shipped >= 0",
            name=op.f("ck_order_line_steps_in_order"),
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_line_quantity_positive")),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_order_line_order_id_sales_order")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_order_line_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_line")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_order_line_order_id_number")),
    )
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_order_line_sku_id"), ["sku_id"], unique=False)

    op.create_table(
        "parcel",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("station_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("carton", sa.String(), nullable=False),
        sa.Column("weight_g", sa.Integer(), nullable=True),
        sa.Column("expected_weight_g", sa.Integer(), nullable=False),
        sa.Column("waybill", sa.String(), nullable=True),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("route_code", sa.String(), nullable=False),
        sa.Column("hub", sa.String(), nullable=False),
        sa.Column("packed_by", sa.String(length=128), nullable=False),
        sa.Column("packed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("label_checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sorted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("chute", sa.Integer(), nullable=True),
        sa.Column("bag_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("manifest_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("handed_over_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "state IN ('open', 'packed', 'labelled', 'sorted', 'bagged', 'handed_over', 'cancelled')",
            name=op.f("ck_parcel_state_known"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["sales_order.id"], name=op.f("fk_parcel_order_id_sales_order")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel")),
        sa.UniqueConstraint("order_id", "number", name=op.f("uq_parcel_order_id_number")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_parcel_warehouse_id_code")),
        sa.UniqueConstraint("warehouse_id", "waybill", name=op.f("uq_parcel_warehouse_id_waybill")),
    )
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_parcel_bag_id"), ["bag_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_parcel_warehouse_id_state"), ["warehouse_id", "state"], unique=False)

    op.create_table(
        "sku_barcode",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("barcode", sa.String(length=128), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["merchant_id"], ["merchant.id"], name=op.f("fk_sku_barcode_merchant_id_merchant")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_sku_barcode_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sku_barcode")),
        sa.UniqueConstraint(
            "warehouse_id", "merchant_id", "barcode", name=op.f("uq_sku_barcode_warehouse_id_merchant_id_barcode")
        ),
    )
    with op.batch_alter_table("sku_barcode", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_sku_barcode_sku_id"), ["sku_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_sku_barcode_warehouse_id_barcode"), ["warehouse_id", "barcode"], unique=False
        )

    op.create_table(
        "velocity",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lines_per_week", sa.Double(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_velocity_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_velocity")),
        sa.UniqueConstraint("warehouse_id", "sku_id", name=op.f("uq_velocity_warehouse_id_sku_id")),
    )
    op.create_table(
        "bay",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("aisle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("side", sa.String(length=128), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("y_mm", sa.Integer(), nullable=False),
        sa.Column("profile", sa.String(length=128), nullable=False),
        sa.Column("levels", sa.Integer(), nullable=False),
        sa.Column("weight_max_g", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["aisle_id"], ["aisle.id"], name=op.f("fk_bay_aisle_id_aisle")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_bay")),
        sa.UniqueConstraint("aisle_id", "side", "number", name=op.f("uq_bay_aisle_id_side_number")),
    )
    op.create_table(
        "movement",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.String(length=128), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.String(length=128), nullable=False),
        sa.Column("book", sa.String(length=128), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(length=128), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("request_key", sa.String(), nullable=False),
        sa.Column("line", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_movement_quantity_positive")),
        sa.CheckConstraint("source_id <> target_id", name=op.f("ck_movement_goes_somewhere")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_movement_lot_id_lot")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_movement_sku_id_sku")),
        sa.ForeignKeyConstraint(["source_id"], ["place.id"], name=op.f("fk_movement_source_id_place")),
        sa.ForeignKeyConstraint(["target_id"], ["place.id"], name=op.f("fk_movement_target_id_place")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movement")),
        sa.UniqueConstraint("request_key", "line", name=op.f("uq_movement_request_key_line")),
    )
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_movement_reference"), ["reference"], unique=False)
        batch_op.create_index(batch_op.f("ix_movement_source_id"), ["source_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_movement_target_id"), ["target_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_movement_warehouse_id_at"), ["warehouse_id", "at"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_movement_warehouse_id_sku_id_lot_id"), ["warehouse_id", "sku_id", "lot_id"], unique=False
        )

    op.create_table(
        "parcel_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("parcel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_parcel_item_quantity_positive")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_parcel_item_order_line_id_order_line")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_parcel_item_parcel_id_parcel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_parcel_item")),
        sa.UniqueConstraint(
            "parcel_id", "order_line_id", "lot_id", name=op.f("uq_parcel_item_parcel_id_order_line_id_lot_id")
        ),
    )
    op.create_table(
        "receipt",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("asn_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("container_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("condition", sa.String(length=128), nullable=False),
        sa.Column("actor", sa.String(length=128), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["asn_id"], ["asn.id"], name=op.f("fk_receipt_asn_id_asn")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_receipt_lot_id_lot")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_receipt_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_receipt")),
    )
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_receipt_asn_id"), ["asn_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_receipt_container_id"), ["container_id"], unique=False)

    op.create_table(
        "stock",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("condition", sa.String(length=128), nullable=False),
        sa.Column("book", sa.String(length=128), nullable=False),
        sa.Column("on_hand", sa.Integer(), nullable=False),
        sa.Column("promised", sa.Integer(), nullable=False),
        sa.Column("first_in_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("frozen_reason", sa.String(), nullable=True),
        sa.CheckConstraint("condition IN ('good', 'damaged', 'hold')", name=op.f("ck_stock_condition_known")),
        sa.CheckConstraint("promised <= on_hand", name=op.f("ck_stock_promised_within_on_hand")),
        sa.CheckConstraint("promised >= 0", name=op.f("ck_stock_promised_not_negative")),
        sa.ForeignKeyConstraint(["lot_id"], ["lot.id"], name=op.f("fk_stock_lot_id_lot")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_stock_place_id_place")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_stock_sku_id_sku")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock")),
        sa.UniqueConstraint(
            "warehouse_id",
            "merchant_id",
            "place_id",
            "sku_id",
            "lot_id",
            "condition",
            "book",
            name="uq_stock_natural_key",
        ),
    )
    with op.batch_alter_table("stock", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_stock_place_id"), ["place_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_stock_warehouse_id_sku_id"), ["warehouse_id", "sku_id"], unique=False)

    op.create_table(
        "waybill",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("courier", sa.String(length=128), nullable=False),
        sa.Column("number", sa.String(length=128), nullable=False),
        sa.Column("parcel_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source", sa.String(length=128), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("route_code", sa.String(), nullable=False),
        sa.Column("printed_hub", sa.String(), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("voided_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "state IN ('taken', 'printed', 'bagged', 'handed_over', 'void')", name=op.f("ck_waybill_state_known")
        ),
        sa.ForeignKeyConstraint(["parcel_id"], ["parcel.id"], name=op.f("fk_waybill_parcel_id_parcel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waybill")),
        sa.UniqueConstraint("parcel_id", name=op.f("uq_waybill_parcel_id")),
        sa.UniqueConstraint("warehouse_id", "courier", "number", name=op.f("uq_waybill_warehouse_id_courier_number")),
    )
    op.create_table(
        "hold",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stock_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("purpose", sa.String(length=128), nullable=False),
        sa.Column("reference_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("quantity >= 0", name=op.f("ck_hold_quantity_not_negative")),
        sa.ForeignKeyConstraint(["stock_id"], ["stock.id"], name=op.f("fk_hold_stock_id_stock")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hold")),
    )
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.create_index(
            "ix_hold_open",
            ["stock_id", "quantity"],
            unique=False,
            sqlite_where=sa.text("quantity > 0"),
            postgresql_where=sa.text("quantity > 0"),
        )
        batch_op.create_index(batch_op.f("ix_hold_purpose_reference_id"), ["purpose", "reference_id"], unique=False)

    op.create_table(
        "slot",
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("zone_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("aisle_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("bay_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("code", sa.String(length=128), nullable=False),
        sa.Column("side", sa.String(length=128), nullable=False),
        sa.Column("level", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("aisle_index", sa.Integer(), nullable=False),
        sa.Column("y_mm", sa.Integer(), nullable=False),
        sa.Column("width_mm", sa.Integer(), nullable=False),
        sa.Column("depth_mm", sa.Integer(), nullable=False),
        sa.Column("height_mm", sa.Integer(), nullable=False),
        sa.Column("weight_max_g", sa.Integer(), nullable=False),
        sa.Column("skus_max", sa.Integer(), nullable=False),
        sa.Column("bonded", sa.Boolean(), nullable=False),
        sa.Column("blocked", sa.Boolean(), nullable=False),
        sa.Column("under_count", sa.Boolean(), nullable=False),
        sa.Column("retired", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["aisle_id"], ["aisle.id"], name=op.f("fk_slot_aisle_id_aisle")),
        sa.ForeignKeyConstraint(["bay_id"], ["bay.id"], name=op.f("fk_slot_bay_id_bay")),
        sa.ForeignKeyConstraint(["place_id"], ["place.id"], name=op.f("fk_slot_place_id_place")),
        sa.ForeignKeyConstraint(["zone_id"], ["zone.id"], name=op.f("fk_slot_zone_id_zone")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_slot")),
        sa.UniqueConstraint("warehouse_id", "code", name=op.f("uq_slot_warehouse_id_code")),
    )
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_slot_warehouse_id_zone_id"), ["warehouse_id", "zone_id"], unique=False)

    op.create_table(
        "move_proposal",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("plan_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("source_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("target_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lines_per_week", sa.Double(), nullable=False),
        sa.Column("gain_m_week", sa.Integer(), nullable=False),
        sa.Column("replayed_m_week", sa.Integer(), nullable=False),
        sa.Column("cost_m", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("task_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("stock_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=True),
        sa.Column("held", sa.Integer(), nullable=False),
        sa.Column("decided_by", sa.String(length=128), nullable=True),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dropped_why", sa.String(length=128), nullable=True),
        sa.CheckConstraint(
            "state IN ('proposed', 'accepted', 'declined', 'done', 'dropped')",
            name=op.f("ck_move_proposal_state_known"),
        ),
        sa.ForeignKeyConstraint(["plan_id"], ["move_plan.id"], name=op.f("fk_move_proposal_plan_id_move_plan")),
        sa.ForeignKeyConstraint(["sku_id"], ["sku.id"], name=op.f("fk_move_proposal_sku_id_sku")),
        sa.ForeignKeyConstraint(["source_id"], ["slot.place_id"], name=op.f("fk_move_proposal_source_id_slot")),
        sa.ForeignKeyConstraint(["target_id"], ["slot.place_id"], name=op.f("fk_move_proposal_target_id_slot")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_move_proposal")),
        sa.UniqueConstraint("plan_id", "source_id", name=op.f("uq_move_proposal_plan_id_source_id")),
    )
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_move_proposal_task_id"), ["task_id"], unique=False)
        batch_op.create_index(
            batch_op.f("ix_move_proposal_warehouse_id_state"), ["warehouse_id", "state"], unique=False
        )

    op.create_table(
        "pick_line",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("merchant_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("batch_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("order_line_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("hold_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stock_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("slot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("sku_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("lot_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("stop", sa.Integer(), nullable=False),
        sa.Column("quantity", sa.Integer(), nullable=False),
        sa.Column("picked", sa.Integer(), nullable=False),
        sa.Column("short", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=128), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('open', 'done', 'short', 'cancelled')", name=op.f("ck_pick_line_state_known")),
        sa.CheckConstraint(
            "quantity > 0 AND picked >= 0 AND short >= 0 AND picked + short <= quantity",
            name=op.f("ck_pick_line_quantities_lawful"),
        ),
        sa.ForeignKeyConstraint(["batch_id"], ["batch.id"], name=op.f("fk_pick_line_batch_id_batch")),
        sa.ForeignKeyConstraint(["hold_id"], ["hold.id"], name=op.f("fk_pick_line_hold_id_hold")),
        sa.ForeignKeyConstraint(
            ["order_line_id"], ["order_line.id"], name=op.f("fk_pick_line_order_line_id_order_line")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pick_line")),
    )
    with op.batch_alter_table("pick_line", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_pick_line_batch_id_stop"), ["batch_id", "stop"], unique=False)
        batch_op.create_index(batch_op.f("ix_pick_line_order_id"), ["order_id"], unique=False)

    op.create_table(
        "slot_lease",
        sa.Column("place_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("warehouse_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("subject", sa.String(length=128), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["place_id"], ["slot.place_id"], name=op.f("fk_slot_lease_place_id_slot")),
        sa.PrimaryKeyConstraint("place_id", name=op.f("pk_slot_lease")),
    )


def downgrade() -> None:
    """Undo it."""
    op.drop_table("slot_lease")
    with op.batch_alter_table("pick_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_pick_line_order_id"))
        batch_op.drop_index(batch_op.f("ix_pick_line_batch_id_stop"))

    op.drop_table("pick_line")
    with op.batch_alter_table("move_proposal", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_move_proposal_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_move_proposal_task_id"))

    op.drop_table("move_proposal")
    with op.batch_alter_table("slot", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_slot_warehouse_id_zone_id"))

    op.drop_table("slot")
    with op.batch_alter_table("hold", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_hold_purpose_reference_id"))
        batch_op.drop_index(
            "ix_hold_open", sqlite_where=sa.text("quantity > 0"), postgresql_where=sa.text("quantity > 0")
        )

    op.drop_table("hold")
    op.drop_table("waybill")
    with op.batch_alter_table("stock", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_warehouse_id_sku_id"))
        batch_op.drop_index(batch_op.f("ix_stock_place_id"))

    op.drop_table("stock")
    with op.batch_alter_table("receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_receipt_container_id"))
        batch_op.drop_index(batch_op.f("ix_receipt_asn_id"))

    op.drop_table("receipt")
    op.drop_table("parcel_item")
    with op.batch_alter_table("movement", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_movement_warehouse_id_sku_id_lot_id"))
        batch_op.drop_index(batch_op.f("ix_movement_warehouse_id_at"))
        batch_op.drop_index(batch_op.f("ix_movement_target_id"))
        batch_op.drop_index(batch_op.f("ix_movement_source_id"))
        batch_op.drop_index(batch_op.f("ix_movement_reference"))

    op.drop_table("movement")
    op.drop_table("bay")
    op.drop_table("velocity")
    with op.batch_alter_table("sku_barcode", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sku_barcode_warehouse_id_barcode"))
        batch_op.drop_index(batch_op.f("ix_sku_barcode_sku_id"))

    op.drop_table("sku_barcode")
    with op.batch_alter_table("parcel", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_parcel_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_parcel_bag_id"))

    op.drop_table("parcel")
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_order_line_sku_id"))

    op.drop_table("order_line")
    op.drop_table("lot")
    with op.batch_alter_table("batch_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_order_tote_id"))
        batch_op.drop_index(batch_op.f("ix_batch_order_order_id"))

    op.drop_table("batch_order")
    op.drop_table("asn_line")
    op.drop_table("aisle")
    op.drop_table("zone")
    op.drop_table("sku")
    with op.batch_alter_table("sales_order", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_sales_order_wave_id"))
        batch_op.drop_index(batch_op.f("ix_sales_order_warehouse_id_state_cut_off_at"))

    op.drop_table("sales_order")
    op.drop_table("gateway_device")
    with op.batch_alter_table("gateway_command", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_gateway_command_gateway_id_result"))

    op.drop_table("gateway_command")
    op.drop_table("container")
    with op.batch_alter_table("batch", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_batch_wave_id"))
        batch_op.drop_index(batch_op.f("ix_batch_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_batch_task_id"))

    op.drop_table("batch")
    op.drop_table("asn")
    op.drop_table("waybill_pool")
    op.drop_table("wave")
    op.drop_table("warehouse")
    with op.batch_alter_table("task", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_task_warehouse_id_state_kind_priority"))

    op.drop_table("task")
    with op.batch_alter_table("stock_count_line", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_count_line_count_id"))

    op.drop_table("stock_count_line")
    with op.batch_alter_table("stock_count", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_stock_count_warehouse_id_state"))
        batch_op.drop_index(batch_op.f("ix_stock_count_warehouse_id_counted_at"))
        batch_op.drop_index(batch_op.f("ix_stock_count_slot_id"))

    op.drop_table("stock_count")
    op.drop_table("station")
    op.drop_table("sort_rule")
    op.drop_table("route_rule")
    with op.batch_alter_table("route_change", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_route_change_warehouse_id_id"))
        batch_op.drop_index(batch_op.f("ix_route_change_warehouse_id_code"))

    op.drop_table("route_change")
    op.drop_table("reroute")
    with op.batch_alter_table("request", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_request_answered_at"))

    op.drop_table("request")
    with op.batch_alter_table("print_job", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_print_job_warehouse_id_station_id_state"))
        batch_op.drop_index(batch_op.f("ix_print_job_subject"))

    op.drop_table("print_job")
    op.drop_table("place")
    op.drop_table("person")
    with op.batch_alter_table("outbox", schema=None) as batch_op:
        batch_op.drop_index(
            "ix_outbox_open", sqlite_where=sa.text("sent_at IS NULL"), postgresql_where=sa.text("sent_at IS NULL")
        )
        batch_op.drop_index(batch_op.f("ix_outbox_aggregate_id"))

    op.drop_table("outbox")
    op.drop_table("movement_sum")
    with op.batch_alter_table("move_plan", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_move_plan_warehouse_id_made_at"))

    op.drop_table("move_plan")
    op.drop_table("merchant")
    with op.batch_alter_table("manifest", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_manifest_warehouse_id_courier_state"))

    op.drop_table("manifest")
    with op.batch_alter_table("login_session", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_login_session_person_id_ended_at"))

    op.drop_table("login_session")
    op.drop_table("hall")
    op.drop_table("gateway")
    op.drop_table("file_mark")
    with op.batch_alter_table("divert", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_divert_warehouse_id_confirmed_at"))
        batch_op.drop_index(batch_op.f("ix_divert_parcel_id"))

    op.drop_table("divert")
    op.drop_table("dialogue_state")
    op.drop_table("device")
    op.drop_table("courier")
    op.drop_table("chute")
    op.drop_table("broken_promise")
    op.drop_table("bag")
    op.drop_table("audit_entry")
    op.drop_table("api_key")
