"""What every deed begins with: its arguments checked, its answer in words."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from wms.core.call import Call
from wms.core.refusal import Reason, Refused
from wms.people.values import Right
from wms.terminal.service.planner import Wanted
from wms.terminal.values import Words

Args = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What a deed came to, and what the planner is to do now."""

    words: Words
    jobs: tuple[Wanted, ...] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """What a button does, and the right it takes."""

    right: Right
    do: Callable[[Call, Args], Done]


def said(key: str, **facts: object) -> Done:
    return Done(Words(f"terminal.done.{key}", facts))


def number(args: Args, name: str) -> int:
    value = args.get(name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def numbers(args: Args, name: str) -> list[int]:
    value = args.get(name)
    if not isinstance(value, list) or any(not isinstance(each, int) or isinstance(each, bool) for each in value):
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def text(args: Args, name: str) -> str:
    value = args.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= 200:
        raise Refused(Reason.BAD_INPUT, what=name)
    return value


def moment(args: Args, name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text(args, name))
    except ValueError as error:
        raise Refused(Reason.BAD_INPUT, what=name) from error
    if moment.tzinfo is None:
        raise Refused(Reason.BAD_INPUT, what=name)
    return moment
