"""The manifest as a paper: what the driver takes, bag by bag, and each parcel that hangs in none."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.refusal import Reason, Refused
from wms.packing.tables import Parcel
from wms.printing.values import ManifestPaper, ManifestRow
from wms.shipping.tables import Bag, Courier, Manifest
from wms.site import queries as site


def manifest_by_no(session: Session, warehouse_id: int, no: str) -> Manifest | None:
    """The manifest of a number, if there is one."""
    return session.scalars(
        select(Manifest).where(Manifest.warehouse_id == warehouse_id, Manifest.no == no)
    ).one_or_none()


def manifest_paper(session: Session, warehouse_id: int, no: str) -> ManifestPaper:
    """The paper of a manifest, open or closed. Raises NOT_FOUND."""
    manifest = manifest_by_no(session, warehouse_id, no)
    if manifest is None:
        raise Refused(Reason.NOT_FOUND, what=f"manifest {no[:40]}")
    here = site.warehouse(session, warehouse_id)
    courier = session.scalars(
        select(Courier.name).where(Courier.warehouse_id == warehouse_id, Courier.code == manifest.courier)
    ).first()
    return ManifestPaper(
        no=manifest.no,
        warehouse=here.name,
        courier=courier or manifest.courier,
        vehicle=manifest.vehicle,
        opened_at=here.local(manifest.opened_at),
        closed_at=here.local(manifest.closed_at) if manifest.closed_at else None,
        signed_by=manifest.signed_by,
        missing_reason=manifest.missing_reason or "",
        rows=tuple(rows_of(session, manifest)),
    )


def rows_of(session: Session, manifest: Manifest) -> list[ManifestRow]:
    """Bags first, by hub; then the parcels without one."""
    inside = (Parcel.warehouse_id == manifest.warehouse_id, Parcel.manifest_id == manifest.id)
    sums = func.count().label("parcels"), func.coalesce(func.sum(Parcel.weight_g), 0).label("weight_g")
    bagged = session.execute(
        select(Bag.code, Bag.hub, *sums)
        .join(Bag, Bag.id == Parcel.bag_id)
        .where(*inside)
        .group_by(Bag.id, Bag.code, Bag.hub)
        .order_by(Bag.hub, Bag.code)
    )
    loose = session.execute(
        select(Parcel.waybill, Parcel.hub, Parcel.weight_g)
        .where(*inside, Parcel.bag_id.is_(None))
        .order_by(Parcel.hub, Parcel.waybill)
    )
    bags = [ManifestRow(row.code, row.hub, int(row.parcels), int(row.weight_g), bag=True) for row in bagged]
    return bags + [ManifestRow(str(row.waybill), row.hub, 1, row.weight_g or 0, bag=False) for row in loose]
