"""The font is the one Debian ships, byte for byte, and what it cannot draw is said."""

from __future__ import annotations

import hashlib

import pytest
from reportlab.pdfbase.ttfonts import TTFont

from wms.printing.font import FACE, FONT_FILE, can_draw, characters
from wms.printing.raster import Box, Canvas, Type

SIZE_MAX = 6_000_000


def test_the_fonts_folder_holds_exactly_what_its_checksums_name() -> None:
    folder = FONT_FILE.parent
    lines = [line.split() for line in (folder / "SHA256SUMS").read_text("utf-8").splitlines()]
    listed = {name: checksum for checksum, name in lines}
    present = {file.name for file in folder.iterdir()} - {"SHA256SUMS"}
    assert present == set(listed)
    for name, checksum in listed.items():
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == checksum, name


def test_the_font_is_small_enough_to_ship_and_carries_its_licence() -> None:
    assert FONT_FILE.stat().st_size <= SIZE_MAX
    licence = (FONT_FILE.parent / "LICENSE.txt").read_text("utf-8")
    assert "Apache License" in licence
    assert "WenQuanYi" in licence


def test_our_reading_of_the_character_table_agrees_with_reportlab() -> None:
    font = TTFont("micro-hei", str(FONT_FILE), subfontIndex=FACE)
    assert characters() == frozenset(font.face.charToGlyph)


@pytest.mark.parametrize("character", "储位绩溪喆龘□×→▲·0Zß")
def test_common_and_many_rare_characters_can_be_drawn(character: str) -> None:
    assert can_draw(character)


@pytest.mark.parametrize("character", ["\U0002070e", "😀", "\u4dae"])
def test_a_character_the_font_lacks_prints_a_box_and_is_listed(character: str) -> None:
    assert not can_draw(character)
    odd, boxed = Canvas(40, 10, 203), Canvas(40, 10, 203)
    odd.text(Box(0, 0, 40, 10), f"张{character}{character}三", Type(6))
    boxed.text(Box(0, 0, 40, 10), "张□□三", Type(6))
    assert odd.bitmap().rows == boxed.bitmap().rows
    assert odd.bitmap().missing_glyphs == character
    assert boxed.bitmap().missing_glyphs == ""
