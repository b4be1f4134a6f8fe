"""Who may have a task in hand."""

from __future__ import annotations

from wms.core.refusal import Reason, Refused
from wms.work.values import PRIORITY_LAST, PRIORITY_URGENT, SKIP_MINUTES_MAX, TaskFacts, TaskState


def check_priority(priority: int) -> None:
    """From 1, the most urgent, to 9."""
    if not PRIORITY_URGENT <= priority <= PRIORITY_LAST:
        raise Refused(Reason.BAD_INPUT, what="priority")


def check_minutes(minutes: int) -> None:
    """A task is put off for a minute to a day."""
    if not 1 <= minutes <= SKIP_MINUTES_MAX:
        raise Refused(Reason.BAD_INPUT, what="minutes")


def check_not_over(task: TaskFacts) -> None:
    """Raises TASK_DONE for a task that is done or was cancelled."""
    if task.state in (TaskState.DONE, TaskState.CANCELLED):
        raise Refused(Reason.TASK_DONE, task=task.id, state=task.state.value)


def in_others_hands(task: TaskFacts, person_id: int | None) -> bool:
    """Whether somebody else than the asker has it. The house itself (no person) may finish anybody's."""
    return task.state is TaskState.CLAIMED and person_id is not None and task.claimed_by != person_id
