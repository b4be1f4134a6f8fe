"""What other rooms may know of merchants, SKUs and lots. Sizes mm, weights g; a size of 0 is not known."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from wms.site.values import ZoneKind

SKU_ZONE_KINDS = (ZoneKind.STORAGE.value, ZoneKind.BULKY.value)  # whether goods are bonded, their customs book says


@dataclass(frozen=True, slots=True)
class MerchantFacts:
    """An owner of goods. `blocked_reason` None = may act."""

    id: int
    code: str
    name: str
    contact: str
    phone: str
    blocked_reason: str | None


@dataclass(frozen=True, slots=True)
class SkuFacts:
    """What is stocked and sold."""

    id: int
    merchant_id: int
    code: str
    name: str
    unit: str
    family: str
    length_mm: int
    width_mm: int
    height_mm: int
    weight_g: int
    lot_tracked: bool
    shelf_life_days: int | None
    min_life_receipt_days: int
    min_life_ship_days: int
    fragile: bool
    hazard: str
    zone_kind: str
    temperature: str
    lookalike: str

    @property
    def volume_mm3(self) -> int:
        return self.length_mm * self.width_mm * self.height_mm

    @property
    def dated(self) -> bool:
        """Whether its lots must bear a date of expiry."""
        return self.shelf_life_days is not None


@dataclass(frozen=True, slots=True)
class ScannedSku:
    """What a bar code stands for: `quantity` pieces of a SKU (1, or a packaging's content)."""

    sku: SkuFacts
    quantity: int


@dataclass(frozen=True, slots=True)
class BarcodeFacts:
    barcode: str
    quantity: int


@dataclass(frozen=True, slots=True)
class LotFacts:
    """A batch. Goods without one lie in the lot "-"."""

    id: int
    sku_id: int
    code: str
    produced_on: date | None
    expires_on: date | None
    origin: str
