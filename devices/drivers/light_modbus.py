"""The lights of a put wall over Modbus coils: light n is coil `first` + n - 1; and its buttons, as inputs.

What should be lit is kept here and written whole at each change and every second, so that a controller that was
switched off shows the right lights again by itself. It is read back: an order is taken when the coils say so.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from devices.driver import Context, Health, State
from devices.errors import OutboxFull
from devices.health import HealthBoard
from devices.options import read_options, require
from devices.transport.modbus import UNIT_MAX, ModbusWire, modbus_address

LOOK_S = 0.05
REFRESH_S = 1.0
PATIENCE_S = 10.0
ORDERS_MAX = 256
UNEQUAL_MAX = 3
KEYS = frozenset({"on", "off", "only"})


@dataclass(frozen=True, slots=True)
class LightOptions:
    """`lights`: how many; `first`: the coil of light 1, counted from 0; `unit`: the controller's Modbus number.

    `buttons`: how many, 0 for none; `first_button`: the discrete input of button 1; `repeat_ms`: a second press within
    this time is the same one, bouncing.
    """

    lights: int = 16
    first: int = 0
    unit: int = 1
    buttons: int = 0
    first_button: int = 0
    repeat_ms: int = 300

    def __post_init__(self) -> None:
        require(1 <= self.lights <= 1_000, "lights must be 1 to 1000")
        require(0 <= self.first <= 65_535 - self.lights, "first must be 0 to 65535, less the number of lights")
        require(0 <= self.buttons <= 1_000, "buttons must be 0 to 1000")
        require(
            0 <= self.first_button <= 65_535 - self.buttons,
            "first_button must be 0 to 65535, less the number of buttons",
        )
        require(0 <= self.repeat_ms <= 5_000, "repeat_ms must be 0 to 5000")
        require(0 <= self.unit <= UNIT_MAX, f"unit must be from 0 to {UNIT_MAX}")


class Buttons:
    """Which buttons were pressed, from what their inputs read. One held down when we begin to look is no press."""

    def __init__(self, repeat_s: float) -> None:
        self._repeat_s = repeat_s
        self._down: list[bool] | None = None
        self._pressed_s: dict[int, float] = {}

    def forget(self) -> None:
        """The wire was gone: nobody knows what happened meanwhile."""
        self._down = None

    def look(self, down: list[bool], now_s: float) -> list[int]:
        """The buttons that went down since the last look, counted from 1."""
        before, self._down = self._down, down
        if before is None:
            return []
        fresh = [place + 1 for place, (was, now) in enumerate(zip(before, down, strict=True)) if now and not was]
        pressed = [one for one in fresh if now_s - self._pressed_s.get(one, float("-inf")) >= self._repeat_s]
        self._pressed_s.update(dict.fromkeys(pressed, now_s))
        return pressed


@dataclass(slots=True)
class _Order:
    command_id: str
    asked_s: float


def wanted_after(lit: frozenset[int], facts: Mapping[str, object], lights: int) -> frozenset[int]:
    """The lights that are on after `{on: [..], off: [..]}` or `{only: [..]}`. Raises ValueError with what is wrong."""
    if not facts or not set(facts) <= KEYS or ("only" in facts and len(facts) > 1):
        raise ValueError("lights take on, off, or only")
    numbers = {name: _numbers(value, lights) for name, value in facts.items()}
    if "only" in numbers:
        return numbers["only"]
    return (lit - numbers.get("off", frozenset())) | numbers.get("on", frozenset())


def _numbers(value: object, lights: int) -> frozenset[int]:
    if not isinstance(value, list) or not all(type(light) is int and 1 <= light <= lights for light in value):
        raise ValueError(f"lights are a list of numbers from 1 to {lights}, not {value!r}")
    return frozenset(value)


class PutWallLights:
    """Takes `{kind: "lights", facts: {on, off | only}}`; how it ended is an event `command`. Emits `press` {button}."""

    kind: ClassVar[str] = "light_modbus"

    def __init__(self, context: Context) -> None:
        self._context = context
        self._options = read_options(LightOptions, context.options)
        self._board = HealthBoard(context.now_ms)
        self._buttons = Buttons(self._options.repeat_ms / 1000)
        self._changing = threading.Lock()
        self._lit: frozenset[int] = frozenset()
        self._orders: deque[_Order] = deque()
        self._untold: deque[dict[str, object]] = deque(maxlen=ORDERS_MAX)

    @staticmethod
    def check(options: Mapping[str, object]) -> None:
        """Raises ConfigError where the device's table cannot work."""
        read_options(LightOptions, options)
        modbus_address(str(options.get("url", "")))

    def health(self) -> Health:
        return self._board.health()

    def submit(self, command: Mapping[str, object]) -> None:
        """Keep what should be lit from now on."""
        command_id, facts = str(command.get("id", "")), command.get("facts")
        with self._changing:
            try:
                if command.get("kind") != "lights" or not isinstance(facts, Mapping):
                    raise ValueError("a put wall takes commands of kind lights")
                if len(self._orders) >= ORDERS_MAX:
                    raise ValueError("too many orders wait")
                self._lit = wanted_after(self._lit, facts, self._options.lights)
            except ValueError as no:
                self._untold.append({"id": command_id, "result": "refused", "reason": str(no)})
                return
            self._orders.append(_Order(command_id, self._context.monotonic_s()))

    def run(self) -> None:
        """Show what should be lit until the gateway stops; raises DeviceError when the controller is lost."""
        self._board.turn(State.CONNECTING)
        self._give_up()
        self._tell()
        wire = ModbusWire(str(self._context.options["url"]), self._options.unit)
        self._buttons.forget()
        try:
            self._work(wire)
        finally:
            wire.close()

    def _work(self, wire: ModbusWire) -> None:
        written_s, unequal = float("-inf"), 0
        shown: frozenset[int] | None = None
        while not self._context.stopping():
            now_s = self._context.monotonic_s()
            with self._changing:
                lit, orders = self._lit, list(self._orders)
            if lit != shown or orders or now_s - written_s >= REFRESH_S:
                equal = self._show(wire, lit)
                written_s, shown = now_s, lit
                unequal = 0 if equal else unequal + 1
                self._board.turn(*self._state(unequal))
                if equal:
                    self._taken(orders)
            if self._options.buttons:
                self._look_at_buttons(wire)
            self._give_up()
            self._tell()
            time.sleep(LOOK_S)

    def _look_at_buttons(self, wire: ModbusWire) -> None:
        down = wire.read_inputs(self._options.first_button, self._options.buttons)
        for button in self._buttons.look(down, self._context.monotonic_s()):
            try:
                ticket = self._context.emit("press", {"button": button})
            except OutboxFull as error:
                self._not_stored(str(error))
                continue
            ticket.on_commit(lambda: self._board.count("presses"))
            ticket.on_failure(lambda: self._not_stored("the disk refused it"))

    def _not_stored(self, why: str) -> None:
        """The light stays on, so the person presses again."""
        self._board.count("not_stored")
        self._board.turn(State.DEGRADED, f"outbox: {why}")

    def _show(self, wire: ModbusWire, lit: frozenset[int]) -> bool:
        """Write all coils, read them back; True if they are as they should be."""
        wanted = [light in lit for light in range(1, self._options.lights + 1)]
        wire.write_coils(self._options.first, wanted)
        self._board.count("writes")
        if wire.read_coils(self._options.first, len(wanted)) == wanted:
            return True
        self._board.count("unequal")
        return False

    @staticmethod
    def _state(unequal: int) -> tuple[State, str]:
        if unequal >= UNEQUAL_MAX:
            return State.DEGRADED, "lights: the controller does not keep what is written"
        return State.READY, ""

    def _taken(self, orders: list[_Order]) -> None:
        with self._changing:
            for order in orders:
                self._orders.remove(order)
                self._untold.append({"id": order.command_id, "result": "taken"})

    def _give_up(self) -> None:
        """What should be lit stays so; but whoever ordered it must know that it was not seen in time."""
        now_s = self._context.monotonic_s()
        with self._changing:
            while self._orders and now_s - self._orders[0].asked_s >= PATIENCE_S:
                order = self._orders.popleft()
                self._untold.append({"id": order.command_id, "result": "expired", "reason": "the lights do not answer"})

    def _tell(self) -> None:
        while self._untold:
            try:
                self._context.emit("command", self._untold[0])
            except OutboxFull as error:
                self._board.turn(State.DEGRADED, f"outbox: {error}")
                return
            self._untold.popleft()
