"""What the ear and the skin are told: receipt at once, right or wrong with the answer."""

from __future__ import annotations

from typing import Any

import pytest

from tests.handheld.page import envelopes as goods
from tests.handheld.page.handheld import Handheld
from tests.handheld.page.scripted import Floor

pytestmark = pytest.mark.chromium

# Listens in the browser to what the page asks of it: tones, volumes, vibrations, sentences.
LISTEN = """
window.tones = []; window.peaks = []; window.shakes = []; window.said = [];
const start = OscillatorNode.prototype.start;
OscillatorNode.prototype.start = function (at) {
  window.tones.push(this.frequency.value);
  return start.call(this, at);
};
const ramp = AudioParam.prototype.linearRampToValueAtTime;
AudioParam.prototype.linearRampToValueAtTime = function (value, at) {
  window.peaks.push(value);
  return ramp.call(this, value, at);
};
navigator.vibrate = (pattern) => { window.shakes.push(pattern); return true; };
speechSynthesis.speak = (sentence) => window.said.push([sentence.lang, sentence.text]);
"""
TONES = {
    "ok": [1320],
    "wrong": [220, 220, 220],
    "done": [880, 1175, 1568],
    "attention": [740, 740],
    "intercepted": [1000, 500, 1000, 500, 1000, 500],
}
SHAKES = {
    "ok": [40],
    "wrong": [200, 80, 200],
    "done": [60, 40, 60],
    "attention": [120],
    "intercepted": [400, 100, 400],
}


@pytest.fixture
def heard(pda: Handheld, floor: Floor) -> Handheld:
    pda.page.add_init_script(LISTEN)
    floor.state = lambda: goods.envelope(goods.pick_screen())
    return pda.open()


def scan(pda: Handheld, message: goods.Json) -> list[Any]:
    """One scan with this answer; gives back the tones after the tick of receipt."""
    pda.floor.script = lambda path, body: goods.envelope(goods.pick_screen(), message=message)
    pda.page.evaluate("window.tones.length = window.peaks.length = 0")
    pda.press("F9")
    pda.page.keyboard.type("A-1")
    pda.press("Enter")
    level = message["level"]
    pda.page.wait_for_function("count => window.tones.length >= count", arg=1 + len(TONES[level]))
    tones: list[Any] = pda.page.evaluate("window.tones")
    assert tones[0] == 1800
    return tones[1:]


@pytest.mark.parametrize("level", TONES)
def test_each_answer_has_its_own_tones_and_shake(heard: Handheld, level: str) -> None:
    assert scan(heard, {**goods.OK, "level": level, "sound": level}) == TONES[level]
    assert heard.page.evaluate("window.shakes.at(-1)") == SHAKES[level]


def test_wrong_is_heard_even_when_muted(heard: Handheld) -> None:
    heard.press("F4")
    heard.tap('[data-action="page:settings"]')
    for percent in ("100 %", "0 %"):
        heard.tap('[data-action="page:volume"]')
        heard.sees(percent)
    heard.press("F1")
    heard.page.evaluate("window.tones.length = window.peaks.length = 0")
    heard.floor.script = lambda path, body: goods.envelope(goods.pick_screen(), message=goods.wrong_message())
    heard.trigger("A-1")
    heard.page.wait_for_function("() => window.tones.length >= 3")
    assert heard.page.evaluate("window.tones") == TONES["wrong"]  # no tick, no ok: those are muted
    assert max(heard.page.evaluate("window.peaks")) == pytest.approx(0.35 * 0.3, rel=0.01)


def test_sentences_are_spoken_only_when_switched_on(heard: Handheld) -> None:
    scan(heard, goods.wrong_message())
    assert heard.page.evaluate("window.said") == []
    heard.press("F4")
    heard.tap('[data-action="page:settings"]')
    heard.tap('[data-action="page:speech"]')
    heard.press("F1")
    scan(heard, {**goods.wrong_message(), "speech": "商品不对，要四四一七"})
    assert heard.page.evaluate("window.said") == [["zh-CN", "商品不对，要四四一七"]]
