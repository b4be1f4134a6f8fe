"""WSP/1 framing against the examples of the written page, and against everything a bad cable does to them."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from devices.framing.wsp import Reader, crc16, decode, encode, escape, frame, unescape
from devices.framing.wsp_values import (
    Acknowledge,
    ChuteReport,
    ChuteState,
    Confirmation,
    Heartbeat,
    Hello,
    Nak,
    Request,
    Response,
    Result,
    Telegram,
    Unreadable,
)
from tests.devices.sorter.page import examples_of_the_page

EXAMPLES = examples_of_the_page()
HEARTBEAT = frame(b"HB|13|4401")


def telegram_of(body: bytes) -> Telegram | Unreadable | None:
    used, telegram = decode(frame(body))
    assert used == len(frame(body))
    return telegram


def refusal_of(body: bytes) -> Nak:
    telegram = telegram_of(body)
    assert isinstance(telegram, Unreadable), telegram
    return telegram.reason


def test_the_page_shows_every_type_of_telegram() -> None:
    kinds = {example[1:4].rstrip(b"|") for example in EXAMPLES}
    assert kinds == set(b"HLO SYB SYE REQ RES CFM CHS CHC STS HB TSY ACK NAK".split())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[1:8].decode())
def test_every_example_of_the_page_is_read_and_written_byte_for_byte(example: bytes) -> None:
    used, telegram = decode(example)
    assert used == len(example)
    assert telegram is not None
    assert not isinstance(telegram, Unreadable)
    assert encode(telegram) == example


def test_the_crc_gives_the_check_value_of_the_standard() -> None:
    assert crc16(b"123456789") == 0x29B1


def test_the_request_with_two_codes_comes_out_as_its_makers_meant_it() -> None:
    requests = [decode(example)[1] for example in EXAMPLES if example[1:4] == b"REQ"]
    two_codes = requests[1]
    assert isinstance(two_codes, Request)
    assert two_codes.codes == ("6901234567892", "010690123456789210A%|;B\x1d17271231")
    assert two_codes.aims == ("]E0", "]C1")
    assert (two_codes.carrier, two_codes.weight_g, two_codes.lap, two_codes.age_ms) == (None, None, 1, 26)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example[1:8].decode())
def test_a_frame_cut_anywhere_asks_for_more(example: bytes) -> None:
    for end in range(1, len(example)):
        assert decode(example[:end]) == (0, None)


@pytest.mark.parametrize("example", EXAMPLES[:8], ids=lambda example: example[1:8].decode())
def test_a_frame_that_lost_a_byte_never_hides_the_next(example: bytes) -> None:
    for lost in range(len(example)):
        heard = Reader().feed(example[:lost] + example[lost + 1 :] + HEARTBEAT)
        assert heard[-1] == Heartbeat(13, 4401)
        assert len(heard) == 1


@pytest.mark.parametrize("example", EXAMPLES[:8], ids=lambda example: example[1:8].decode())
def test_one_flipped_bit_is_always_found(example: bytes) -> None:
    for place in range(len(example)):
        for bit in range(8):
            hurt = bytearray(example)
            hurt[place] ^= 1 << bit
            assert Reader().feed(bytes(hurt) + HEARTBEAT) == [Heartbeat(13, 4401)]


def test_an_stx_inside_the_crc_starts_a_new_frame() -> None:
    for cut_at in range(1, 6):
        assert Reader().feed(HEARTBEAT[:-cut_at] + HEARTBEAT) == [Heartbeat(13, 4401)]


def test_small_letters_in_the_crc_drop_the_frame() -> None:
    whole = frame(b"HB|13|4401")
    assert b"ABDA" in whole
    assert Reader().feed(whole.replace(b"ABDA", b"abda")) == []


def test_a_byte_outside_the_printable_ones_drops_the_frame_even_with_a_sound_crc() -> None:
    for bad in (0x00, 0x1F, 0x7F, 0x80, 0xFF):
        body = b"HB|13|4401|" + bytes([bad])
        reader = Reader()
        assert reader.feed(b"\x02%b\x03%04X\r" % (body, crc16(body))) == []
        assert reader.broken_frames == 1


def test_a_body_of_240_bytes_passes_and_one_of_241_does_not() -> None:
    longest = b"HB|1|1|" + b"x" * 233
    assert isinstance(decode(frame(longest))[1], Heartbeat)
    longer = longest + b"x"
    with pytest.raises(ValueError):
        frame(longer)
    reader = Reader()
    assert reader.feed(b"\x02%b\x03%04X\r" % (longer, crc16(longer)) + HEARTBEAT) == [Heartbeat(13, 4401)]
    assert reader.broken_frames == 1


def test_an_endless_body_is_dropped_at_byte_241() -> None:
    assert decode(b"\x02" + b"x" * 240) == (0, None)
    assert decode(b"\x02" + b"x" * 241) == (242, None)


def test_an_empty_body_is_dropped() -> None:
    assert Reader().feed(b"\x02\x03FFFF\r" + HEARTBEAT) == [Heartbeat(13, 4401)]


def test_bytes_between_frames_are_counted() -> None:
    reader = Reader()
    assert len(reader.feed(b"noise" + HEARTBEAT + b"\r\n" + HEARTBEAT)) == 2
    assert (reader.stray_bytes, reader.frames, reader.broken_frames) == (7, 2, 0)


def test_text_outside_the_plain_characters_is_escaped_as_utf8() -> None:
    assert escape("A%|;B\x1d 储") == b"A%25%7C%3BB%1D %E5%82%A8"
    assert unescape(b"A%25%7C%3BB%1D %E5%82%A8") == "A%|;B\x1d 储"


def test_bytes_that_are_no_utf8_survive_the_way_there_and_back() -> None:
    assert escape(unescape(b"%FF%FE")) == b"%FF%FE"


def test_an_escape_of_a_harmless_byte_is_accepted() -> None:
    confirmation = telegram_of(b"CFM|10|4401|7|%41B|%31%37|%4FK||")
    assert confirmation == Confirmation(10, 4401, 7, ("AB",), 17, Result.OK, None, None)


@pytest.mark.parametrize("codes", [b"A%", b"A%2", b"A%zz", b"A%2f", b"%%25"])
def test_a_broken_escape_is_refused_for_its_format(codes: bytes) -> None:
    assert refusal_of(b"CFM|10|4401|7|" + codes + b"|17|OK||") == Nak.FORMAT


@pytest.mark.parametrize(
    "number", [b"", b"+1", b"-1", b"01", b"00", b"1.0", b" 1", b"1 ", b"1e3", b"x", b"1234567890123456"]
)
def test_a_number_that_is_none_is_refused(number: bytes) -> None:
    assert refusal_of(b"STS|2|4401|RUN|" + number) == Nak.FORMAT


def test_a_number_of_fifteen_digits_is_taken() -> None:
    assert not isinstance(telegram_of(b"STS|2|4401|RUN|999999999999999"), Unreadable)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"XYZ|2|4401", Nak.TYPE),
        (b"hb|2|4401", Nak.TYPE),
        (b"STS|2|4401|RUN", Nak.FORMAT),
        (b"STS|2|4401|RUNNING|5", Nak.FORMAT),
        (b"CHS|2|4401|10000|OPEN|0", Nak.FORMAT),
        (b"CFM|2|4401|0||1|OK||", Nak.FORMAT),
        (b"CFM|2|4401|4294967296||1|OK||", Nak.FORMAT),
        (b"CFM|2|4401|5|A;;B|1|OK||", Nak.FORMAT),
        (b"REQ|2|4401|5|1||A;B|]C0|||||0|1", Nak.FORMAT),
        (b"REQ|2|4401|5|1||A||||||0|", Nak.FORMAT),
        (b"RES|2|4401|5|0|7|HOLD|1|1", Nak.FORMAT),
        (b"RES|2|4401|5|3||SOON|1|1", Nak.FORMAT),
        (b"HB|2|0", Nak.FORMAT),
        (b"HLO|1|5|WSP/2|PLC1|anything", Nak.VERSION),
        (b"HLO|1|5|WSP/1|PLC1|9f31c2a7|0|1", Nak.FORMAT),
        (b"HLO|1|5|WSP/1|PLC1|9F31C2A7|0|", Nak.FORMAT),
        (b"HLO|1|5|WSP/1|A NAME TOO LONG !|9F31C2A7|0|1", Nak.FORMAT),
        (b"HLO|1|5|WSP/1|PLC1|9F31C2A7|0|1|%", Nak.FORMAT),
    ],
)
def test_a_sound_frame_that_breaks_a_rule_says_which(body: bytes, reason: Nak) -> None:
    assert refusal_of(body) == reason


@pytest.mark.parametrize("body", [b"HB", b"HB|1", b"HB|0|1", b"HB|x|1", b"HB|1|65536", b"HB|1|%", b"||", b"HB|01|1"])
def test_a_body_without_seq_or_session_cannot_be_answered_and_is_counted(body: bytes) -> None:
    reader = Reader()
    assert reader.feed(frame(body)) == []
    assert reader.nameless_bodies == 1


def test_more_fields_at_the_end_are_ignored() -> None:
    assert telegram_of(b"ACK|7|4401|10|new|fields") == Acknowledge(7, 4401, 10)
    assert telegram_of(b"CHS|3|4401|7|FULL|118|9") == ChuteReport(3, 4401, 7, ChuteState.FULL, 118)


TEXTS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
NUMBERS = st.integers(0, 999_999)
MAYBE = st.none() | NUMBERS
REQUESTS = st.builds(
    Request,
    seq=st.integers(1, 999_999),
    session=st.integers(1, 65_535),
    pid=st.integers(1, 4_294_967_295),
    induct=NUMBERS,
    carrier=MAYBE,
    codes=st.lists(TEXTS, max_size=2).map(tuple),
    aims=st.just(()),
    weight_g=MAYBE,
    length_mm=MAYBE,
    width_mm=MAYBE,
    height_mm=MAYBE,
    lap=st.integers(0, 9),
    age_ms=st.integers(0, 300),
)


@given(REQUESTS)
@settings(max_examples=150, deadline=None)
def test_whatever_a_code_holds_it_arrives_unchanged(request_: Request) -> None:
    try:
        whole = encode(request_)
    except ValueError:
        return  # more than 240 bytes after escaping: cannot be sent, by the rules
    assert all(0x20 <= byte <= 0x7E for byte in whole[1 : whole.index(3)])
    assert decode(whole) == (len(whole), request_)


@given(st.binary(max_size=600), st.integers(1, 40))
@settings(max_examples=200, deadline=None)
def test_noise_never_stops_the_reader_and_never_makes_it_hoard(noise: bytes, step: int) -> None:
    reader = Reader()
    for start in range(0, len(noise), step):
        reader.feed(noise[start : start + step])
        assert len(reader._buffer) < 248
    # Whatever was begun ends at the next STX.
    assert reader.feed(HEARTBEAT)[-1] == Heartbeat(13, 4401)


def test_a_thousand_hurt_streams_bring_no_telegram_that_was_not_sent() -> None:
    """Flips, losses and doubled chunks: only what was sent comes out (seeded, so the luck of a CRC-16 is known)."""
    chance = random.Random(7)
    sent = [decode(example)[1] for example in EXAMPLES]
    stream = b"".join(EXAMPLES)
    for _ in range(1000):
        for telegram in Reader().feed(_hurt(stream, chance)):
            assert telegram in sent


def _hurt(stream: bytes, chance: random.Random) -> bytes:
    hurt = bytearray()
    for start in range(0, len(stream), 16):
        chunk = bytearray(stream[start : start + 16])
        for place in range(len(chunk)):
            if chance.random() < 0.005:
                chunk[place] ^= 1 << chance.randrange(8)
        hurt += chunk * chance.choice((0, 2, 1, 1, 1, 1, 1, 1, 1, 1))
    return bytes(hurt)


def test_fields_that_stay_empty_are_written_empty() -> None:
    answer = Response(6, 4401, 100000125, 0, None, "NOREAD", 812, 9)  # type: ignore[arg-type]
    assert encode(answer) == frame(b"RES|6|4401|100000125|0||NOREAD|812|9")


def test_the_prompt_is_a_hello_of_session_zero() -> None:
    prompt = decode(EXAMPLES[0])[1]
    assert isinstance(prompt, Hello)
    assert prompt.session == 0
