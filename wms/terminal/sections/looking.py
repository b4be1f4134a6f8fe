"""Look up anything: the card on the left, its whole history on the right."""

from __future__ import annotations

from wms.terminal.queries.history import look_up
from wms.terminal.queries.history.common import HISTORY_MAX
from wms.terminal.sections.common import Asked, Part, known_words


def look_up_section(asked: Asked) -> list[Part]:
    answer = look_up(asked.look, asked.options.get("q", ""))
    reader = asked.reader
    history = answer.card.history if answer.card else ()
    card = {"card": answer.card, "matches": answer.matches, "asked": answer.asked}
    told = {
        "history": history,
        "cut": len(history) >= HISTORY_MAX,
        "now": asked.look.now,
        "actor": lambda actor: known_words(reader, "terminal.actor", actor),
    }
    return [
        Part("card", "card", card, reader.say("terminal.section.look")),
        Part("happened", "happened", told, reader.say("terminal.history.what")),
    ]
