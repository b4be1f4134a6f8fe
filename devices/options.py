"""A device's table in the configuration, read into a frozen dataclass and checked before anything is opened."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, TypeVar, get_type_hints

from devices.errors import ConfigError

# Keys every device may have; the gateway reads them itself.
COMMON = frozenset({"name", "driver", "url", "enabled"})

T = TypeVar("T")


def read_options(shape: type[T], options: Mapping[str, object]) -> T:
    """`options` as `shape`, a dataclass of int, float, bool and str fields with defaults.

    Raises ConfigError for an unknown key, a value of another type, or what `shape.__post_init__` refuses.
    """
    hints = get_type_hints(shape)
    known = {field.name for field in fields(shape)}  # type: ignore[arg-type]  # every shape is a dataclass
    values: dict[str, Any] = {}
    for key, value in options.items():
        if key in COMMON:
            continue
        if key not in known:
            raise ConfigError(f"unknown option {key}; known are {', '.join(sorted(known | COMMON))}")
        values[key] = _as(hints[key], key, value)
    return shape(**values)


def _as(wanted: type, key: str, value: object) -> object:
    if wanted is float and type(value) is int:
        return float(value)
    if type(value) is not wanted:
        raise ConfigError(f"{key} must be {_WORDS.get(wanted, wanted.__name__)}, not {value!r}")
    return value


_WORDS = {int: "a whole number", float: "a number", bool: "true or false", str: "a text in quotes"}


def require(condition: bool, message: str) -> None:
    """Raise ConfigError with `message` unless `condition`; for the ranges in `__post_init__`."""
    if not condition:
        raise ConfigError(message)
