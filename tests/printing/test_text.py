"""What strangers wrote is made fit for paper, and people's names and phones are hidden."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wms.printing.text import LENGTH_MAX, clean, drawable, mask_name, mask_phone


@pytest.mark.parametrize(
    ("written", "printed"),
    [
        ("张三\x1b@丰", "张三@丰"),
        ("a\x00\x07\x1d\x7f\x9bb", "ab"),
        ("first\r\nsecond\tthird", "first second third"),
        ("  wide　space  ", "wide space"),
        ("abc\u202etxt.exe\u202c\u2066\u2069\u200f", "abctxt.exe"),
        ("a\u200bb\u200c\u200d\u2060\ufeff\u00adc", "abc"),
        ("e\u0301", "\u00e9"),
        ("Z\u0351\u0353\u0326\u0311\u034b!", "Z\u0353\u0326!"),
        ("heart\u2764\ufe0f", "heart\u2764"),
        ("\u3164\u115f\u2800", ""),
        ("\ue000\U000e0041", ""),
        ('^XA~JR"SIZE 1 mm"', '^XA~JR"SIZE 1 mm"'),
    ],
)
def test_a_field_keeps_what_can_be_seen_and_nothing_else(written: str, printed: str) -> None:
    assert clean(written) == printed


def test_a_field_is_cut_at_its_bound_and_shows_it() -> None:
    assert clean("x" * LENGTH_MAX) == "x" * LENGTH_MAX
    assert clean("x" * (LENGTH_MAX + 1)) == "x" * (LENGTH_MAX - 1) + "…"
    assert clean("中文地址很长", length_max=4) == "中文地…"


@given(st.text(max_size=500))
def test_no_text_whatever_leaves_an_invisible_character(written: str) -> None:
    printed = clean(written)
    assert len(printed) <= LENGTH_MAX
    assert not {unicodedata.category(sign) for sign in printed} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
    assert printed == clean(printed)


@given(st.text(max_size=100))
def test_missing_glyphs_are_boxed_one_for_one(written: str) -> None:
    shown, missing = drawable(written)
    assert len(shown) == len(written)
    assert missing.isdisjoint(shown)


@pytest.mark.parametrize(
    ("name", "shown"),
    [("张三丰", "张**"), ("欧阳娜娜", "欧**"), ("John Smith", "J**"), ("张**", "张**"), ("", ""), ("\u202e李", "李**")],
)
def test_a_name_shows_its_first_character_only(name: str, shown: str) -> None:
    assert mask_name(name) == shown


@pytest.mark.parametrize(
    ("phone", "shown"),
    [
        ("13800000000", "138****0000"),
        ("+86 138 0000 0000", "138****0000"),
        ("0086-13800000000", "138****0000"),
        ("138-0000-0000", "138****0000"),
        ("0563-8150000", "056****0000"),
        ("8150000", "815****00"),
        ("12345", "****"),
        ("call me", "****"),
        ("", ""),
        ("138****0000", "138****0000"),
    ],
)
def test_a_phone_keeps_its_ends_only(phone: str, shown: str) -> None:
    assert mask_phone(phone) == shown


@pytest.mark.parametrize("phone", ["18412345678-1234", "18412345678转1234", "18412345678, 1234"])
def test_a_virtual_number_keeps_its_extension_because_it_is_nobodys_own(phone: str) -> None:
    assert mask_phone(phone) == "18412345678-1234"


@given(st.from_regex(r"1[3-9]\d{9}", fullmatch=True))
def test_no_full_mobile_number_gets_through(phone: str) -> None:
    assert phone not in mask_phone(phone)
