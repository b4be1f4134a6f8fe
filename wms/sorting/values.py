"""What other rooms may know of the sorting line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

REJECT = 0
Plan = Mapping[tuple[str, str], tuple[int, ...]]  # (courier, hub) -> its chutes in line order
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


@dataclass(frozen=True, slots=True)
class HubRow:
    """One hub of a proposed sort plan: parcels expected a day, its chutes now and then."""

    courier: str
    hub: str
    parcels: int
    before: tuple[int, ...]
    after: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class PlanWorth:
    """What a sort plan comes to: parcels a day without a chute, parcels in the fullest chute; hubs that leave all
    their chutes; how often another courier begins along the line.
    """

    unserved: int
    fullest: int
    moved: int
    blocks: int


@dataclass(frozen=True, slots=True)
class SortProposal:
    """A sort plan beside the running one. `optimal`: no plan is better by these goals."""

    rows: tuple[HubRow, ...]
    before: PlanWorth
    after: PlanWorth
    optimal: bool


@dataclass(frozen=True, slots=True)
class Switch:
    """What runs now, and which chutes change their hub (None: spare) when the bag that hangs there is changed."""

    running: Plan
    waiting: Mapping[int, tuple[str, str] | None]
