"""Where parcels go: the routing table in memory and the decision for one parcel.

The table is one immutable snapshot; a change makes a new one and swaps it in: whoever decides reads one `current` and
never sees half a change. Deciding touches no disk, no network and no log. The rules are those of docs/reference/wsp.md.
"""

from __future__ import annotations

import csv
import gc
import json
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from devices.errors import ConfigError
from devices.framing.wsp_values import Reason

CHUTE_MAX: Final = 9_999
REJECT: Final = 0
GROUP_CHUTES_MAX: Final = 32
VALID_S_DEFAULT: Final = 4 * 3600.0
# A change copies only the shards it touches: 200 changes in a table of 500,000 rows cost two milliseconds, not twenty.
SHARDS: Final = 1024
BAD_ROWS_SHOWN_MAX: Final = 20


class RouteRefused(ValueError):
    """A route that cannot be: the text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Route:
    """Where one code leads: a chute group in order of preference, or the reject exit with its reason."""

    chutes: tuple[int, ...]
    alternate: int | None = None
    reason: Reason | None = None


@dataclass(frozen=True, slots=True)
class RouteAnswer:
    """What the server said when it was asked aside about a parcel. `route` is None where no code is known to it."""

    route: Route | None

    @classmethod
    def of(cls, body: Mapping[str, object]) -> RouteAnswer:
        """From the link's `{known, code?, chute?, alternate?, reason?}`. Raises RouteRefused."""
        return cls(route_of(body) if body.get("known") else None)


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer for one parcel and lap: chute 0 is the reject exit and never has an alternate."""

    chute: int
    alternate: int | None
    reason: Reason
    table_version: int


@dataclass(frozen=True, slots=True)
class RouteSnapshot:
    """One state of the table, never changed. `valid_until_s` is monotonic; None: does not age (a file)."""

    version: int = 0
    overflow: int | None = None
    valid_until_s: float | None = None
    shards: tuple[Mapping[str, Route], ...] = ({},) * SHARDS

    def find(self, code: str) -> Route | None:
        """The route of exactly this code."""
        return self.shards[hash(code) % SHARDS].get(code)

    def usable(self, now_s: float) -> bool:
        """Loaded, and not too old."""
        return self.version > 0 and (self.valid_until_s is None or now_s < self.valid_until_s)

    def __len__(self) -> int:
        return sum(len(shard) for shard in self.shards)


class RouteTable:
    """Holds the current snapshot. Any thread may read `current`; changes come one at a time."""

    def __init__(self, valid_s: float = VALID_S_DEFAULT) -> None:
        self.current = RouteSnapshot()
        self._valid_s = valid_s
        self._changing = threading.Lock()

    def apply(self, body: Mapping[str, object], now_s: float) -> int:
        """Take the server's `{version, full, changes, overflow}` and return the version now held.

        Without changes the table is as good as fresh. Raises RouteRefused, with the table unchanged, where one of the
        changes cannot be.
        """
        version, changes = _read_delta(body)
        named_overflow = read_overflow(body.get("overflow"))
        with self._changing:
            before = self.current
            overflow = named_overflow if "overflow" in body else before.overflow
            if body.get("full"):
                shards = _sharded((code, route) for code, route in changes if route is not None)
            else:
                shards = _changed(before.shards, changes)
            self.current = RouteSnapshot(version, overflow, now_s + self._valid_s, shards)
        if body.get("full"):
            settle_memory()
        return version

    def load_plan(self, path: Path, overflow: str | None = None) -> int:
        """Take a whole plan from a CSV file (`read_plan`); it does not age. Returns the new version."""
        routes = read_plan(path)
        with self._changing:
            version = self.current.version + 1
            self.current = RouteSnapshot(version, read_overflow(overflow), None, _sharded(routes.items()))
        settle_memory()
        return version

    def save(self, path: Path, now_ms: int, now_s: float) -> None:
        """Write the table beside the outbox, so that a restart without the server still has it."""
        snapshot = self.current
        left_s = 0.0 if snapshot.valid_until_s is None else snapshot.valid_until_s - now_s
        head = {
            "version": snapshot.version,
            "overflow": snapshot.overflow,
            "valid_until_ms": now_ms + int(left_s * 1000),
        }
        fresh = path.with_name(path.name + ".new")
        with fresh.open("w", encoding="ascii") as file:
            file.write(json.dumps(head) + "\n")
            for shard in snapshot.shards:
                file.writelines(json.dumps(_change_of(code, route)) + "\n" for code, route in shard.items())
        fresh.replace(path)

    def restore(self, path: Path, now_ms: int, now_s: float) -> int:
        """Read what `save` wrote, with the age it has by now; returns its version, 0 where there is none."""
        if not path.exists():
            return 0
        with path.open(encoding="ascii") as file:
            head = json.loads(file.readline())
            routes = [_read_change(json.loads(line)) for line in file]
        # A wall clock that was set back must not make an old table young.
        left_s = min(self._valid_s, (head["valid_until_ms"] - now_ms) / 1000)
        with self._changing:
            shards = _sharded((code, route) for code, route in routes if route is not None)
            self.current = RouteSnapshot(head["version"], head["overflow"], now_s + left_s, shards)
        settle_memory()
        return self.current.version


def settle_memory() -> None:
    """Keep the collector from walking half a million rows in the middle of a parcel.

    What an earlier table froze is looked through once more: what it froze in passing may be garbage by now.
    """
    gc.unfreeze()
    gc.collect()
    gc.freeze()


# --- deciding ---------------------------------------------------------------------------------------------------------


def decide(snapshot: RouteSnapshot, codes: Sequence[str], not_open: Collection[int], now_s: float) -> Decision:
    """Where a parcel with these codes goes. `not_open` are the chutes that take nothing at present."""
    if not snapshot.usable(now_s):
        return _reject(Reason.STALE, snapshot)
    if not codes:
        return _reject(Reason.NOREAD, snapshot)
    routes = [route for route in map(snapshot.find, codes) if route is not None]
    if not routes:
        return _reject(Reason.UNKNOWN, snapshot)
    if any(set(route.chutes) != set(routes[0].chutes) for route in routes[1:]):
        return _reject(Reason.MULTI, snapshot)
    return choose(routes[0], snapshot, not_open)


def choose(route: Route, snapshot: RouteSnapshot, not_open: Collection[int]) -> Decision:
    """The chute of `route`: the planned one, else another of its group, else overflow, else reject."""
    if route.chutes[0] == REJECT:
        return _reject(route.reason or Reason.HOLD, snapshot)
    wanted = dict.fromkeys((*route.chutes, *(() if route.alternate is None else (route.alternate,))))
    usable = [chute for chute in wanted if chute not in not_open]
    if usable:
        reason = Reason.ROUTE if usable[0] == route.chutes[0] else Reason.ALT
        return Decision(usable[0], usable[1] if len(usable) > 1 else None, reason, snapshot.version)
    if snapshot.overflow is not None and snapshot.overflow not in not_open:
        return Decision(snapshot.overflow, None, Reason.OVER, snapshot.version)
    return _reject(Reason.CLOSED, snapshot)


def _reject(reason: Reason, snapshot: RouteSnapshot) -> Decision:
    return Decision(REJECT, None, reason, snapshot.version)


# --- reading ----------------------------------------------------------------------------------------------------------


def read_chutes(text: str) -> tuple[int, ...]:
    """A chute group such as ``5/6``, or ``0`` for the reject exit. Raises RouteRefused."""
    parts = text.strip().split("/")
    if len(parts) > GROUP_CHUTES_MAX or not all(part.isascii() and part.isdecimal() for part in parts):
        raise RouteRefused(f'chute "{text}" is not a number or a group such as 5/6')
    chutes = tuple(int(part) for part in parts)
    if max(chutes) > CHUTE_MAX or len(set(chutes)) != len(chutes) or (REJECT in chutes and len(chutes) > 1):
        raise RouteRefused(f'chute "{text}": each from 1 to {CHUTE_MAX} and only once, 0 alone for reject')
    return chutes


def read_overflow(text: object) -> int | None:
    """The chute for all that finds its own closed; None or empty: there is none. Raises RouteRefused."""
    if text is None or text == "":
        return None
    return _read_alternate(text)


def _read_alternate(text: object) -> int:
    chutes = read_chutes(str(text))
    if len(chutes) != 1 or chutes[0] == REJECT:
        raise RouteRefused(f'"{text}" is not one chute from 1 to {CHUTE_MAX}')
    return chutes[0]


def route_of(body: Mapping[str, object]) -> Route:
    """A route from the link's `{chute, alternate?, reason?}`. Raises RouteRefused."""
    chutes = read_chutes(str(body.get("chute", "")))
    reason = body.get("reason")
    if reason is not None and reason not in set(Reason):
        raise RouteRefused(f'unknown reason "{reason}"')
    alternate = body.get("alternate")
    return Route(
        chutes,
        _read_alternate(alternate) if alternate not in (None, "") else None,
        Reason(str(reason)) if reason else None,
    )


def read_plan(path: Path) -> dict[str, Route]:
    """A plan file ``code,chute[,alternate]`` (UTF-8, with or without that header), whole or not at all.

    Raises ConfigError that names every bad row by its line.
    """
    routes: dict[str, Route] = {}
    bad: list[str] = []
    shared: dict[tuple[str, ...], Route] = {}
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = csv.reader(file)
            for row in rows:
                if not row or (rows.line_num == 1 and [cell.strip() for cell in row[:2]] == ["code", "chute"]):
                    continue
                try:
                    _take_row(routes, shared, row)
                except RouteRefused as error:
                    bad.append(f"line {rows.line_num}: {error}")
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ConfigError(f"plan {path} cannot be read: {error}") from error
    if bad:
        more = f"; and {len(bad) - BAD_ROWS_SHOWN_MAX} more" if len(bad) > BAD_ROWS_SHOWN_MAX else ""
        raise ConfigError(f"plan {path}: " + "; ".join(bad[:BAD_ROWS_SHOWN_MAX]) + more)
    return routes


def _take_row(routes: dict[str, Route], shared: dict[tuple[str, ...], Route], row: list[str]) -> None:
    if len(row) not in (2, 3) or not row[0]:
        raise RouteRefused("a row is code,chute or code,chute,alternate")
    code, target = row[0], tuple(row[1:])
    route = shared.get(target)
    if route is None:
        route = shared[target] = route_of(dict(zip(("chute", "alternate"), target, strict=False)))
    if routes.setdefault(code, route) != route:
        raise RouteRefused(f'code "{code}" already leads elsewhere')


def _read_delta(body: Mapping[str, object]) -> tuple[int, list[tuple[str, Route | None]]]:
    version, changes = body.get("version"), body.get("changes", [])
    if not isinstance(version, int) or version < 0 or not isinstance(changes, list):
        raise RouteRefused("a table change needs a version and a list of changes")
    return version, [_read_change(change) for change in changes]


def _read_change(change: Mapping[str, object]) -> tuple[str, Route | None]:
    """One `{code, chute, ...}`; chute null takes the code out."""
    code = change.get("code")
    if not isinstance(code, str) or not code:
        raise RouteRefused(f"a change without a code: {change!r}")
    return code, None if change.get("chute") is None else route_of(change)


def _change_of(code: str, route: Route) -> dict[str, object]:
    chute = "/".join(str(chute) for chute in route.chutes)
    return {"code": code, "chute": chute, "alternate": route.alternate, "reason": route.reason}


def _sharded(routes: Iterable[tuple[str, Route]]) -> tuple[Mapping[str, Route], ...]:
    shards: list[dict[str, Route]] = [{} for _ in range(SHARDS)]
    shared: dict[Route, Route] = {}
    for code, route in routes:
        shards[hash(code) % SHARDS][code] = shared.setdefault(route, route)
    return tuple(shards)


def _changed(
    before: tuple[Mapping[str, Route], ...], changes: Iterable[tuple[str, Route | None]]
) -> tuple[Mapping[str, Route], ...]:
    copies: dict[int, dict[str, Route]] = {}
    for code, route in changes:
        shard = hash(code) % SHARDS
        if shard not in copies:
            copies[shard] = dict(before[shard])
        copy = copies[shard]
        if route is None:
            copy.pop(code, None)
        else:
            copy[code] = route
    return tuple(copies.get(number, shard) for number, shard in enumerate(before))
