"""A pair of hands at a PDA without the PDA: walks a declared dialogue step by step, as the shell does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.builders import Park
from wms.core import codes
from wms.core.call import Call
from wms.core.dialogue import Dialogue, Message, Move, Scan, Turn
from wms.core.refusal import Reason, Refused


class Hands:
    """Somebody in a dialogue. Every move is a transaction; a refusal keeps the step; every screen is drawn."""

    def __init__(self, park: Park, dialogue: Dialogue, **given: Any) -> None:
        self.park, self.dialogue = park, dialogue
        self.step: str | None = None
        self.state: Mapping[str, Any] = {}
        self.message: Message | None = None
        self.screen: dict[str, Any] = {}
        self._go(park.act(lambda call: dialogue.begin(call, given)))

    def scan(self, code: str, aim: str | None = None) -> Hands:
        """Pull the trigger."""
        on_scan = self.dialogue.steps[self._here()].on_scan
        assert on_scan is not None, f"nothing is scanned at {self.step}"
        read = codes.read(code, aim)
        return self._move(lambda call: on_scan(Turn(call, self.state), Scan("s", read, code, aim)))

    def press(self, action: str, value: str = "") -> Hands:
        """Press a key, choose a row or type."""
        act = self.dialogue.steps[self._here()].actions[action]
        return self._move(lambda call: act(Turn(call, self.state), value))

    def weigh(self, weight_g: int) -> Hands:
        """The station's scale comes to rest."""
        on_weight = self.dialogue.steps[self._here()].on_weight
        assert on_weight is not None, f"nothing is weighed at {self.step}"
        return self._move(lambda call: on_weight(Turn(call, self.state), weight_g))

    def refused(self, code: str, aim: str | None = None) -> Reason:
        """Scan something that is refused; the reason. The screen stays."""
        with pytest.raises(Refused) as no:
            self.scan(code, aim)
        return no.value.reason

    def refuses(self, action: str, value: str = "") -> Reason:
        """Press something that is refused; the reason."""
        with pytest.raises(Refused) as no:
            self.press(action, value)
        return no.value.reason

    @property
    def keys(self) -> dict[str, str]:
        """Key -> action, as below the screen."""
        return {key["key"]: key["action"] for key in self.screen["keys"]}

    def cards(self, kind: str) -> list[dict[str, Any]]:
        return [card for card in self.screen["cards"] if card["kind"] == kind]

    def _here(self) -> str:
        assert self.step is not None, "the dialogue is over"
        return self.step

    def _move(self, work: Any) -> Hands:
        leads_to = self.dialogue.steps[self._here()].leads_to
        move = self.park.act(work)
        assert move.step in leads_to or move.step == self.step, f"{self.step} leads to {move.step}"
        return self._go(move)

    def _go(self, move: Move) -> Hands:
        self.step, self.state, self.message = move.step, dict(move.state), move.message
        if self.step is not None:
            self.screen = self._drawn(self.step)
        return self

    def _drawn(self, step: str) -> dict[str, Any]:
        def draw(call: Call) -> dict[str, Any]:
            return self.dialogue.steps[step].screen(Turn(call, self.state)).to_json()

        screen = self.park.look(draw)
        actions = set(self.dialogue.steps[step].actions)
        offered = {key["action"] for key in screen["keys"]}
        assert offered <= actions, f"{step} offers {offered - actions} and knows no such action"
        assert len(screen["keys"]) <= 4
        return screen
