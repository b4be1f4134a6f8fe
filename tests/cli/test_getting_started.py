"""docs/guide/getting-started.md can be followed word for word."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from tests.cli.conftest import Wms
from wms.cli.staff import new_pin
from wms.handheld.registry import DIALOGUES
from wms.people.values import rights_of

GUIDE = (Path(__file__).resolve().parents[2] / "docs" / "guide" / "getting-started.md").read_text("utf-8")
FILES = re.findall(r"<!-- file: (\S+) -->\n```csv\n(.*?)```", GUIDE, re.S)
COMMANDS = re.findall(r"^wms (.+)$", "\n".join(re.findall(r"```sh\n(.*?)```", GUIDE, re.S)), re.M)
RUNS_ON = "serve"


@pytest.fixture
def followed(wms: Wms, tmp_path: Path) -> list[tuple[str, int, str]]:
    """Every command of the guide in its order: what was typed, its exit code, all it said."""
    for name, content in FILES:
        (tmp_path / name).write_text(content, "utf-8")
    done = [(words, wms(*shlex.split(words))) for words in COMMANDS if words != RUNS_ON]
    return [(words, one.code, one.out + one.err) for words, one in done]


def test_every_command_of_the_guide_works(followed: list[tuple[str, int, str]]) -> None:
    assert len(followed) == len(COMMANDS) - 1 >= 11
    assert [(words, said) for words, code, said in followed if code != 0] == []


def test_the_guide_tells_secrets_apart(followed: list[tuple[str, int, str]]) -> None:
    said = {words.split("--badge ")[1][:3]: out for words, _code, out in followed if "--badge" in words}
    assert "login zhou, password" in said["101"]
    assert "PIN" in said["102"]
    assert "password" not in said["102"]


def test_the_person_of_the_guide_may_do_what_it_asks() -> None:
    asked = ("receive", "putaway", "cluster_pick", "pack", "handover")
    lacking = [name for name in asked if DIALOGUES[name].right not in rights_of("supervisor")]
    assert lacking == []


def test_a_pin_is_six_digits_and_never_one_digit_six_times() -> None:
    pins = {new_pin() for _ in range(200)}
    assert all(re.fullmatch(r"[0-9]{6}", pin) and len(set(pin)) > 1 for pin in pins)
    assert len(pins) > 190


def test_a_badge_is_given_once(wms: Wms, followed: list[tuple[str, int, str]]) -> None:
    again = wms("people", "add", "--badge", "101", "--name", "x", "--role", "worker")
    assert "101" in again.line
