"""The plan and the parcels of an acceptance run, all from the seed, and what is a wrong divert."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from devices.simulators.sorter_belt import Discharge, Offer

CHUTES: Final = 60
CODES: Final = 5_000
# One parcel in ten also shows the goods' own barcode, which has no route.
WITH_GOODS_CODE: Final = 0.10
# One code in ten leads to a group of two chutes.
GROUPS: Final = 0.10


class AcceptPlan:
    """Codes, where each may go, and the parcels in their order."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)
        self.rows: dict[str, tuple[str, str]] = {}
        self._allowed: dict[str, frozenset[int]] = {}
        for number in range(CODES):
            self._add_code(f"SF{seed % 100_000:05d}{number:08d}")
        self._codes = sorted(self.rows)

    def _add_code(self, code: str) -> None:
        first, second, third = self._chance.sample(range(1, CHUTES + 1), 3)
        group = [first, second] if self._chance.random() < GROUPS else [first]
        self.rows[code] = ("/".join(map(str, group)), str(third))
        self._allowed[code] = frozenset([*group, third])

    def write(self, path: Path) -> None:
        """The plan file of the gateway."""
        lines = [f"{code},{chute},{alternate}\n" for code, (chute, alternate) in self.rows.items()]
        path.write_text("code,chute,alternate\n" + "".join(lines), encoding="ascii")

    def changes(self) -> list[dict[str, str]]:
        """The same as a server tells it."""
        return [
            {"code": code, "chute": chute, "alternate": alternate} for code, (chute, alternate) in self.rows.items()
        ]

    def offers(self, parcels: int) -> Iterator[Offer]:
        """Parcels as they come to the line."""
        for _ in range(parcels):
            codes = [self._chance.choice(self._codes)]
            if self._chance.random() < WITH_GOODS_CODE:
                codes.append(f"69{self._chance.randrange(10**11):011d}")
                self._chance.shuffle(codes)
            weight_g, length_mm = self._chance.randrange(100, 20_000), self._chance.randrange(100, 600)
            yield Offer(tuple(codes), weight_g=weight_g, length_mm=length_mm, width_mm=200, height_mm=150)

    def is_wrong(self, discharge: Discharge) -> bool:
        """True if the parcel lies in a chute where none of its codes may go; the reject exit is never wrong."""
        if not discharge.chute:
            return False
        return not any(discharge.chute in self._allowed.get(code, ()) for code in discharge.codes)
