"""People who stand still with work in hand, and work nobody can begin."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wms.terminal.queries.crew import IDLE_AFTER
from wms.terminal.queries.look import Look
from wms.terminal.values import WARN, Deed, TaskInHand, Trouble, Words, Worker
from wms.work import queries as work

ASIDE_MAX = 12


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


def put_aside(look: Look) -> Iterator[Trouble]:
    """Tasks that could not be begun when somebody asked for work, each with what was in the way."""
    for task in work.put_aside(look.session, look.warehouse_id, ASIDE_MAX):
        why = task.hindered or {}
        what = Words("terminal.trouble.put_aside", {"kind": Words(f"terminal.task.{task.kind}"), "name": task.name})
        note = Words(f"reason.{why['reason']}", why["facts"])
        again = Deed("offer_again", Words("terminal.deed.offer_again"), {"task": task.id})
        yield Trouble(f"aside:{task.id}", "P-1104", WARN, what, note, again, task.made_at, task.due_at)
