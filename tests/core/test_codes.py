"""Bar codes: our own cannot be mistaken, others' are not trusted."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wms.core.codes import GS, LENGTH_MAX, Kind, make, read
from wms.core.refusal import Reason, Refused

OURS = [kind for kind in Kind if len(kind.value) == 2]
BODIES = st.from_regex(r"[0-9A-Z-]{1,40}", fullmatch=True).filter(lambda body: body.strip("-") != "")


def why_not(text: str, aim: str | None = None) -> Reason:
    with pytest.raises(Refused) as no:
        read(text, aim)
    return no.value.reason


@given(st.sampled_from(OURS), BODIES)
def test_our_own_labels_read_as_what_they_name(kind: Kind, body: str) -> None:
    found = read(make(kind, body))
    assert (found.kind, found.body) == (kind, body)


@given(st.sampled_from(OURS), BODIES, st.data())
def test_one_wrong_sign_is_noticed(kind: Kind, body: str, data: st.DataObject) -> None:
    code = make(kind, body)
    signs = [place for place, sign in enumerate(code) if place >= 3 and sign not in "-."]
    place = data.draw(st.sampled_from(signs))
    other = data.draw(st.sampled_from([sign for sign in "0123456789ABCDEFGHJKLMNPRSTUVWXYZ" if sign != code[place]]))
    assert why_not(code[:place] + other + code[place + 1 :]) is Reason.BARCODE_CHECK_WRONG


@given(st.text())
def test_whatever_a_scanner_sends_is_read_or_refused(text: str) -> None:
    assert reading(text) in {"read", Reason.BARCODE_UNREADABLE, Reason.BARCODE_CHECK_WRONG}


def reading(text: str) -> str:
    try:
        return "read" if read(text).body else "nothing"
    except Refused as no:
        return no.reason


@pytest.mark.parametrize("text", ["6901234567892", "SL-B12", "ZZ.B12-07-3.W", "sl.b12-07-3.w", "HTTP://X.Y/Z"])
def test_others_codes_are_plain_text(text: str) -> None:
    assert (read(text).kind, read(text).body) == (Kind.PLAIN, text)


@pytest.mark.parametrize("text", ["", "   ", "\r\n", "x" * (LENGTH_MAX + 1), "a\x00b", "a\x1bb"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    assert why_not(text) is Reason.BARCODE_UNREADABLE


def test_the_longest_code_is_read() -> None:
    assert read("x" * LENGTH_MAX).body == "x" * LENGTH_MAX


def test_the_line_end_of_a_scanner_is_no_part_of_the_code() -> None:
    assert read("6901234567892\r\n").body == "6901234567892"


GS1_TEXT = f"01069012345678921726122410L77{GS}3012"


@pytest.mark.parametrize(("text", "aim"), [(GS1_TEXT, "]C1"), (f"]d2{GS1_TEXT}", None)])
def test_a_gs1_label_with_its_aim_tells_lot_and_date(text: str, aim: str | None) -> None:
    found = read(text, aim)
    assert found.kind is Kind.GS1
    assert found.gs1 is not None
    assert (found.gs1.gtin, found.gs1.lot, found.gs1.expires_on) == ("06901234567892", "L77", date(2026, 12, 24))
    assert found.gs1.count == 12


def test_without_an_aim_a_gs1_label_is_not_believed() -> None:
    # Its separators may have been stripped, and then a lot swallows what follows it.
    assert read(GS1_TEXT.replace(GS, "")).kind is Kind.PLAIN


def test_a_broken_gs1_label_is_plain_text() -> None:
    assert read("01123", "]C1").kind is Kind.PLAIN


@pytest.mark.parametrize("text", ["0106901234567891", "01069012345678901726122410L77"])
def test_a_gtin_with_a_wrong_check_digit_is_not_believed(text: str) -> None:
    assert why_not(text, "]C1") is Reason.BARCODE_CHECK_WRONG


@pytest.mark.parametrize("text", ["37٣٣", "01٠6901234567892", GS, GS * 3, "30", "37", f"0106901234567892{GS}10", "21"])
def test_digits_of_other_scripts_and_empty_labels_are_no_gs1(text: str) -> None:
    assert read(text, "]C1").kind is Kind.PLAIN
