"""The ledger against a model: hypothesis thinks of commands, the ledger and a plain book of numbers must agree on each.

Two owners, two lots each, slots and a tote, conditions, frozen rows, commands of several movements, repeats of earlier
commands and their ids reused for others. After every step each row must be what the model says it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import HypothesisException
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tests.builders import Park, a_merchant, a_sku
from tests.proofs.book import CUSTOMER, RECONDITION, SHRINKAGE, SUPPLIER, Book, Key, Move
from tests.proofs.frame import Ground, Outcome, proof, twin
from tests.proofs.sabotage import replaced, without_checks_of_stock, without_key
from tests.proofs.stage import SLOTS, asked, park_of
from wms.catalog import service as catalog
from wms.catalog.values import SkuFacts
from wms.core import perform
from wms.core.call import Call
from wms.core.db.tables import table_of
from wms.ledger import service as ledger
from wms.ledger.tables import Stock
from wms.ledger.values import Condition, Movement, MovementKind, Purpose, Virtual
from wms.site import queries as site_queries

OWNERS, LOTS_EACH, PLACES = 2, 2, 5
STEPS_EACH = 100
VIRTUAL = {
    SUPPLIER: Virtual.SUPPLIER,
    CUSTOMER: Virtual.CUSTOMER,
    SHRINKAGE: Virtual.SHRINKAGE,
    RECONDITION: Virtual.RECONDITION,
}
REFUSALS = {"stock_insufficient", "stock_promised", "stock_frozen", "hold_closed"}

_any = st.integers(0, 2**16)
_few = st.integers(1, 12)
_place = st.integers(0, PLACES - 1)
_owner = st.integers(0, OWNERS - 1)
_lot = st.integers(0, LOTS_EACH - 1)
Work = Callable[[Call], perform.Answer]


@dataclass
class Scene:
    """The park all examples share; each begins with fresh lots. `steps` counts commands."""

    park: Park
    skus: Sequence[SkuFacts]
    places: Sequence[int]
    virtual: dict[int, int]
    steps: int = 0
    refused: int = 0
    repeated: int = 0
    numbers: Any = field(default_factory=lambda: count(1))


def _scene(ground: Ground) -> Scene:
    park = park_of(ground.database())

    def make(call: Call) -> Scene:
        for owner in range(OWNERS):
            a_merchant(call, f"M{owner}")
        skus = [a_sku(call, merchant_code=f"M{owner}") for owner in range(OWNERS)]
        places = [site_queries.slot_by_code(call.session, call.warehouse_id, slot).place_id for slot in SLOTS]
        ids = ledger.virtual_ids(call.session, call.warehouse_id)
        tote = call.session.execute(text("SELECT MIN(id) FROM place WHERE kind = 'container'")).scalar_one()
        # From the back: then places, their rows of stock and the order of keys are not all alike.
        real = [*reversed(places[: PLACES - 1]), tote]
        return Scene(park, skus, real, {number: ids[place] for number, place in VIRTUAL.items()})

    return park.act(make)


class LedgerMachine(RuleBasedStateMachine):
    """One example: commands to the ledger, and to the model."""

    scene: ClassVar[Scene]

    def __init__(self) -> None:
        super().__init__()
        self.book = Book()
        self.lots: list[list[int]] = []
        self.ids: dict[Key, int] = {}
        self.said: list[tuple[str, str, Work, str, int]] = []

    @initialize()
    def fresh_lots(self) -> None:
        self.lots = self.scene.park.act(lambda call: [self._lots(call, sku) for sku in self.scene.skus])

    def _lots(self, call: Call, sku: SkuFacts) -> list[int]:
        name = next(self.scene.numbers)
        return [catalog.ensure_lot(call, sku, f"L{name}-{lot}", None, None) for lot in range(LOTS_EACH)]

    @rule(owner=_owner, lot=_lot, place=_place, quantity=_few)
    def receive(self, owner: int, lot: int, place: int, quantity: int) -> None:
        self._post(Move(owner, lot, SUPPLIER, place, quantity))

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, to=st.sampled_from([*range(PLACES), CUSTOMER, SHRINKAGE]), quantity=_few)
    def move(self, which: int, to: int, quantity: int) -> None:
        key = self._row(which)
        if to != key.place:
            self._post(Move(key.owner, key.lot, key.place, to, quantity, key.condition))

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, quantity=_few)
    def find_more(self, which: int, quantity: int) -> None:
        key = self._row(which)
        self._post(Move(key.owner, key.lot, SHRINKAGE, key.place, quantity, key.condition))

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, quantity=_few, condition=st.sampled_from(["good", "damaged", "hold"]))
    def recondition(self, which: int, quantity: int, condition: str) -> None:
        key = self._row(which)
        if condition != key.condition:
            away = Move(key.owner, key.lot, key.place, RECONDITION, quantity, key.condition)
            self._post(away, Move(key.owner, key.lot, RECONDITION, key.place, quantity, condition))

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, stops=st.lists(_place, min_size=2, max_size=4), quantity=_few)
    def move_on_and_on(self, which: int, stops: list[int], quantity: int) -> None:
        """One command of several movements: what comes and goes in it needs not lie there."""
        key = self._row(which)
        legs = pairwise([key.place, *stops])
        moves = [Move(key.owner, key.lot, a, b, quantity, key.condition) for a, b in legs if a != b]
        if moves:
            self._post(*moves)

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, quantity=_few)
    def hold(self, which: int, quantity: int) -> None:
        key = self._row(which)
        owner = self.scene.skus[key.owner].merchant_id
        stock_id = self.ids[key]
        fits = self.book.hold(key, quantity)
        answer = self._ask(
            lambda call: {"hold": ledger.hold(call, stock_id, owner, quantity, Purpose.ORDER_LINE, 1)}, fits
        )
        if fits:
            self.book.kept(answer["hold"], key, quantity)

    @precondition(lambda self: self.book.holds)
    @rule(which=_any, quantity=_few)
    def release(self, which: int, quantity: int) -> None:
        hold_id, stock_id = self._held(which)
        fits = self.book.release(hold_id, quantity)
        self._ask(_answering(lambda call: ledger.release(call, hold_id, stock_id, quantity)), fits)

    @precondition(lambda self: self.book.holds)
    @rule(which=_any, to=st.sampled_from([*range(PLACES), CUSTOMER]), quantity=_few)
    def consume(self, which: int, to: int, quantity: int) -> None:
        hold_id, stock_id = self._held(which)
        key, _held = self.book.holds[hold_id]
        if to == key.place:
            return
        move = self._movement(Move(key.owner, key.lot, key.place, to, quantity, key.condition))
        fits = self.book.consume(hold_id, to, quantity)
        self._ask(_answering(lambda call: ledger.consume(call, hold_id, stock_id, move)), fits)

    @precondition(lambda self: self.book.rows)
    @rule(which=_any, thaw=st.integers(0, 3))
    def freeze_or_thaw(self, which: int, thaw: int) -> None:
        frozen = [key for key, row in self.book.rows.items() if row.frozen]
        key = frozen[which % len(frozen)] if thaw and frozen else self._row(which)
        row, stock_id = self.book.rows[key], self.ids[key]
        row.frozen = not row.frozen
        if row.frozen:
            self.scene.park.database.transact(lambda session: ledger.freeze(session, stock_id, "seen"))
        else:
            self.scene.park.database.transact(lambda session: ledger.thaw(session, stock_id))

    @precondition(lambda self: self.said)
    @rule(which=_any)
    def repeat(self, which: int) -> None:
        """An earlier command once more: the same answer, and nothing done."""
        request_id, content, work, body, status = self.said[which % len(self.said)]
        again = self._tell(request_id, content, work)
        self.scene.repeated += 1
        assert (again.status, again.body) == (status, body), f"a repeat was answered {again.status} {again.body}"

    @precondition(lambda self: self.said)
    @rule(which=_any)
    def reuse_an_id(self, which: int) -> None:
        request_id, content, work, _body, _status = self.said[which % len(self.said)]
        other = self._tell(request_id, content + " and more", work)
        assert other.status == 422, f"an id used for something else was answered {other.status}"

    @invariant()
    def every_row_is_as_the_model_says(self) -> None:
        if self.lots:
            assert self.scene.park.read(self._figures) == self.book.figures()

    def teardown(self) -> None:
        held = {self.ids[key]: quantity for key, quantity in self.book.promised_per_row().items() if quantity}
        assert {row: held[row] for row in self.scene.park.read(self._holds) if row in held} == held

    def _post(self, *moves: Move) -> None:
        movements = [self._movement(move) for move in moves]
        self._ask(_answering(lambda call: ledger.post(call, movements)), self.book.post(moves))

    def _ask(self, work: Work, fits: bool) -> Any:
        """A new command; its content, or None when it was refused, as it has to be when it does not fit."""
        request_id = f"r{next(self.scene.numbers)}"
        content = f"content of {request_id}"
        outcome = self._tell(request_id, content, work)
        self.said.append((request_id, content, work, outcome.body, outcome.status))
        if fits:
            assert outcome.status == 200, f"what fits was refused: {outcome.body}"
            return outcome.content
        assert outcome.status == 409, f"what does not fit was answered {outcome.status}"
        assert outcome.content["error"]["reason"] in REFUSALS, outcome.body
        self.scene.refused += 1
        return None

    def _tell(self, request_id: str, content: str, work: Work) -> perform.Outcome:
        self.scene.steps += 1
        return asked(self.scene.park.database, self.scene.park.warehouse_id, "key:1", request_id, work, content)

    def _row(self, which: int) -> Key:
        keys = list(self.book.rows)
        return keys[which % len(keys)]

    def _held(self, which: int) -> tuple[int, int]:
        holds = list(self.book.holds)
        hold_id = holds[which % len(holds)]
        return hold_id, self.ids[self.book.holds[hold_id][0]]

    def _movement(self, move: Move) -> Movement:
        sku, lot_id = self.scene.skus[move.owner], self.lots[move.owner][move.lot]
        source, target = (self._place_id(each) for each in (move.source, move.target))
        kind, condition = MovementKind.MOVE, Condition(move.condition)
        return Movement(kind, sku.merchant_id, source, target, sku.id, lot_id, move.quantity, condition)

    def _place_id(self, place: int) -> int:
        return self.scene.places[place] if place >= 0 else self.scene.virtual[place]

    def _figures(self, session: Session) -> dict[Key, tuple[int, int]]:
        """On hand and promised of this example's rows. Asked after every step; so the ids of new rows become known."""
        lots = {lot_id: (owner, lot) for owner, ids in enumerate(self.lots) for lot, lot_id in enumerate(ids)}
        listed = ", ".join(map(str, lots))
        query = text(f"SELECT id, place_id, lot_id, condition, on_hand, promised FROM stock WHERE lot_id IN ({listed})")
        found = {}
        for row in session.execute(query):
            owner, lot = lots[row.lot_id]
            key = Key(owner, self.scene.places.index(row.place_id), lot, row.condition)
            self.ids[key] = row.id
            found[key] = (row.on_hand, row.promised)
        return found

    def _holds(self, session: Session) -> dict[int, int]:
        query = text("SELECT stock_id, SUM(quantity) AS held FROM hold WHERE quantity > 0 GROUP BY stock_id")
        return {row.stock_id: row.held for row in session.execute(query)}


def _answering(do: Callable[[Call], None]) -> Work:
    """What the ledger does, as a command that is answered."""

    def work(call: Call) -> perform.Answer:
        do(call)
        return {}

    return work


@proof(
    name="ledger_states",
    promises=(2, 3, 4, 6),
    small={"steps": 1_500, "steps_postgresql": 600},
    full={"steps": 200_000, "steps_postgresql": 10_000},
    goal="200,000 commands on SQLite, 10,000 on PostgreSQL, against a model: no difference",
)
def ledger_states(ground: Ground, *, steps: int, steps_postgresql: int) -> Outcome:
    return _explore(ground, _scene(ground), steps if ground.kind == "sqlite" else steps_postgresql)


@twin(of="ledger_states", sabotage="a hold looks at nothing, and the table takes any figures")
def hold_without_guard(ground: Ground, *, steps: int, steps_postgresql: int) -> Outcome:
    scene = _scene(ground)
    without_checks_of_stock(ground.database())
    with replaced(ledger, _promise=text("UPDATE stock SET promised = promised + :q WHERE id = :row")):
        return _explore(ground, scene, min(steps, steps_postgresql))


@twin(of="ledger_states", sabotage="goods leave without their promise")
def promise_left_behind(ground: Ground, *, steps: int, steps_postgresql: int) -> Outcome:
    def careless(_is_source: Any, _moved: Any) -> Any:
        return table_of(Stock).c.promised

    with replaced(ledger, _promised_after=careless, _movings={}):
        return _explore(ground, _scene(ground), min(steps, steps_postgresql))


@twin(of="ledger_states", sabotage="no unique key on answered requests and none on movements")
def repeats_act_again(ground: Ground, *, steps: int, steps_postgresql: int) -> Outcome:
    scene = _scene(ground)
    without_key(ground.database(), "request", "pk_request")
    without_key(ground.database(), "movement", "uq_movement_request_key_line")
    return _explore(ground, scene, min(steps, steps_postgresql))


def _explore(ground: Ground, scene: Scene, steps: int) -> Outcome:
    """Examples of a hundred steps until there were `steps` commands, or one went wrong."""
    broken: tuple[str, ...] = ()
    began_s = time.monotonic()
    for turn in count():
        examples = -(-(steps - scene.steps) // STEPS_EACH)
        if examples < 1 or broken:
            break
        broken = _look(scene, examples, ground.seed * 1_000 + turn)
    took_s = time.monotonic() - began_s
    facts = {"commands": scene.steps, "refused": scene.refused, "repeated": scene.repeated, "differences": len(broken)}
    size = f"{steps:,} commands"
    return Outcome(size, broken + (ground.audit() if not broken else ()), scene.steps / took_s, "commands/s", facts)


def _look(scene: Scene, examples: int, chance: int) -> tuple[str, ...]:
    machine = type("LedgerExamples", (LedgerMachine,), {"scene": scene})
    wanted = settings(
        max_examples=examples,
        stateful_step_count=STEPS_EACH,
        phases=(Phase.generate,),
        deadline=None,
        database=None,
        report_multiple_bugs=False,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
    )
    try:
        run_state_machine_as_test(seed(chance)(machine), settings=wanted)
    except (AssertionError, HypothesisException, SQLAlchemyError) as error:
        first = str(error).splitlines()[0] if str(error) else type(error).__name__
        return (f"{type(error).__name__} (chance {chance}): {first}",)
    return ()
