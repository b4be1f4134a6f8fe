"""Codes hold exactly what they were given, or are refused."""

from __future__ import annotations

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from tests.printing.optics import FORMATS, scan
from wms.core.refusal import Reason, Refused
from wms.printing.raster import Box, Canvas
from wms.printing.symbols import CONTENT_LENGTH_MAX, Kind, modules

PLAIN_KINDS = [Kind.CODE_128, Kind.DATA_MATRIX, Kind.QR]
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


def printed(kind: Kind, content: str) -> Image.Image:
    canvas = Canvas(300, 60, 203)
    canvas.code(Box(5, 5, 290, 50), kind, content)
    return canvas.bitmap().image().convert("L")


@pytest.mark.parametrize("kind", PLAIN_KINDS)
@settings(max_examples=25, deadline=None)
@given(content=st.text(PRINTABLE, min_size=1, max_size=40))
def test_any_printable_content_comes_back_unchanged(kind: Kind, content: str) -> None:
    assert scan(printed(kind, content), kind) == [content.encode("ascii")]


@pytest.mark.parametrize(
    ("kind", "elements", "sent"),
    [
        (Kind.GS1_128, "[00]369012345000012343", b"00369012345000012343"),
        (Kind.GS1_128, "[01]06901234567892[10]A1[17]271231", b"010690123456789210A1\x1d17271231"),
        (Kind.GS1_DATA_MATRIX, "[01]06901234567892[17]271231[10]260903", b"01069012345678921727123110260903"),
    ],
)
def test_element_strings_are_sent_with_their_separators(kind: Kind, elements: str, sent: bytes) -> None:
    assert scan(printed(kind, elements), kind) == [sent]


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("content", ["", "x" * (CONTENT_LENGTH_MAX + 1), "张三", "a\x1bb", "a\x1db", "a\x7f"])
def test_content_that_is_no_printable_ascii_is_refused(kind: Kind, content: str) -> None:
    with pytest.raises(Refused) as no:
        modules(kind, content)
    assert no.value.reason is Reason.CODE_UNPRINTABLE


@pytest.mark.parametrize(
    "elements",
    ["[01]06901234567893", "[01]123", "[00]369012345000012347", "0106901234567892", "[99"],
)
def test_a_wrong_check_digit_or_element_is_refused(elements: str) -> None:
    for kind in (Kind.GS1_128, Kind.GS1_DATA_MATRIX):
        with pytest.raises(Refused):
            modules(kind, elements)


def test_a_code_too_wide_for_its_place_is_refused_not_squeezed() -> None:
    canvas = Canvas(60, 40, 203)
    with pytest.raises(Refused) as no:
        canvas.code(Box(1, 1, 58, 10), Kind.CODE_128, string.ascii_letters)
    assert no.value.reason is Reason.CODE_UNPRINTABLE


def test_every_kind_can_be_read_by_the_tests_eye() -> None:
    assert set(FORMATS) == set(Kind)
