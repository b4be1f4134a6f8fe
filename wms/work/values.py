"""A task as other rooms see it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

PRIORITY_URGENT = 1
PRIORITY_NORMAL = 5
PRIORITY_LAST = 9
SKIP_MINUTES_MAX = 24 * 60
ASIDE_MINUTES = 10


class TaskState(StrEnum):
    """Where a task stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    DONE = "done"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class TaskFacts:
    """One piece of work. `subject` names what it is about ("container:17"); priority 1 is the most urgent.

    `hindered` says why it could not be begun when it was last tried: {"reason": ..., "facts": {...}}.
    """

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
    hindered: dict[str, Any] | None
    done_at: datetime | None

    @property
    def name(self) -> str:
        """What people call it by: its batch, slot or box."""
        return name_of(self.facts, self.subject)


def name_of(facts: Mapping[str, Any], subject: str) -> str:
    """A task's name by its facts: its batch, slot or box, else its subject."""
    return str(facts.get("no") or facts.get("slot") or facts.get("container") or subject)


@dataclass(frozen=True, slots=True)
class KindCount:
    """How much of a kind of work lies there, and since when the oldest of it waits."""

    kind: str
    open: int
    claimed: int
    oldest_at: datetime | None
