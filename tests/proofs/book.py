"""The stock book once more, as plain numbers: what the ledger has to answer, and what has to lie where afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Place = int
SUPPLIER, CUSTOMER, SHRINKAGE, RECONDITION = -1, -2, -3, -4


@dataclass(frozen=True, slots=True, order=True)
class Key:
    """Goods of one owner and lot in one place and condition; owner, lot and place by their number in the model."""

    owner: int
    place: Place
    lot: int
    condition: str = "good"


@dataclass(frozen=True, slots=True)
class Move:
    """Goods to go from a place to another; negative places are virtual."""

    owner: int
    lot: int
    source: Place
    target: Place
    quantity: int
    condition: str = "good"


@dataclass
class Row:
    """What lies there, what of it is promised, whether a person stopped it."""

    on_hand: int = 0
    promised: int = 0
    frozen: bool = False


@dataclass
class Book:
    """Rows by key and open holds by the id the ledger gave them."""

    rows: dict[Key, Row] = field(default_factory=dict)
    holds: dict[int, tuple[Key, int]] = field(default_factory=dict)

    def post(self, moves: Iterable[Move]) -> bool:
        """Book all of them or none; whether it can be done."""
        net = _net(moves)
        if not all(self._bears(key, change) for key, change in net.items()):
            return False
        for key, change in net.items():
            self.rows.setdefault(key, Row()).on_hand += change
        return True

    def hold(self, key: Key, quantity: int) -> bool:
        """Whether so much can be promised; `kept` writes down under which id."""
        row = self.rows[key]
        return not row.frozen and row.on_hand - row.promised >= quantity

    def kept(self, hold_id: int, key: Key, quantity: int) -> None:
        self.rows[key].promised += quantity
        self.holds[hold_id] = (key, quantity)

    def release(self, hold_id: int, quantity: int) -> bool:
        key, held = self.holds[hold_id]
        if quantity > held:
            return False
        self.rows[key].promised -= quantity
        self.holds[hold_id] = (key, held - quantity)
        return True

    def consume(self, hold_id: int, target: Place, quantity: int) -> bool:
        """Goods go together with their promise."""
        key, held = self.holds[hold_id]
        there = Key(key.owner, target, key.lot, key.condition)
        if quantity > held or self.rows[key].frozen or (target >= 0 and not self._bears(there, quantity)):
            return False
        self.release(hold_id, quantity)
        self.rows[key].on_hand -= quantity
        if target >= 0:
            self.rows.setdefault(there, Row()).on_hand += quantity
        return True

    def figures(self) -> Mapping[Key, tuple[int, int]]:
        """On hand and promised of every row."""
        return {key: (row.on_hand, row.promised) for key, row in self.rows.items()}

    def promised_per_row(self) -> Mapping[Key, int]:
        """What the open holds of each row add up to."""
        sums = dict.fromkeys(self.rows, 0)
        for key, held in self.holds.values():
            sums[key] += held
        return sums

    def _bears(self, key: Key, change: int) -> bool:
        row = self.rows.get(key, Row())
        return not row.frozen and row.on_hand - row.promised + change >= 0


def _net(moves: Iterable[Move]) -> dict[Key, int]:
    net: dict[Key, int] = {}
    for move in moves:
        for place, sign in ((move.source, -1), (move.target, +1)):
            if place >= 0:
                key = Key(move.owner, place, move.lot, move.condition)
                net[key] = net.get(key, 0) + sign * move.quantity
    return {key: change for key, change in net.items() if change}
