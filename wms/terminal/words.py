"""Words and numbers as a reader wants them: his language, the building's clock."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from wms.core.i18n import text
from wms.terminal.values import Words


class Reader:
    """Somebody who reads: language and clock."""

    def __init__(self, language: str, zone: ZoneInfo) -> None:
        self.language = language
        self._zone = zone

    def say(self, key: str, **facts: object) -> str:
        """The words of a key."""
        return text(key, self.language, **self._told(facts))

    def words(self, words: Words | str) -> str:
        """A sentence from its parts; plain text stays as it is."""
        return words if isinstance(words, str) else text(words.key, self.language, **self._told(words.facts))

    def _told(self, facts: Mapping[str, object]) -> dict[str, object]:
        return {name: self._fact(value) for name, value in facts.items()}

    def _fact(self, value: object) -> object:
        if isinstance(value, Words):
            return self.words(value)
        return self.clock(value) if isinstance(value, datetime) else value

    def clock(self, moment: datetime) -> str:
        """14:32 on the building's clock, in both languages."""
        return f"{moment.astimezone(self._zone):%H:%M}"

    def clock_s(self, moment: datetime) -> str:
        return f"{moment.astimezone(self._zone):%H:%M:%S}"

    def day_and_clock(self, moment: datetime, now: datetime) -> str:
        """The time alone today, with its day otherwise."""
        local, today = moment.astimezone(self._zone), now.astimezone(self._zone)
        if local.date() == today.date():
            return f"{local:%H:%M:%S}"
        month = self.say(f"terminal.month.{local.month}")
        return f"{self.say('terminal.day_short', day=local.day, month=month)} {local:%H:%M}"

    def day(self, moment: datetime) -> str:
        """7 Nov, or 11月7日, on the building's clock."""
        local = moment.astimezone(self._zone)
        return self.say("terminal.day_short", day=local.day, month=self.say(f"terminal.month.{local.month}"))

    def span(self, length: timedelta) -> str:
        """42 min, or 1:05."""
        minutes = max(0, round(length.total_seconds() / 60))
        return self.say("terminal.minutes", minutes=minutes) if minutes < 60 else f"{minutes // 60}:{minutes % 60:02d}"


def epoch_ms(moment: datetime) -> int:
    """What the page's own clock counts from."""
    return round(moment.timestamp() * 1000)
