"""The lights of a put wall: shown, kept over a power cut, orders told as taken only when the coils say so."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from devices.drivers import light_modbus
from devices.drivers.light_modbus import Buttons, PutWallLights, wanted_after
from devices.errors import ConfigError
from tests.devices.context import Bench
from tests.devices.processes import WAIT_S, MachineProcess, wait_until


@pytest.fixture(params=["tcp", "rtu"])
def wall(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MachineProcess]:
    wire: list[str | Path] = ["--port", tmp_path / "wall", "--baud", "19200"] if request.param == "rtu" else []
    made = MachineProcess("light", "--lights", "12", *wire)
    yield made
    made.stop()


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wall that answers late on a busy machine has still lit its lights; in the product ten seconds are enough."""
    monkeypatch.setattr(light_modbus, "PATIENCE_S", WAIT_S)


@pytest.fixture
def bench(tmp_path: Path, wall: MachineProcess) -> Iterator[Bench]:
    made = Bench(tmp_path, PutWallLights, wall.ready["url"], lights=8, first=2)
    yield made
    made.close()


def order(bench: Bench, command_id: str, **facts: object) -> None:
    bench.driver.submit({"id": command_id, "device": "printer1", "kind": "lights", "facts": facts})


def lit(wall: MachineProcess) -> Any:
    return wall.control(report=True)["on"]


def told(bench: Bench) -> dict[str, Any]:
    return {facts["id"]: facts["result"] for facts in bench.facts("command")}


def test_lights_go_on_and_off_at_their_coils(bench: Bench, wall: MachineProcess) -> None:
    bench.start()
    order(bench, "a", on=[1, 8])
    bench.wait_for(lambda: told(bench) == {"a": "taken"})
    assert lit(wall) == [3, 10]
    order(bench, "b", off=[1], on=[2])
    bench.wait_for(lambda: told(bench).get("b") == "taken")
    assert lit(wall) == [4, 10]
    order(bench, "c", only=[5])
    bench.wait_for(lambda: told(bench).get("c") == "taken")
    assert lit(wall) == [7]


def pressed(bench: Bench, wall: MachineProcess, button: int) -> None:
    """Hold a button down until it is told; where the wire fell in that moment, nobody can know of it: again."""
    told = len(bench.facts("press"))

    def held_once() -> bool:
        looks, faults = bench.driver.health().counters["writes"], len(bench.faults)
        wall.control(hold=0)
        bench.wait_for(lambda: bench.driver.health().counters["writes"] > looks + 1)
        wall.control(hold=button)
        bench.wait_for(lambda: len(bench.facts("press")) > told or len(bench.faults) > faults)
        return len(bench.facts("press")) > told

    bench.wait_for(held_once)


def test_a_press_is_told_once_and_a_button_that_is_held_is_no_second_one(tmp_path: Path, wall: MachineProcess) -> None:
    wall.control(hold=3)
    made = Bench(tmp_path, PutWallLights, wall.ready["url"], lights=8, buttons=8, first_button=2)
    try:
        made.start()
        made.wait_for(lambda: made.driver.health().state == "ready")
        wait_until(lambda: made.driver.health().counters["writes"] > 1)
        pressed(made, wall, 7)
        assert made.facts("press") == [{"button": 5}]
        pressed(made, wall, 8)
        wall.control(unplug=0.3)
        made.wait_for(lambda: len(made.faults) > 0)
        writes = made.driver.health().counters["writes"]
        made.wait_for(lambda: made.driver.health().counters["writes"] > writes + 1)
        assert made.facts("press") == [{"button": 5}, {"button": 6}]
    finally:
        made.close()


def test_buttons_bounce_and_are_pressed_again() -> None:
    buttons = Buttons(0.3)
    up, down = [False, False], [False, True]
    looks = [(down, 0.0), (up, 0.1), (down, 0.2), (up, 0.25), (down, 0.3), (down, 0.9), (up, 1.0), (down, 1.1)]
    assert [buttons.look(read, now_s) for read, now_s in looks] == [[], [], [2], [], [], [], [], [2]]
    buttons.forget()
    assert buttons.look(down, 5.0) == []


def test_a_controller_that_was_switched_off_shows_the_right_lights_again(bench: Bench, wall: MachineProcess) -> None:
    bench.start()
    order(bench, "a", on=[4])
    wait_until(lambda: lit(wall) == [6])
    wall.control(reset=True)
    wait_until(lambda: lit(wall) == [6])
    wall.control(unplug=0.5)
    wall.control(reset=True)
    bench.wait_for(lambda: len(bench.faults) > 0)
    wait_until(lambda: lit(wall) == [6])


def test_a_light_that_does_not_follow_is_told_and_its_order_expires(
    bench: Bench, wall: MachineProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(light_modbus, "PATIENCE_S", 1.0)
    wall.control(stuck=4)
    bench.start()
    order(bench, "a", on=[2])
    bench.wait_for(lambda: bench.driver.health().reason.startswith("lights:"))
    bench.wait_for(lambda: told(bench) == {"a": "expired"})
    wall.control(stuck=0)
    wait_until(lambda: lit(wall) == [4])
    bench.wait_for(lambda: bench.driver.health().state == "ready")


@pytest.mark.parametrize(
    "facts",
    [{}, {"on": [9]}, {"on": [0]}, {"on": ["1"]}, {"on": 1}, {"on": [True]}, {"only": [1], "on": [2]}, {"blink": [1]}],
)
def test_an_order_that_cannot_be_is_refused_and_changes_nothing(facts: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="lights"):
        wanted_after(frozenset({3}), facts, 8)


def test_a_refused_order_is_told(bench: Bench) -> None:
    bench.start()
    order(bench, "a", on=[99])
    bench.driver.submit({"id": "b", "kind": "dance", "facts": {}})
    bench.wait_for(lambda: told(bench) == {"a": "refused", "b": "refused"})


def test_a_wall_that_cannot_be_is_refused_before_anything_opens() -> None:
    with pytest.raises(ConfigError, match="first must be"):
        PutWallLights.check({"url": "tcp://h:502", "lights": 100, "first": 65_500})
