"""What stands on the papers that leave as PDF, as frozen values other rooms fill in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ManifestRow:
    """A bag, or a parcel that was handed over without one."""

    code: str
    hub: str
    parcels: int
    weight_g: int
    bag: bool


@dataclass(frozen=True, slots=True)
class ManifestPaper:
    """A manifest as its driver signs it. Times are wall times of the warehouse."""

    no: str
    warehouse: str
    courier: str
    vehicle: str
    opened_at: datetime
    closed_at: datetime | None
    signed_by: str
    missing_reason: str
    rows: tuple[ManifestRow, ...]

    @property
    def parcels(self) -> int:
        return sum(row.parcels for row in self.rows)

    @property
    def bags(self) -> int:
        return sum(row.bag for row in self.rows)

    @property
    def weight_g(self) -> int:
        return sum(row.weight_g for row in self.rows)
