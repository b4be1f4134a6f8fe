"""Words with numbers in them."""

from __future__ import annotations

import pytest

from wms.core.i18n import catalogue, of_many, text


@pytest.mark.parametrize(
    ("parcels", "said"), [(0, "0 parcels"), (1, "1 parcel"), ("1", "1 parcel"), (21, "21 parcels")]
)
def test_a_noun_agrees_with_its_number(parcels: object, said: str) -> None:
    assert said in text("reason.manifest_incomplete", "en", missing=parcels)


def test_other_endings_agree_too() -> None:
    assert text("reason.pin_wrong", "en", left=1) == "Wrong PIN, 1 try left"
    assert text("reason.pin_wrong", "en", left=2) == "Wrong PIN, 2 tries left"
    assert "1 person" in text("terminal.troubles.rest", "en", orders=0, devices=2, people=1)
    assert "3 people" in text("terminal.troubles.rest", "en", orders=0, devices=2, people=3)


def test_a_fact_that_is_missing_shows_itself_beside_its_noun() -> None:
    assert "{missing} parcels" in text("reason.manifest_incomplete", "en")


def test_a_text_is_read_with_nouns_of_many() -> None:
    assert of_many(catalogue()["reason.pin_wrong"]["en"]) == "Wrong PIN, {left} tries left"


def test_a_placeholder_may_name_another_text() -> None:
    assert text("reason.no_slot_fits", "en", why="leased") == "No slot fits: kept for another"
    assert text("reason.no_slot_fits", "zh", why="volume") == "没有合适的储位：放不下"
    assert text("reason.no_slot_fits", "en", why="of nobody") == "No slot fits: of nobody"
    assert of_many(catalogue()["reason.no_slot_fits"]["en"]) == "No slot fits: {why}"
