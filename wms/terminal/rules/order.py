"""In which order troubles stand: the gravest first, then what hurts soonest, then what lasts longest."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime

from wms.terminal.values import Shelved, Tile, Trouble, Words

SHARED_KINDS = ("gateway", "scale", "scan")
WALL_ORDER = ("line", "chute", "gateway", "printer", "scale", "scan", "pda")
_NEVER = datetime.max.replace(tzinfo=UTC)


def in_turn(troubles: Iterable[Trouble]) -> list[Trouble]:
    """As a supervisor works them off."""
    return sorted(troubles, key=lambda one: (one.priority, one.harm_at or _NEVER, one.since or _NEVER, one.key))


def without_shelved(
    troubles: Iterable[Trouble], shelved: Mapping[str, Shelved]
) -> tuple[list[Trouble], list[tuple[Trouble, Shelved]]]:
    """Those to be dealt with now, and those somebody put aside."""
    open_ones, put_aside = [], []
    for trouble in troubles:
        if trouble.key in shelved:
            put_aside.append((trouble, shelved[trouble.key]))
        else:
            open_ones.append(trouble)
    return open_ones, put_aside


def worst_first(tiles: Iterable[Tile]) -> list[Tile]:
    """Troubles before what is well, then by name."""
    return sorted(tiles, key=lambda tile: (tile.priority == 0, tile.priority, tile.name))


def together(tiles: Sequence[Tile]) -> list[Tile]:
    """For a small wall: of the kinds that every table has, those that are well share one tile. The worst stay first."""
    bad = [tile for tile in tiles if tile.priority]
    well = [tile for tile in tiles if not tile.priority]
    shared = [_shared(icon, [one for one in well if one.icon == icon]) for icon in SHARED_KINDS]
    alone = [tile for tile in well if tile.icon not in SHARED_KINDS]
    whole = sorted([*alone, *(tile for tile in shared if tile)], key=lambda one: (WALL_ORDER.index(one.icon), one.name))
    return [*bad, *whole]


def _shared(icon: str, tiles: Sequence[Tile]) -> Tile | None:
    unknown = any(tile.state == "unknown" for tile in tiles)
    figure = Words("terminal.device.unknown" if unknown else "terminal.device.all_well")
    return Tile(str(len(tiles)), icon, figure) if tiles else None
