"""docs/reference/pda.md tells everything a page needs, and nothing that is not there."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path
from typing import get_args

from flask import Flask

from wms.core.dialogue import AHEAD_MAX, Card, Level, Screen
from wms.handheld.pages import handheld_pages

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "pda.md").read_text("utf-8")
CALL = re.compile(r"^\| `(GET|POST) (/pda/\S*)`", re.M)


def test_the_page_lists_exactly_the_routes() -> None:
    app = Flask("pda")
    app.register_blueprint(handheld_pages)
    there = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/pda/") and not rule.rule.startswith("/pda/static")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert set(CALL.findall(PAGE)) == there


def test_the_page_names_every_card_and_level() -> None:
    for name in [*(card.kind for card in get_args(Card)), *Level]:
        assert f"`{name}`" in PAGE, name


def test_the_page_shows_every_part_of_a_screen() -> None:
    drawn = Screen(prompt="scan").to_json()
    assert len(drawn) == len(fields(Screen)) - 3  # icon and pips stand in the prompt, the step with the dialogue
    assert all(f'"{part}"' in PAGE for part in drawn)


def test_the_page_says_how_far_ahead_is_told() -> None:
    assert f"at most {AHEAD_MAX} entries" in PAGE
