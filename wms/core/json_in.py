"""JSON as strangers send it: read once here, so that nothing odd gets further than the door.

Refused is what no column of both databases can hold (NUL, half characters, NaN and Infinity) and what is nested deeper
than anything we ask for; all of it would otherwise become an error of ours somewhere inside.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn

from wms.core.refusal import Reason, Refused

DEPTH_MAX = 32
_FRACTION = re.compile(rb"\d[.eE]")


def read_json(raw: bytes | str) -> Any:
    """Whatever JSON value it is. Raises ValueError with a few words on what is wrong."""
    found = _loads(raw)
    if not _is_plain(raw):
        _look_through(found)
    return found


def _is_plain(raw: bytes | str) -> bool:
    """Nothing odd can be in it, so that looking through it can be spared: no escaped sign, no byte of half a character
    (0xED) or of another encoding (0x00), no number with a fraction or an exponent, too few brackets to be deep.
    """
    if isinstance(raw, str) or b"\\u" in raw or b"\xed" in raw or b"\x00" in raw:
        return False
    return raw.count(b"[") + raw.count(b"{") < DEPTH_MAX and _FRACTION.search(raw) is None


def read_object(raw: bytes, *, storable: bool = True) -> dict[str, Any]:
    """A JSON object. Raises BAD_INPUT.

    Without `storable` odd texts come through: for calls whose parts are judged, and set aside, one by one.
    """
    try:
        found = read_json(raw) if storable else _loads(raw)
    except ValueError as error:
        raise Refused(Reason.BAD_INPUT, what="the body is not JSON") from error
    if not isinstance(found, dict):
        raise Refused(Reason.BAD_INPUT, what="the body is not an object")
    return found


def _loads(raw: bytes | str) -> Any:
    try:
        return json.loads(raw, parse_constant=_no_number)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def is_storable(text: str) -> bool:
    """Whether both databases can hold this text: no NUL, no half of a surrogate pair."""
    return "\x00" not in text and not any("\ud800" <= sign <= "\udfff" for sign in text)


def _no_number(word: str) -> NoReturn:
    raise ValueError(f"{word} is no number")


def _look_through(found: Any) -> None:
    """Level by level, so that no depth can exhaust the stack."""
    level = [found]
    for _ in range(DEPTH_MAX):
        if not level:
            return
        below: list[Any] = []
        for one in level:
            if isinstance(one, str | float):
                _check(one)
            elif isinstance(one, dict):
                below += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                below += one
        level = below
    raise ValueError("nested too deep")


def _check(one: str | float) -> None:
    if isinstance(one, str) and not is_storable(one):
        raise ValueError("a text that cannot be kept")
    if isinstance(one, float) and not math.isfinite(one):
        raise ValueError("a number that cannot be kept")
