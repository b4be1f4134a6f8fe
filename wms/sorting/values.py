"""What other rooms may know of the sorting line."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

REJECT = 0
HOLD = "HOLD"


class Finding(StrEnum):
    """What reconciliation names: a parcel the line saw and the books do not agree with."""

    NONE = ""
    NOROUTE = "NOROUTE"
    DOUBLE = "DOUBLE"
    UNKNOWN = "UNKNOWN"
    MISSORT = "MISSORT"
    LOST = "LOST"
    STOPPED = "STOPPED"


@dataclass(frozen=True, slots=True)
class RouteEntry:
    """One change of the route table. `chutes` is a group ("5" or "5/6"), "0" reject, None = taken out."""

    version: int
    code: str
    chutes: str | None
    reason: str


@dataclass(frozen=True, slots=True)
class HubLoad:
    """Parcels expected for a courier's hub: what the sort plan shares out."""

    courier: str
    hub: str
    parcels: int


@dataclass(frozen=True, slots=True)
class Confirmed:
    """What a confirmation of the line led to."""

    parcel_id: int | None
    chute: int | None
    finding: Finding
