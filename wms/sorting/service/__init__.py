"""Which chute each parcel is told, and what the line says it did."""

from __future__ import annotations

from wms.sorting.service.by_hand import chute_for, sort_by_hand
from wms.sorting.service.passages import chute_state, confirm, empty_chute, find_lost, into_bag, record_divert
from wms.sorting.service.plans import (
    accept_plan,
    decline_plan,
    mend_plan,
    plan_chutes,
    propose_plan,
    route_courier,
    use,
)
from wms.sorting.service.routes import (
    ROUTES_WAKE,
    answer,
    chutes_of,
    newest_version,
    route_order,
    route_parcel,
    routes_since,
    waiting,
)

__all__ = [
    "ROUTES_WAKE",
    "accept_plan",
    "answer",
    "chute_for",
    "chute_state",
    "chutes_of",
    "confirm",
    "decline_plan",
    "empty_chute",
    "find_lost",
    "into_bag",
    "mend_plan",
    "newest_version",
    "plan_chutes",
    "propose_plan",
    "record_divert",
    "route_courier",
    "route_order",
    "route_parcel",
    "routes_since",
    "sort_by_hand",
    "use",
    "waiting",
]
