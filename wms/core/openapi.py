"""What the API says about itself: every call's envelope, written once here instead of beside each route."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

from flask import Flask

COMMAND_ATTRIBUTE = "answers_with"
ERROR = {
    "type": "object",
    "description": "How the house says no. `reason` is stable; `message` is for people, in their language.",
    "required": ["error"],
    "properties": {
        "error": {
            "type": "object",
            "required": ["reason", "message", "facts"],
            "properties": {
                "reason": {"type": "string"},
                "message": {"type": "string"},
                "facts": {"type": "object", "additionalProperties": True},
            },
        }
    },
}
_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "required": True,
    "description": "Made by the caller: asked twice under one key, done once and answered alike.",
    "schema": {"type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$"},
}
_REFUSALS = {
    400: "The request cannot be read: a field is missing, unknown or of the wrong kind",
    401: "No key, or one nobody knows",
    403: "The key has not the right, or the house forbids it",
    404: "Nothing of that name is there for this key",
    409: "What is there does not allow it",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The request contradicts itself or an earlier one under the same key",
    429: "Too many requests",
    503: "The house is busy: ask again under the same key",
}
_ONLY_COMMANDS = frozenset({413, 415})
_RULE_PART = re.compile(r"<(?:[^:<>]+:)?([^<>]+)>")
_REFUSAL_REF = {"$ref": "#/components/schemas/Refusal"}


def answers_with(status: int) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Mark a view as a command whose success has this status (`command` does it for its routes)."""

    def mark(view: Callable[..., Any]) -> Callable[..., Any]:
        setattr(view, COMMAND_ATTRIBUTE, status)
        return view

    return mark


def complete(app: Flask, spec: Any) -> Any:
    """The generated description with our one error shape, the true statuses, and the key of each command."""
    schemas = spec.setdefault("components", {}).setdefault("schemas", {})
    for stranger in ("ValidationError", "HTTPError"):
        schemas.pop(stranger, None)
    schemas["Refusal"] = ERROR
    views = dict(_views(app))
    for path, calls in spec.get("paths", {}).items():
        for method, call in calls.items():
            view = views.get((path, method))
            if view is not None:
                _complete_call(call, getattr(view, COMMAND_ATTRIBUTE, None), method, path)
    return spec


def _views(app: Flask) -> Iterator[tuple[tuple[str, str], Callable[..., Any]]]:
    for rule in app.url_map.iter_rules():
        path = _RULE_PART.sub(r"{\1}", rule.rule)
        for method in rule.methods or ():
            yield (path, method.lower()), app.view_functions[rule.endpoint]


def _complete_call(call: dict[str, Any], status: int | None, method: str, path: str) -> None:
    answer = {"description": "Done", "content": {"application/json": {"schema": {"type": "object"}}}}
    responses: dict[str, Any] = {str(status or 200): answer}
    for refusal, meaning in _REFUSALS.items():
        if status is not None or refusal not in _ONLY_COMMANDS:
            responses[str(refusal)] = {
                "description": meaning,
                "content": {"application/json": {"schema": _REFUSAL_REF}},
            }
    call["responses"] = responses
    call["operationId"] = re.sub(r"\W+", "_", f"{method}{path.removeprefix('/api/v1')}").strip("_")
    if status is not None:
        call["parameters"] = [*call.get("parameters", []), _KEY]
        if "requestBody" in call:
            call["requestBody"]["required"] = True
