"""What stands on each label, as frozen values other rooms fill in. Nothing here looks anything up.

Every value offers `words()`: what its template may name, by name. Times are wall times of the warehouse; the room that
asks has already turned them into its own zone. Codes that only we read are made here, from the bare code people read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol, runtime_checkable

from wms.core import codes
from wms.core.refusal import Reason, Refused
from wms.printing.text import mask_name, mask_phone

_BARE_CODE = re.compile(r"[0-9A-Z][0-9A-Z-]{0,39}")
_GS1_LOT = re.compile(r"[!\"%-?A-Z_a-z]{1,20}")  # GS1 General Specifications, character set 82
REPRINT_MAX = 999  # three digits of the trace code


class LabelValues(Protocol):
    """Anything a template can be filled with."""

    def words(self) -> dict[str, str]: ...


@runtime_checkable
class HasRows(Protocol):
    """A label that lists rows of words under one another."""

    def rows(self) -> list[dict[str, str]]: ...


@dataclass(frozen=True, slots=True)
class Party:
    """A sender or receiver. Name and phone are masked on paper unless the courier's rule says otherwise."""

    name: str
    phone: str
    address: str

    def words(self, prefix: str, *, masked: bool) -> dict[str, str]:
        return {
            f"{prefix}_name": mask_name(self.name) if masked else self.name,
            f"{prefix}_phone": mask_phone(self.phone) if masked else self.phone,
            f"{prefix}_address": self.address,
        }


@dataclass(frozen=True, slots=True)
class ExpressWaybill:
    """One parcel's waybill. `route_code` is the courier's text as it came, never parsed; `nonce` marks this one print.

    `reprint` counts the reprints: 0 is the first print. `bag_hub_mark` is the courier's short mark of the hub, if it
    has one; `masked` hides names and phones.
    """

    courier: str
    product: str
    number: str
    route_code: str
    bag_hub: str
    receiver: Party
    sender: Party
    contents: str
    order_no: str
    parcel_no: int
    parcels: int
    weight_g: int
    printed_at: datetime
    merchant_area: str = ""
    reprint: int = 0
    nonce: str = ""
    bag_hub_mark: str = ""
    masked: bool = True

    @property
    def trace_code(self) -> str:
        """Names this very print, so that a label stuck on a second parcel is caught when it is scanned."""
        return trace_code(self.number, self.reprint, self.nonce)

    def words(self) -> dict[str, str]:
        return {
            **self.receiver.words("receiver", masked=self.masked),
            **self.sender.words("sender", masked=self.masked),
            "courier": self.courier,
            "product": self.product,
            "number": self.number,
            "number_spaced": spaced(self.number),
            "trace_code": self.trace_code,
            "route_code": self.route_code,
            "bag_hub": self.bag_hub,
            "bag_hub_mark": self.bag_hub_mark,
            "contents": self.contents,
            "order_no": self.order_no,
            "parcel": f"{self.parcel_no}/{self.parcels}",
            "weight": kilograms(self.weight_g),
            "printed_on": f"{self.printed_at:%Y-%m-%d}",
            "printed_time": f"{self.printed_at:%H:%M:%S}",
            "merchant_area": self.merchant_area,
            "reprint": reprint_mark(self.reprint),
        }


@dataclass(frozen=True, slots=True)
class ContainerLabel:
    """A container's licence plate (LPN). `sscc` is its 18-digit GS1 number, where it leaves the house."""

    code: str
    merchant: str
    sku_code: str
    sku_name: str
    lot: str
    expires_on: date | None
    quantity: int
    unit: str
    received_at: datetime
    source: str = ""
    sscc: str = ""
    reprint: int = 0

    def words(self) -> dict[str, str]:
        return {
            "code": self.code,
            "barcode": internal_code(codes.Kind.CONTAINER, self.code),
            "merchant": self.merchant,
            "sku_code": self.sku_code,
            "sku_name": self.sku_name,
            "lot": self.lot,
            "expires_on": day(self.expires_on),
            "quantity": str(self.quantity),
            "unit": self.unit,
            "received_at": f"{self.received_at:%m-%d %H:%M}",
            "source": self.source,
            "sscc": self.sscc,
            "sscc_element": f"[00]{self.sscc}" if self.sscc else "",
            "reprint": reprint_mark(self.reprint),
        }


@dataclass(frozen=True, slots=True)
class SlotLabel:
    """A slot's plate on the beam. `points` says where the slot is, seen from the plate: "up", "down" or ""."""

    code: str
    zone: str
    level: int
    levels: int
    load_kg_max: int
    points: str = ""

    def words(self) -> dict[str, str]:
        return {
            "code": self.code,
            "barcode": internal_code(codes.Kind.SLOT, self.code),
            "zone": self.zone,
            "level": f"{self.level}",
            "levels": f"{self.levels}",
            "load": f"{self.load_kg_max} kg",
            "arrow": {"up": "▲", "down": "▼", "": ""}[self.points],
        }


@dataclass(frozen=True, slots=True)
class ToteLabel:
    code: str
    warehouse: str

    def words(self) -> dict[str, str]:
        return {
            "code": self.code,
            "barcode": internal_code(codes.Kind.TOTE, self.code),
            "warehouse": self.warehouse,
        }


@dataclass(frozen=True, slots=True)
class CartLabel:
    code: str
    warehouse: str
    positions: int

    def words(self) -> dict[str, str]:
        return {
            "code": self.code,
            "barcode": internal_code(codes.Kind.CART, self.code),
            "warehouse": self.warehouse,
            "positions": str(self.positions),
        }


@dataclass(frozen=True, slots=True)
class Badge:
    """A worker's badge. `code` is what the scanner reads; it is no secret, the PIN is."""

    code: str
    name: str
    role: str
    warehouse: str
    employee_no: str

    def words(self) -> dict[str, str]:
        return {
            "name": self.name,
            "role": self.role,
            "warehouse": self.warehouse,
            "employee_no": self.employee_no,
            "barcode": internal_code(codes.Kind.BADGE, self.code),
        }


@dataclass(frozen=True, slots=True)
class SkuLabel:
    """A label for goods without a readable code of their own. A `gtin` with lot and expiry stands in a GS1 code too."""

    barcode: str
    name: str
    specification: str
    merchant: str
    sku_code: str
    lot: str = ""
    produced_on: date | None = None
    expires_on: date | None = None
    gtin: str = ""

    def words(self) -> dict[str, str]:
        return {
            "barcode": self.barcode,
            "name": self.name,
            "specification": self.specification,
            "merchant": self.merchant,
            "sku_code": self.sku_code,
            "lot": self.lot,
            "produced_on": day(self.produced_on),
            "expires_on": day(self.expires_on),
            "gs1_element": self._gs1_element() if self.gtin else "",
        }

    def _gs1_element(self) -> str:
        # A GS1 code that leaves out or alters the lot would be believed, so such a label goes without one.
        if self.lot and not _GS1_LOT.fullmatch(self.lot):
            return ""
        expiry = f"[17]{self.expires_on:%y%m%d}" if self.expires_on else ""
        lot = f"[10]{self.lot}" if self.lot else ""
        return f"[01]{self.gtin.zfill(14)}{expiry}{lot}"


@dataclass(frozen=True, slots=True)
class BagTag:
    """The tag of a sack of parcels for one hub. Carries nobody's name or phone."""

    code: str
    courier: str
    product: str
    hub: str
    line_haul: str
    chute: str
    parcels: int
    gross_g: int
    closed_at: datetime
    worker_no: str
    seal: str = ""
    from_branch: str = ""
    reprint: int = 0

    def words(self) -> dict[str, str]:
        return {
            "code": self.code,
            "barcode": internal_code(codes.Kind.BAG, self.code),
            "courier": self.courier,
            "product": self.product,
            "hub": self.hub,
            "line_haul": self.line_haul,
            "chute": self.chute,
            "parcels": str(self.parcels),
            "gross": kilograms(self.gross_g),
            "closed_on": f"{self.closed_at:%Y-%m-%d}",
            "closed_time": f"{self.closed_at:%H:%M}",
            "worker_no": self.worker_no,
            "seal": self.seal,
            "from_branch": self.from_branch,
            "reprint": reprint_mark(self.reprint),
        }


@dataclass(frozen=True, slots=True)
class PackedLine:
    sku_code: str
    name: str
    quantity: int
    unit: str


@dataclass(frozen=True, slots=True)
class PackingList:
    """One page of the list that lies in the parcel; `pages_of` splits a long one."""

    order_no: str
    shop: str
    receiver: Party
    lines: tuple[PackedLine, ...]
    packed_at: datetime
    packer_no: str
    parcel_no: int
    parcels: int
    note: str = ""
    page: int = 1
    pages: int = 1
    quantity_total: int = 0
    lines_before: int = 0

    def words(self) -> dict[str, str]:
        return {
            **self.receiver.words("receiver", masked=True),
            "order_no": self.order_no,
            "shop": self.shop,
            "packed_at": f"{self.packed_at:%Y-%m-%d %H:%M}",
            "packer_no": self.packer_no,
            "parcel": f"{self.parcel_no}/{self.parcels}",
            "note": self.note,
            "page": f"{self.page}/{self.pages}",
            "quantity_total": str(self.quantity_total or sum(line.quantity for line in self.lines)),
        }

    def rows(self) -> list[dict[str, str]]:
        return [
            {
                "no": str(number),
                "sku_code": line.sku_code,
                "name": line.name,
                "quantity": str(line.quantity),
                "unit": line.unit,
            }
            for number, line in enumerate(self.lines, start=self.lines_before + 1)
        ]


def internal_code(kind: codes.Kind, bare: str) -> str:
    """The bar code of one of our own things. Refuses a bare code that cannot stand in one."""
    if not _BARE_CODE.fullmatch(bare):
        raise Refused(Reason.CODE_UNPRINTABLE, kind=kind.value, why="only capitals, digits and dashes, at most 40")
    return codes.make(kind, bare)


def trace_code(number: str, reprint: int, nonce: str) -> str:
    """ "PA.<number>-<reprint>-<nonce>.<check>": the parcel and which of its prints this is."""
    assert 0 <= reprint <= REPRINT_MAX
    return internal_code(codes.Kind.PARCEL, "-".join(part for part in (number, str(reprint), nonce) if part))


def reprint_mark(reprint: int) -> str:
    return f"补打 #{reprint}" if reprint else ""


def kilograms(grams: int) -> str:
    return f"{grams / 1000:.2f} kg"


def day(when: date | None) -> str:
    return f"{when:%Y-%m-%d}" if when else ""


def spaced(number: str) -> str:
    """A waybill number as people read it aloud: letters, then groups of four; a last single digit joins its group."""
    head = len(number) - len(number.lstrip("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))
    digits = number[head:]
    groups = [digits[at : at + 4] for at in range(0, len(digits), 4)]
    if len(groups) > 1 and len(groups[-1]) == 1:
        groups[-2:] = [groups[-2] + groups[-1]]
    return " ".join(([number[:head]] if head else []) + groups)
