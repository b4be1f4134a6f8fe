"""Bodies from a schema of our OpenAPI document: a lawful one, and where texts stand in it."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from tests.proofs.fuzz.park import KNOWN

Place = tuple[str, ...]
TEXTS = {"date": "2026-11-01", "date-time": "2026-11-07T00:00:00Z"}


def resolved(spec: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """The schema behind references, and of several kinds the first that is not null."""
    while "$ref" in schema:
        found: Any = spec
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    for choice in schema.get("anyOf", []):
        if choice.get("type") != "null":
            return resolved(spec, choice)
    return schema


def lawful(spec: dict[str, Any], schema: dict[str, Any], name: str = "") -> Any:
    """A body with every field: known names as the park knows them."""
    found = resolved(spec, schema)
    if found.get("type") == "object":
        return {key: lawful(spec, below, key) for key, below in found.get("properties", {}).items()}
    if found.get("type") == "array":
        return [lawful(spec, found["items"], name)]
    if name in KNOWN:
        return KNOWN[name]
    if found.get("type") == "string":
        return TEXTS.get(found.get("format", ""), "" if "minLength" not in found else "x")
    if found.get("type") == "boolean":
        return False
    return found.get("minimum", 1)


def towards_what_is_there(node: Any, turn: int, known: Mapping[str, Any] = KNOWN) -> Any:
    """The body with every second known name put to what the park knows."""
    if isinstance(node, dict):
        return {
            name: known[name]
            if name in known and not isinstance(value, dict | list) and (turn + len(name)) % 2
            else towards_what_is_there(value, turn, known)
            for name, value in node.items()
        }
    if isinstance(node, list):
        return [towards_what_is_there(one, turn, known) for one in node]
    return node


def text_places(spec: dict[str, Any], schema: dict[str, Any], above: Place = ()) -> Iterator[Place]:
    """Where a text may stand: names from the top down; a list's element has the name "0"."""
    found = resolved(spec, schema)
    if found.get("type") == "object":
        for key, below in found.get("properties", {}).items():
            yield from text_places(spec, below, (*above, key))
    elif found.get("type") == "array":
        yield from text_places(spec, found["items"], (*above, "0"))
    elif found.get("type") == "string" and above:
        yield above


def with_text(body: Any, place: Place, text: str) -> Any:
    """The body with one text in another's place."""
    changed = copy.deepcopy(body)
    at = changed
    for part in place[:-1]:
        at = at[int(part)] if isinstance(at, list) else at[part]
    if isinstance(at, list):
        at[int(place[-1])] = text
    else:
        at[place[-1]] = text
    return changed
