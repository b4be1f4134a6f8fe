"""Waybill numbers: the park's own ranges (号段) are the first source, couriers' services come beside them later."""

from __future__ import annotations

from sqlalchemy import or_, select, update

from wms.core.audit_trail import note
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.core.outbox import announce
from wms.core.refusal import Reason, Refused
from wms.shipping.tables import Waybill, WaybillPool
from wms.shipping.values import Label, ParcelToLabel

_pool = table_of(WaybillPool)


class PoolSource:
    """The next number of the merchant's own range, else of the park's, taken in the caller's transaction."""

    name = "pool"

    def take(self, call: Call, parcel: ParcelToLabel) -> Label:
        """One guarded statement: two packers never get one number, and a rollback gives it back."""
        fitting = (
            select(_pool.c.id)
            .where(
                _pool.c.warehouse_id == call.warehouse_id,
                _pool.c.courier == parcel.courier,
                or_(_pool.c.merchant_id.is_(None), _pool.c.merchant_id == parcel.merchant_id),
                _pool.c.next <= _pool.c.last,
            )
            .order_by(_pool.c.merchant_id.is_(None), _pool.c.first)
            .limit(1)
        )
        pool_id = call.session.execute(fitting).scalar_one_or_none()
        row = (
            pool_id
            and call.session.execute(
                update(_pool)
                .where(_pool.c.id == pool_id, _pool.c.next <= _pool.c.last)
                .values(next=_pool.c.next + 1)
                .returning(_pool.c.next, _pool.c.last, _pool.c.low_mark, _pool.c.prefix, _pool.c.digits)
            ).one_or_none()
        )
        if not row:
            raise Refused(Reason.WAYBILL_POOL_EMPTY, courier=parcel.courier)
        number = row.next - 1
        if row.last - number == row.low_mark:
            announce(call, "waybills.low", f"pool:{pool_id}", courier=parcel.courier, left=row.last - number)
        return Label(f"{row.prefix}{number:0{row.digits}d}", self.name)

    def void(self, call: Call, number: str) -> None:
        """Mark the number as given back (取消面单)."""
        call.session.execute(
            update(Waybill)
            .where(Waybill.warehouse_id == call.warehouse_id, Waybill.number == number)
            .values(state="void", voided_at=call.now)
        )
        note(call, "waybill.void", number=number)
