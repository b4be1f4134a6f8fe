"""Words in two languages: one catalogue, gathered from the `texts.toml` of every room.

A text is a key with `zh` and `en`; placeholders are those of `str.format`. The catalogue is data, needs no compile step
and is handed to the PDA page as it stands, so that a person's language can change at once.
"""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter

LANGUAGES = ("zh", "en")
FALLBACK = "en"


@cache
def catalogue() -> dict[str, dict[str, str]]:
    """Every text: key -> language -> words. A key that stands in two rooms is our mistake."""
    found: dict[str, dict[str, str]] = {}
    for room in sorted(files("wms").iterdir(), key=lambda place: place.name):
        for key, words in _texts(room).items():
            assert key not in found, f"the text {key} stands in two rooms"
            found[key] = words
    return found


def _texts(room: Traversable) -> dict[str, dict[str, str]]:
    if not room.is_dir():
        return {}
    page = room / "texts.toml"
    return tomllib.loads(page.read_text("utf-8")) if page.is_file() else {}


def text(key: str, language: str, **facts: object) -> str:
    """The words of `key`. An unknown key or a fact that is missing shows itself instead of stopping the work."""
    words = catalogue().get(key)
    if words is None:
        return key
    return _Lenient().vformat(words.get(language) or words[FALLBACK], (), facts)


class _Lenient(Formatter):
    def get_value(self, key: int | str, args: object, kwargs: object) -> object:
        assert isinstance(kwargs, dict)
        return kwargs.get(key, f"{{{key}}}")
