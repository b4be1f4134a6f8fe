"""The gateway's end of WSP/1 by hand: sessions, chutes, acknowledgements, refusals, order of sending."""

from __future__ import annotations

import pytest

from devices.drivers.sorter_wsp.deeds import Moment
from devices.framing.wsp_values import ChuteOrder
from tests.devices.sorter.bench import OUR_BOOT, PLC_BOOT, SESSION, UNIX_MS, Bench, table
from tests.devices.sorter.page import examples_of_the_page

HELLO = ("WSP/1", "PLC1", PLC_BOOT, 0, UNIX_MS)


@pytest.fixture
def bench() -> Bench:
    made = Bench()
    made.begin()
    return made


# --- sessions ---------------------------------------------------------------------------------------------------------


def test_without_a_session_the_plc_is_prompted_every_250_ms() -> None:
    bench = Bench()
    assert bench.out() == [["HLO", "1", "0", "WSP/1", "GW1", OUR_BOOT, "0", str(UNIX_MS)]]
    bench.wait(0.249)
    assert bench.out() == []
    bench.wait(0.001)
    assert [telegram[:3] for telegram in bench.out()] == [["HLO", "1", "0"]]


def test_the_prompt_is_the_one_of_the_page() -> None:
    assert Bench().session is not None
    bench = Bench()
    bench.session.due(bench.moment())
    assert bench.frames() == [examples_of_the_page()[0]]


def test_a_hello_is_answered_in_its_session_with_seq_1_and_the_clock_is_asked() -> None:
    bench = Bench()
    bench.out()
    bench.hear("HLO", 1, SESSION, *HELLO)
    hello, time_exchange = bench.out()
    assert hello[:6] == ["HLO", "1", str(SESSION), "WSP/1", "GW1", OUR_BOOT]
    assert time_exchange == ["TSY", "2", str(SESSION), str(bench.clock_ms), "", ""]


def test_a_repeated_hello_is_answered_again_and_changes_nothing(bench: Bench) -> None:
    bench.say("CHS", 17, "FULL", 3)
    bench.out()
    bench.hear("HLO", 1, SESSION, *HELLO)
    assert [telegram[:3] for telegram in bench.out()] == [["HLO", "1", str(SESSION)]]
    bench.request(1, ("SF1",))
    assert bench.out()[0][4:7] == ["18", "", "ALT"]


def test_a_new_session_restarts_our_numbers_and_opens_all_chutes(bench: Bench) -> None:
    bench.say("CHS", 17, "FULL", 3)
    bench.out()
    bench.hear("HLO", 1, SESSION + 1, *HELLO)
    assert [telegram[:3] for telegram in bench.out()] == [["HLO", "1", "4402"], ["TSY", "2", "4402"]]
    bench.hear("REQ", 2, SESSION + 1, 1, 1, 12, ("SF1",), (), None, None, None, None, 0, 4)
    assert bench.out() == [["RES", "3", "4402", "1", "17", "18", "ROUTE", "812", "2"]]


def test_the_same_number_after_another_boot_is_a_new_session(bench: Bench) -> None:
    bench.say("CHS", 17, "FULL", 3)
    bench.hear("HLO", 1, SESSION, "WSP/1", "PLC1", "00000001", 0, UNIX_MS)
    bench.out()
    bench.request(1, ("SF1",))
    assert bench.out()[0][4] == "17"


def test_another_version_is_refused_and_there_is_no_session() -> None:
    bench = Bench()
    bench.out()
    bench.hear("HLO", 1, SESSION, "WSP/2", "PLC1", "whatever")
    assert bench.out() == [["NAK", "1", str(SESSION), "1", "VERSION"]]
    assert not bench.alive()
    bench.request(1, ("SF1",))
    assert bench.out() == []


def test_a_prompt_or_our_own_echo_begins_nothing() -> None:
    bench = Bench()
    bench.out()
    bench.hear("HLO", 1, 0, *HELLO)
    bench.hear("HLO", 1, SESSION, "WSP/1", "GW1", OUR_BOOT, 0, UNIX_MS)
    assert bench.out() == []
    assert not bench.alive()


def test_a_telegram_of_another_session_is_dropped_without_an_answer(bench: Bench) -> None:
    bench.hear("CFM", 9, SESSION - 1, 5, ("SF1",), 17, "OK", None, None)
    bench.hear("STS", 9, SESSION - 1, "RUNNING", 5)
    assert bench.out() == []
    assert bench.records == []
    assert bench.session.counters["telegrams_of_other_sessions"] == 2


def test_after_1500_ms_of_silence_there_is_no_session_and_the_plc_is_prompted(bench: Bench) -> None:
    bench.wait(1.499)
    assert bench.alive()
    bench.out()
    bench.wait(0.001)
    assert not bench.alive()
    assert [telegram[2] for telegram in bench.out()] == ["0"]


def test_only_telegrams_of_this_session_count_as_life(bench: Bench) -> None:
    for _ in range(4):
        bench.wait(0.4)
        bench.hear("HB", 5, SESSION - 1)
    assert not bench.alive()


def test_a_heartbeat_goes_out_when_nothing_else_was_sent_for_500_ms(bench: Bench) -> None:
    bench.wait(0.499)
    assert bench.out() == []
    bench.wait(0.001)
    assert [telegram[0] for telegram in bench.out()] == ["HB"]


def test_a_heartbeat_is_not_answered(bench: Bench) -> None:
    bench.say("HB")
    assert bench.out() == []


def test_a_question_for_our_time_is_answered_once_with_all_three(bench: Bench) -> None:
    bench.say("TSY", 1_790_000_002_000, None, None)
    assert bench.out()[0][3:] == ["1790000002000", str(bench.clock_ms), str(bench.clock_ms)]


def test_the_clocks_are_compared_but_never_set(bench: Bench) -> None:
    bench.say("TSY", bench.clock_ms - 10, bench.clock_ms - 5 + 7000, bench.clock_ms - 5 + 7000)
    assert bench.session.clock_offset_ms == 7000


def test_the_time_is_asked_again_after_a_minute(bench: Bench) -> None:
    for _ in range(61):
        bench.wait(1.0)
        bench.say("HB")
        if any(telegram[0] == "TSY" for telegram in bench.out()):
            return
    pytest.fail("the time was not asked again")


# --- chutes and line --------------------------------------------------------------------------------------------------


def test_states_are_acknowledged_at_once_and_told_once(bench: Bench) -> None:
    line, chute = bench.say("STS", "RUN", 2000), bench.say("CHS", 7, "FULL", 118)
    bench.hear("CHS", chute, SESSION, 7, "FULL", 118)
    assert [telegram[3] for telegram in bench.out()] == [str(line), str(chute), str(chute)]
    assert bench.facts("line") == [{"state": "RUN", "speed_mm_s": 2000}]
    assert bench.facts("chute") == [{"chute": 7, "state": "FULL", "count": 118}]


def test_a_late_repeat_of_an_older_state_undoes_nothing(bench: Bench) -> None:
    older = bench.say("CHS", 17, "FULL", 5)
    bench.say("CHS", 17, "OPEN", 0)
    bench.hear("CHS", older, SESSION, 17, "FULL", 5)
    bench.out()
    bench.request(1, ("SF1",))
    assert bench.out()[0][4] == "17"


def test_a_chute_that_is_not_named_in_the_new_session_is_told_open(bench: Bench) -> None:
    bench.say("CHS", 7, "FULL", 118)
    bench.say("CHS", 8, "LOCK", 0)
    bench.take_records()
    bench.begin(SESSION + 1)
    bench.hear("CHS", 2, SESSION + 1, 8, "LOCK", 0)
    bench.hear("SYB", 3, SESSION + 1, 0)
    assert [(facts["chute"], facts["state"]) for facts in bench.facts("chute")] == [(7, "OPEN")]


def test_an_order_is_repeated_the_same_until_the_line_takes_it(bench: Bench) -> None:
    bench.session.order_chute("c1", 7, ChuteOrder.CLEAR, bench.moment())
    (first,) = bench.frames()
    for pause_s in (0.080, 0.160, 0.320, 0.500, 0.500):
        bench.say("HB")
        bench.wait(pause_s - 0.001)
        assert [frame for frame in bench.frames() if b"CHC" in frame] == []
        bench.wait(0.001)
        assert bench.frames()[0] == first
    order_seq = int(first.split(b"|")[1])
    bench.say("ACK", order_seq)
    assert bench.facts("command") == [{"id": "c1", "result": "taken"}]
    bench.wait(0.4)
    assert [frame for frame in bench.frames() if b"CHC" in frame] == []


def test_an_order_the_line_refuses_is_told_and_not_repeated(bench: Bench) -> None:
    bench.session.order_chute("c1", 99, ChuteOrder.LOCK, bench.moment())
    (order,) = bench.out()
    bench.say("NAK", int(order[1]), "REFUSED")
    assert [facts["result"] for facts in bench.facts("command")] == ["refused"]
    bench.wait(0.2)
    assert bench.out() == []


def test_an_order_nobody_takes_is_given_up_after_ten_seconds() -> None:
    bench = Bench()
    bench.session.order_chute("c1", 7, ChuteOrder.OPEN, bench.moment())
    bench.wait(9.9)
    assert bench.facts("command") == []
    bench.wait(0.2)
    assert [facts["result"] for facts in bench.facts("command")] == ["expired"]


def test_an_order_not_acknowledged_goes_out_anew_in_a_new_session(bench: Bench) -> None:
    bench.session.order_chute("c1", 7, ChuteOrder.OPEN, bench.moment())
    bench.out()
    bench.out()
    bench.hear("HLO", 1, SESSION + 1, *HELLO)
    assert ["CHC", "3", str(SESSION + 1), "7", "OPEN"] in bench.out()


def test_at_most_eight_orders_are_under_way(bench: Bench) -> None:
    for number in range(12):
        bench.session.order_chute(f"c{number}", number + 1, ChuteOrder.LOCK, bench.moment())
    sent = bench.out()
    assert len(sent) == 8
    bench.say("ACK", int(sent[0][1]))
    assert [telegram[3] for telegram in bench.out()] == ["9"]


# --- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("telegram", "reason"),
    [
        (("XYZ", "x"), "TYPE"),
        (("STS", "RUNNING", 5), "FORMAT"),
        (("CFM", 1, (), "one", "OK", None, None), "FORMAT"),
        (("REQ", 1, 1), "FORMAT"),
        (("CHC", 7, "OPEN"), "TYPE"),
        (("RES", 1, 17, None, "ROUTE", 1, 1), "TYPE"),
    ],
)
def test_a_sound_telegram_that_breaks_a_rule_is_refused_by_its_seq(
    bench: Bench, telegram: tuple[str | int | None, ...], reason: str
) -> None:
    kind, *fields = telegram
    seq = bench.say(str(kind), *fields)
    assert [out[0] + out[3] + out[4] for out in bench.out()] == [f"NAK{seq}{reason}"]


def test_a_refusal_is_never_answered(bench: Bench) -> None:
    bench.say("NAK", 5, "SOMETHING")
    bench.say("NAK", 5, "FORMAT")
    bench.say("ACK", "x")
    assert bench.out() == []


def test_a_broken_frame_is_never_answered(bench: Bench) -> None:
    bench.hear_bytes(b"\x02CFM|2|4401|1||1|OK||\x03FFFF\r")
    assert bench.out() == []
    assert bench.session.counters["frames_broken"] == 1


def test_gaps_and_repeats_of_numbers_are_counted_and_change_nothing(bench: Bench) -> None:
    bench.say("HB")
    bench.seq += 5
    bench.say("HB")
    bench.hear("HB", bench.seq, SESSION)
    assert (bench.session.counters["seq_gaps"], bench.session.counters["seq_repeats"]) == (1, 1)


# --- order of sending -------------------------------------------------------------------------------------------------


def test_when_the_line_is_busy_hello_goes_first_then_answers_then_chutes(bench: Bench) -> None:
    for pid in range(1, 4):
        bench.session.order_chute(f"c{pid}", pid, ChuteOrder.LOCK, bench.moment())
    assert len(bench.frames()) == 3
    bench.wait(0.100)
    bench.session.order_chute("new", 9, ChuteOrder.LOCK, bench.moment())
    bench.request(1, ("SF1",))
    bench.say("STS", "RUN", 1)
    bench.hear("HLO", 1, SESSION, *HELLO)
    kinds = [telegram[0] + (telegram[3] if telegram[0] == "CHC" else "") for telegram in bench.out()]
    assert kinds == ["HLO", "ACK", "RES", "CHC1", "CHC2", "CHC3", "CHC9"]


def test_numbers_follow_the_order_of_the_wire(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.say("STS", "RUN", 1)
    numbers = [int(telegram[1]) for telegram in bench.out()]
    assert numbers == [3, 4]


def test_nothing_is_said_to_nobody() -> None:
    """Without a session an answer that comes late from the disk must not leave in session 0."""
    bench = Bench()
    bench.begin()
    bench.confirm(1, ("SF1",), 17, "OK")
    bench.session.closed()
    bench.commit()
    bench.wait(0.0)
    assert [telegram[0] for telegram in bench.out()] in ([], ["HLO"])


def test_the_clock_of_the_wall_may_jump_without_ending_the_session(bench: Bench) -> None:
    bench.say("HB")
    bench.session.due(Moment(bench.now_s + 0.1, bench.clock_ms + 3_600_000))
    bench.session.due(Moment(bench.now_s + 0.2, bench.clock_ms - 3_600_000))
    assert bench.alive()


def test_the_table_can_be_replaced_between_two_parcels(bench: Bench) -> None:
    bench.request(1, ("SF1",))
    bench.routes.apply({"version": 813, "changes": [{"code": "SF1", "chute": "3"}]}, 0.0)
    bench.request(2, ("SF1",))
    assert [telegram[4:8] for telegram in bench.out()] == [["17", "18", "ROUTE", "812"], ["3", "", "ROUTE", "813"]]


def test_the_example_answer_of_the_page_comes_out_byte_for_byte() -> None:
    """REQ 7 and 9 of the page against its table version: RES 5 and 6 of the page."""
    bench = Bench(table(SF1234567890123="17,18"))
    bench.begin()
    for _ in range(2):  # seq 3 and 4
        bench.say("STS", "RUN", 1)
    bench.out()
    examples = {bytes(example[1:6]): example for example in examples_of_the_page()}
    bench.hear_bytes(examples[b"REQ|7"])
    bench.hear_bytes(examples[b"REQ|9"])
    assert bench.frames() == [examples[b"RES|5"], examples[b"RES|6"]]
