"""Why parcels were rejected, and whether the gateway's own durable events tell it too.

A parcel that is not sorted must be explained to whoever reads the station's book: its confirmation says how it ended,
and where the gateway sent it to reject, its divert says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from devices.simulators.sorter_belt import Discharge

SORTED: Final = "OK"
TOLD_TO_REJECT: Final = "REJ"


@dataclass(frozen=True, slots=True)
class Rejects:
    """`because`: parcels by result of the line, behind REJ also the gateway's reason. `unexplained`: those of which
    the events do not tell the same.
    """

    because: dict[str, int]
    unexplained: int


def explain(
    discharges: Iterable[Discharge], results: Mapping[object, object], reasons: Mapping[object, object]
) -> Rejects:
    """`results`: by pid, as confirmed in the gateway's events; `reasons`: by pid, of its last divert."""
    because: Counter[str] = Counter()
    unexplained = 0
    for parcel in discharges:
        if parcel.result == SORTED:
            continue
        told = parcel.result == TOLD_TO_REJECT
        because[f"{parcel.result} {parcel.reason}" if told else parcel.result] += 1
        known = results.get(parcel.pid) == parcel.result and (not told or reasons.get(parcel.pid) == parcel.reason)
        unexplained += not known
    return Rejects(dict(because), unexplained)
