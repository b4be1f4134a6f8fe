"""The hand on the PDA: opens the page, pulls the trigger, presses keys, looks at the screen."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from tests.handheld.page.scripted import Floor

WAIT_MS = 60_000  # for a machine that is busy with something else

# Dispatched inside the page, so that the pace is the scanner's and not the test connection's. `timeStamp` of these
# events is the page's own clock, as for a real key.
TRIGGER = """
async ({codes, prefix, end, gap_ms, keyCode, target}) => {
  const node = target ? document.querySelector(target) : document.body;
  const press = (code, key, more = {}) => {
    for (const type of ["keydown", "keyup"]) {
      const how = {code, key, keyCode, bubbles: true, cancelable: true, composed: true, ...more};
      node.dispatchEvent(new KeyboardEvent(type, how));
    }
  };
  const places = {"-": "Minus", ":": "Semicolon", "]": "BracketRight", " ": "Space", "/": "Slash", ".": "Period"};
  const type = (character) => {
    if (character === "\\x1d") return press("BracketRight", "]", {ctrlKey: true});
    if (/[0-9]/.test(character)) return press("Digit" + character, character);
    if (/[a-z]/i.test(character)) {
      const key = keyCode === 229 ? "Process" : character;
      return press("Key" + character.toUpperCase(), key, {shiftKey: /[A-Z]/.test(character)});
    }
    return press(places[character], character, {shiftKey: character === ":"});
  };
  for (const code of codes) {
    if (prefix) press(prefix, prefix);
    for (const character of code) type(character);
    for (const name of end) press(name, name);
    if (gap_ms) await new Promise((done) => setTimeout(done, gap_ms));
  }
}
"""


class Handheld:
    """Wraps a playwright page. `troubles` collects script errors and policy violations."""

    def __init__(self, page: Any, floor: Floor) -> None:
        self.page = page
        self.floor = floor
        self.troubles: list[str] = []
        self.asked: list[str] = []
        page.set_default_timeout(WAIT_MS)
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("console", self._said)
        page.on("request", lambda request: self.asked.append(request.url))

    def _said(self, said: Any) -> None:
        # A cut network is what many tests are about; the browser reports it as a failed resource.
        if said.type == "error" and "Failed to load resource" not in said.text:
            self.troubles.append(said.text)

    def open(self, path: str = "/pda/") -> Handheld:
        self.page.goto(f"{self.floor.url}{path}")  # type: ignore[attr-defined]
        self.page.wait_for_selector("#keys button")
        return self

    def trigger(
        self,
        *codes: str,
        prefix: str = "F9",
        end: tuple[str, ...] = ("Enter",),
        gap_ms: int = 0,
        key_code: int = 0,
        target: str = "",
    ) -> None:
        """Pull the scanner's trigger, once for each code."""
        how = {"codes": codes, "prefix": prefix, "end": end, "gap_ms": gap_ms, "keyCode": key_code, "target": target}
        self.page.evaluate(TRIGGER, how)

    def press(self, key: str) -> None:
        """A key under the thumb, through the browser's own input."""
        self.page.keyboard.press(key)

    def tap(self, selector: str) -> None:
        self.page.click(selector)

    def sees(self, words: str) -> None:
        """Waits until the words stand on the screen."""
        self.page.wait_for_function("words => document.body.innerText.includes(words)", arg=words)

    def asks(self, words: str) -> None:
        """Waits until the scan bar asks for exactly this."""
        self.page.wait_for_function("words => document.querySelector('.scan h1')?.innerText === words", arg=words)

    def text(self, selector: str = "body") -> str:
        return str(self.page.inner_text(selector))

    def kept(self) -> list[dict[str, Any]]:
        """What lies in the device's own store."""
        kept: list[dict[str, Any]] = self.page.evaluate(
            """() => new Promise((done) => {
                const open = indexedDB.open("chuwei-pda");
                open.onsuccess = () => {
                    const all = open.result.transaction("queue").objectStore("queue").getAll();
                    all.onsuccess = () => { open.result.close(); done(all.result); };
                };
            })"""
        )
        return kept

    def until(self, holds: Callable[[], bool], what: str) -> None:
        """Waits for something on the server's side."""
        deadline = time.monotonic() + WAIT_MS / 1000
        while not holds():
            assert time.monotonic() < deadline, f"waited in vain: {what}"
            self.page.wait_for_timeout(20)
