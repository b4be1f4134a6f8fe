"""Print jobs: what is to be printed where, and how far it got. And what labels look like where people changed them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import CheckConstraint, Index, LargeBinary, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from wms.core.db import Base, BigId, Code, Json, PrimaryKey, UtcTime, WarehouseId
from wms.core.db.numbers import NEVER_AGAIN


class PrintJob(Base):
    """A document for one station, rendered before it was queued. Unique by business key: asked twice, printed once."""

    __tablename__ = "print_job"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId | None]
    job_key: Mapped[Code]
    station_id: Mapped[BigId]
    document: Mapped[Code]
    subject: Mapped[Code]
    media: Mapped[Code]
    language: Mapped[Code]
    content: Mapped[bytes] = mapped_column(LargeBinary)
    sha256: Mapped[Code]
    reprint: Mapped[int] = mapped_column(default=0)
    nonce: Mapped[str] = mapped_column(default="")
    state: Mapped[Code] = mapped_column(default="queued")
    trouble: Mapped[str | None]
    printer: Mapped[str | None]
    made_at: Mapped[UtcTime]
    changed_at: Mapped[UtcTime]
    offered_until: Mapped[datetime | None]

    __table_args__ = (
        UniqueConstraint("warehouse_id", "job_key"),
        CheckConstraint(
            "state IN ('queued', 'claimed', 'sending', 'sent', 'verified', 'uncertain', 'failed', 'cancelled')",
            name="state_known",
        ),
        Index(None, "warehouse_id", "station_id", "state"),
        Index(None, "subject"),
        NEVER_AGAIN,
    )


class LabelDesign(Base):
    """A label as somebody drew it; the newest row of a template and merchant (0: for all) is used.

    `elements` is {"of": [...]}, or {"of": null} where somebody went back to what was before.
    """

    __tablename__ = "label_design"

    id: Mapped[PrimaryKey]
    warehouse_id: Mapped[WarehouseId]
    merchant_id: Mapped[BigId]
    template: Mapped[Code]
    elements: Mapped[Json]
    made_at: Mapped[UtcTime]
    made_by: Mapped[Code]

    __table_args__ = (Index(None, "warehouse_id", "template", "merchant_id"),)
