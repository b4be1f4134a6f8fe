"""People who stand still with work in hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wms.terminal.queries.crew import IDLE_AFTER
from wms.terminal.queries.look import Look
from wms.terminal.values import WARN, Deed, TaskInHand, Trouble, Words, Worker


def idle(look: Look, crew: Sequence[Worker]) -> Iterator[Trouble]:
    """Who has not scanned for long, with what he holds; it goes to whoever scanned last and has his hands free."""
    for worker in crew:
        if not worker.idle:
            continue
        task = worker.in_hand[0]
        facts = {"name": worker.name}
        note = Words("terminal.trouble.idle.note", {"place": worker.place or "—", "task": task.name, "left": task.left})
        what = Words("terminal.trouble.idle", facts)
        deed = _hand_over(look, task, crew)
        yield Trouble(f"idle:{worker.person_id}", "P-1103", WARN, what, note, deed, worker.last_scan_at)


def _walks(look: Look, one: Worker) -> bool:
    """Whether somebody is about in the aisles just now: who sits at a table stays there."""
    at_table = "-" in one.place
    return not at_table and one.last_scan_at is not None and look.now - one.last_scan_at < IDLE_AFTER


def _hand_over(look: Look, task: TaskInHand, crew: Sequence[Worker]) -> Deed:
    free = [one for one in crew if not one.in_hand and _walks(look, one)]
    if not free:
        return Deed("free_task", Words("terminal.deed.free_task", {"task": task.name}), {"task": task.task_id})
    taker = max(free, key=lambda one: (one.last_scan_at, one.person_id))
    words = Words("terminal.deed.hand_over", {"name": taker.name})
    return Deed("hand_over", words, {"task": task.task_id, "person": taker.person_id})
