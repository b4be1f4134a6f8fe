"""What clients live: order cycles of a program, arrivals of a person with a PDA. Each stops between two commands.

A life is a generator: it yields the next command and is sent the journal's entry of it.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Generator, Sequence
from itertools import count
from typing import Any

from tests.proofs.fire.park import COURIER, MERCHANT, FirePark
from tests.proofs.fire.servers import Where
from tests.proofs.fire.wire import Ask, Entry, NeverAnswered, Wire, pda, program
from wms.core import codes
from wms.core.codes import Kind

Life = Generator[Ask, Entry, None]
ProgramLife = Callable[[FirePark, str], Life]
JOIN_SECONDS_MAX = 180.0
LOOK_EVERY_S = 0.005
PIECES_RECEIVED = 3
PIECES_COUNTED = 2


def order_cycles(park: FirePark, name: str) -> Life:
    """Receive, put away, order, allocate, pick, ship; over and over."""
    ids = count(1)

    def ask(kind: str, path: str, body: dict[str, Any] | None, books: int = 0) -> Ask:
        return Ask(f"/api/v1/{path}", body, f"{name}-{next(ids)}", kind, books)

    for turn in count():
        no = f"{name}X{turn}"
        goods = [park.goods[(turn + step) % len(park.goods)] for step in range(2)]
        receipt = {"asn": "ASN-1", "sku": goods[0].code, "quantity": PIECES_RECEIVED, "container": f"B{no}"}
        yield ask("receipt", "receipts", receipt, PIECES_RECEIVED)
        yield ask("putaway", "putaways", {"container": f"B{no}"}, PIECES_RECEIVED)
        lines = [{"sku": good.code, "quantity": 1} for good in goods]
        yield ask("order", "orders", {"no": no, "merchant": MERCHANT, "courier": COURIER, "lines": lines})
        promised = yield ask("allocate", f"orders/{no}/allocate", None)
        for line in promised.answer.get("lines", []):
            for take in line["takes"]:
                yield ask("pick", "picks", {"order": no, "sku": line["sku"], **take}, take["quantity"])
        yield ask("ship", f"orders/{no}/ship", None, 2 * len(goods))  # into the box, and out of the door


def receipts(park: FirePark, name: str) -> Life:
    """Nothing but receipts: each that is done twice shows in the sums."""
    for turn in count():
        good = park.goods[turn % len(park.goods)]
        body = {"asn": "ASN-1", "sku": good.code, "quantity": PIECES_RECEIVED, "container": f"B{name}X{turn}"}
        yield Ask("/api/v1/receipts", body, f"{name}-{turn}", "receipt", PIECES_RECEIVED)


def arrivals(park: FirePark, name: str) -> Life:
    """Receive two pieces into a new box and put it away where the PDA says. The last key of a box is always refused:
    a no must be remembered as well as a yes.
    """
    ids = count(1)

    def scan(code: str, books: int = 0) -> Ask:
        number = f"{name}-{next(ids)}"
        return Ask("/pda/scan", {"id": number, "code": code, "at_ms": 0}, number, "scan", books)

    def press(action: str) -> Ask:
        number = f"{name}-{next(ids)}"
        return Ask("/pda/action", {"id": number, "action": action, "value": "", "at_ms": 0}, number, "action")

    for turn in count():
        good = park.goods[turn % len(park.goods)]
        box = codes.make(Kind.CONTAINER, f"{name}X{turn}")
        yield scan(park.asn)
        for _ in range(PIECES_COUNTED):
            yield scan(good.barcode)
        yield scan(box, PIECES_COUNTED)
        yield press("leave")
        proposed = yield scan(box)
        if proposed.accepted:
            yield scan(codes.make(Kind.SLOT, proposed.answer["message"]["title"]), PIECES_COUNTED)
        yield press("leave")


class Crowd:
    """Clients in threads of their own, each on one connection; `finish` lets all end their command at hand.

    With `every_s` a client sends a command that often, as far as the answers let it; else as soon as it can. They begin
    within `spread_s` of each other.
    """

    def __init__(
        self, wires: Sequence[Wire], lives: Sequence[Life], every_s: float = 0.0, spread_s: float = 0.0
    ) -> None:
        self.wires = list(wires)
        self.errors: list[str] = []
        self._enough = threading.Event()
        self._every_s = every_s
        self._spread_s = max(every_s, spread_s)
        self._threads = [
            threading.Thread(target=self._live, args=pair, daemon=True) for pair in zip(wires, lives, strict=True)
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def finish(self) -> None:
        """Every command that was sent is answered first."""
        self._enough.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS_MAX)
            if thread.is_alive():
                self.errors.append("a client did not end")
        for wire in self.wires:
            wire.close()

    def await_more(self, number: int) -> None:
        """Until so many more commands were acknowledged. Raises AssertionError when that takes too long."""
        enough = len(self.journal) + number
        until_s = time.monotonic() + JOIN_SECONDS_MAX
        while len(self.journal) < enough:
            assert time.monotonic() < until_s, f"{enough - len(self.journal)} commands stayed without an answer"
            time.sleep(LOOK_EVERY_S)

    @property
    def journal(self) -> list[Entry]:
        return [entry for wire in self.wires for entry in list(wire.journal)]

    @property
    def failures(self) -> list[str]:
        return [failure for wire in self.wires for failure in wire.failures] + self.errors

    def _live(self, wire: Wire, life: Life) -> None:
        try:
            ask = next(life)
            due_s = time.monotonic() + random.uniform(0, self._spread_s)
            while not self._enough.wait(max(0.0, due_s - time.monotonic())):
                due_s = max(due_s, time.monotonic() - self._every_s) + self._every_s
                ask = life.send(wire.ask(ask))
        except NeverAnswered as never:
            self.errors.append(f"never answered: {never}")
        except Exception as error:  # noqa: BLE001 - a client that fell over has proved nothing: it breaks the proof
            self.errors.append(f"a client fell over: {type(error).__name__}: {error}")


def crowd(park: FirePark, where: Where, programs: int, life: ProgramLife = order_cycles) -> Crowd:
    """`programs` connections of a program that live `life`, and everybody in the park at a PDA."""
    wires = [program(where, park.key_actor, park.key) for _ in range(programs)]
    lives: list[Life] = [life(park, f"R{number}") for number in range(programs)]
    wires += [pda(where, badge) for badge in park.people]
    lives += [arrivals(park, f"P{number}") for number in range(len(park.people))]
    return Crowd(wires, lives)
