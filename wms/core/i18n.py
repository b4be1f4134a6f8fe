"""Words in two languages: one catalogue, gathered from the `texts.toml` of every room.

A text is a key with `zh` and `en`; placeholders are those of `str.format`, `{n} slot{n:s}` says 1 slot, 2 slots, and
`{why:@slotting.rule}` says the text `slotting.rule.<why>` (the bare word where there is none).
The catalogue is data and needs no compile step; the PDA page's own texts (`pda.`) are handed there as they stand, so
that a person's language can change at once.
"""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from string import Formatter

LANGUAGES = ("zh", "en")
FALLBACK = "en"
ENDINGS = {"s": "", "es": "", "ies": "y", "ople": "rson"}  # of many -> of one
_OTHER_TEXT = re.compile(r"\{(\w+):@[\w.]+\}")
_ENDING = re.compile(r"\{\w+:(s|es|ies|ople)\}")


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
    told = words.get(language) or words[FALLBACK]
    return _Lenient(language).vformat(told, (), facts) if "{" in told or "}" in told else told


def of_many(words: str) -> str:
    """A text as it stands in the catalogue, for who reads it with its placeholders: nouns of many, no other texts."""
    return _OTHER_TEXT.sub(r"{\1}", _ENDING.sub(r"\1", words))


class _Lenient(Formatter):
    def __init__(self, language: str) -> None:
        self._language = language

    def get_value(self, key: int | str, args: object, kwargs: object) -> object:
        assert isinstance(kwargs, dict)
        return kwargs.get(key, f"{{{key}}}")

    def format_field(self, value: object, spec: str) -> str:
        """`{n} batch{n:es}`: the ending of a noun whose number is told, none after one; `{why:@key}`: another text."""
        if spec.startswith("@"):
            named = f"{spec[1:]}.{value}"
            return text(named, self._language) if named in catalogue() else str(value)
        if spec in ENDINGS:
            return ENDINGS[spec] if str(value) == "1" else spec
        return str(super().format_field(value, spec))
