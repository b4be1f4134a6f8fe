"""What other rooms may know of shipping: labels, routes, and the source of waybill numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from wms.core.call import Call

PARK_HUB = ""


@dataclass(frozen=True, slots=True)
class Route:
    """Where a parcel goes: `route_code` is printed (三段码), `hub` is the courier's own, `bag_hub` where we send the
    bag.

    `bag_hub` differs from `hub` while a re-route is on; it decides bag, chute and manifest, never what is printed.
    """

    route_code: str
    hub: str
    bag_hub: str


@dataclass(frozen=True, slots=True)
class ParcelToLabel:
    """What a source of numbers is told. Weight in g."""

    id: int
    courier: str
    merchant_id: int
    area_code: str
    weight_g: int


@dataclass(frozen=True, slots=True)
class Label:
    """A number and where its source came from."""

    number: str
    source: str


@dataclass(frozen=True, slots=True)
class Labelled:
    """A parcel that has its number and route."""

    parcel_id: int
    waybill: str
    route_code: str
    hub: str


class WaybillSource(Protocol):
    """Gives numbers and takes them back. Idempotent per parcel: a parcel keeps its number for ever."""

    name: str

    def take(self, call: Call, parcel: ParcelToLabel) -> Label:
        """A number for this parcel. Raises Refused(WAYBILL_POOL_EMPTY)."""

    def void(self, call: Call, courier: str, number: str) -> None:
        """Give a number back: it is never used again."""
