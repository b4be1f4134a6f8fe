"""A task as other rooms see it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

PRIORITY_URGENT = 1
PRIORITY_NORMAL = 5
PRIORITY_LAST = 9
SKIP_MINUTES_MAX = 24 * 60


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """One piece of work. `subject` names what it is about ("container:17"); priority 1 is the most urgent."""

    id: int
    kind: str
    subject: str
    state: TaskState
    priority: int
    due_at: datetime | None
    zone_id: int | None
    merchant_id: int | None
    facts: dict[str, Any]
    made_at: datetime
    claimed_by: int | None
    claimed_at: datetime | None
    skipped_until: datetime | None
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class KindCount:
    """How much of a kind of work lies there, and since when the oldest of it waits."""

    kind: str
    open: int
    claimed: int
    oldest_at: datetime | None
