"""Printers that stand in for each other: whose jobs another of the group may take, and since when.

Every printer of a group holds the same paper. What was begun (`sending`) stays with its printer; only jobs of which no
byte has left are handed over.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass


@dataclass(slots=True)
class _Member:
    group: str
    language: str
    able: bool
    since_s: float


class FailoverGroups:
    """Each printer says how it stands; its group reads it. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._members: dict[str, _Member] = {}

    def join(self, name: str, group: str, language: str, now_s: float) -> None:
        """A printer counts as unable until it has said otherwise."""
        with self._lock:
            self._members[name] = _Member(group, language, able=False, since_s=now_s)

    def stands(self, name: str, *, able: bool, now_s: float) -> None:
        """Note whether `name` can print; a printer without a group is not noted."""
        with self._lock:
            member = self._members.get(name)
            if member is not None and member.able is not able:
                member.able, member.since_s = able, now_s

    def unable(self, name: str, now_s: float, patience_s: float) -> list[str]:
        """The others of the group of `name` and its language that could not print for `patience_s`."""
        with self._lock:
            me = self._members.get(name)
            if me is None:
                return []
            return [
                other
                for other, member in self._members.items()
                if other != name
                and (member.group, member.language) == (me.group, me.language)
                and not member.able
                and now_s - member.since_s >= patience_s
            ]
