"""The sides of the slots' page: why, what if, how right, decided, before and after; and the figures as files."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import date, timedelta

import pytest
from openpyxl import load_workbook

from tests.slotting.past import FAR, a_busy_past, proposals
from tests.terminal.desk import Desk
from tests.terminal.test_slots import delivered, page
from wms.core.i18n import catalogue
from wms.people.values import Role
from wms.slotting import foresight, measuring, queries
from wms.slotting.gains import Rates
from wms.slotting.picture import lift_of
from wms.slotting.values import Lift, Rule
from wms.terminal.plotting import Course, course_plot, week_bars
from wms.terminal.rules.scales import decimals, scale
from wms.terminal.rules.sheets import as_csv, as_xlsx

WEEK = timedelta(days=7)


@pytest.mark.parametrize("rule", Rule)
def test_every_rule_of_slots_has_words_for_kept_and_for_broken(rule: Rule) -> None:
    assert {f"terminal.why.rule.{rule.value}", f"slotting.rule.{rule.value}"} <= catalogue().keys()


def planned(desk: Desk) -> int:
    """A plan over a busy past; the id of its best move."""
    a_busy_past(desk.park)
    desk.do("plan_moves")
    delivered(desk)
    return proposals(desk.park)[0].id


def taken(desk: Desk) -> None:
    while measuring.take_days(desk.park.database, desk.park.clock):
        pass


def test_every_side_of_an_empty_house_says_what_will_stand_there(sqlite_desk: Desk) -> None:
    for side, says in {
        "why": "没有要说明的移库",
        "what_if": "还没有算过",
        "forecasts": "还没有满一周的预测",
        "decided": "还没有定过移库",
        "figures": "还没有前后可比",
    }.items():
        assert says in page(sqlite_desk, side=side), side
    assert "今晚起每天记一次" in page(sqlite_desk)


def test_a_proposal_opened_says_then_and_now_cost_payback_and_rules(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    best = planned(desk)
    row = proposals(desk.park)[0]
    words = page(desk, side="why", move=str(best))
    assert "15.0 行 → 近四周 30.0 行" in words
    assert f"每周省 {row.gain_m_week:,} 米" in words
    assert f"一次花 {row.cost_m:,} 米" in words
    assert f"把握 {row.confidence_percent}%" in words
    assert words.count("承重够") == 1
    assert "terminal.why" not in words  # each rule has its words
    assert page(desk, side="why", move="999999").count("没有要说明的移库") == 1
    assert page(desk, side="why", move="1'; drop").count("没有要说明的移库") == 0  # the best one is opened instead


def test_what_if_is_asked_reckoned_apart_and_shown_and_moves_nothing(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    assert desk.do("ask_what_if", moves=5, season=0, aisle=None).status_code == 200
    assert "在算" in page(desk, side="what_if")
    delivered(desk)
    words = page(desk, side="what_if")
    assert "每天 5 次 · 近来 · 巷道 不封" in words
    assert "移库，每周" in words
    desk.do("ask_what_if", moves=5, season=52, aisle=0)
    delivered(desk)
    assert "那时没有拣货记录" in page(desk, side="what_if")
    assert proposals(desk.park) == []


@pytest.mark.parametrize("wrong", [{"moves": 5}, {"moves": 5, "season": 3}, {"moves": 5, "season": 0, "aisle": "A01"}])
def test_what_if_takes_only_what_the_page_offers(sqlite_desk: Desk, wrong: dict[str, object]) -> None:
    assert sqlite_desk.do("ask_what_if", **wrong).status_code == 400


def test_an_aisle_that_is_not_there_is_said_to_be_wrong(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    desk.do("ask_what_if", moves=5, season=0, aisle=77)
    delivered(desk)
    assert "这条巷道已经没有了" in page(desk, side="what_if")


def test_how_right_forecasts_were_is_told_by_week(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    planned(desk)
    desk.park.clock.at += WEEK
    foresight.judge(desk.park.database, desk.park.clock)
    week = desk.park.read(lambda session: foresight.weeks_judged(session, desk.park.warehouse_id))[0]
    words = page(desk, side="forecasts")
    assert (week.skus, week.came, week.right) == (11, 0, 0.0)
    assert f'<td class="num">{week.said:,.0f}</td><td class="num">0</td>' in words
    assert "11月7日" in words


def test_the_gains_show_weeks_and_the_table_before_and_after(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    taken(desk)
    words = page(desk)
    assert words.count('class="course"') == 1  # walks are known for weeks, capacity since last night
    words = page(desk, side="figures")
    assert "每行走路" in words
    days = desk.park.read(lambda session: queries.days(session, desk.park.warehouse_id, date(2026, 1, 1)))
    assert len(days) == 42
    assert "9/26-10/16" in words
    assert "10/17-11/6" in words


def test_rates_are_the_manager_s_and_money_follows_them(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    given = {"wage_cents_h": 7_000, "walk_mm_s": 1_000, "handling_s_line": 15, "rent_cents_m2_month": 0}
    assert desk.do("set_rates", **given).status_code == 200
    assert desk.do("set_rates", **{**given, "wage_cents_h": 7_200}).status_code == 200
    found = desk.park.read(lambda session: queries.rates(session, desk.park.warehouse_id))
    assert found == replace(Rates(), wage_cents_h=7_200, rent_cents_m2_month=0)
    assert 'value="7200"' in page(desk, side="figures")
    for wrong in ({**given, "walk_mm_s": 0}, {**given, "wage_cents_h": -1}, {"wage_cents_h": 1}):
        assert desk.do("set_rates", **wrong).status_code == 400
    desk.hire("wang", Role.SUPERVISOR, name="王")
    desk.log_in("wang")
    assert desk.do("set_rates", **given).status_code == 403


def test_what_is_heavy_and_how_high_a_shoulder_is_the_manager_says(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    assert 'name="heavy_piece_g" value="15000"' in page(desk, side="figures")
    assert desk.do("set_lift", heavy_piece_g=12_000, shoulder_mm=1_300).status_code == 200
    found = desk.park.read(lambda session: lift_of(session, desk.park.warehouse_id))
    assert found == Lift(12_000, 1_300)
    assert 'name="shoulder_mm" value="1300"' in page(desk, side="figures")
    assert desk.do("set_lift", heavy_piece_g=0, shoulder_mm=1_300).status_code == 400
    desk.hire("wang", Role.SUPERVISOR, name="王")
    desk.log_in("wang")
    assert desk.do("set_lift", heavy_piece_g=12_000, shoulder_mm=1_300).status_code == 403


def test_figures_come_as_files_with_before_after_and_every_week(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    a_busy_past(desk.park)
    taken(desk)
    answer = desk.client.get("/terminal/slots/figures.csv")
    assert answer.mimetype == "text/csv"
    table = list(csv.reader(io.StringIO(answer.get_data().decode("utf-8-sig"))))
    assert [row[1] for row in table[:3]] == ["时段", "之前", "现在"]
    assert [row[1] for row in table[3:]] == ["周"] * (len(table) - 3)
    assert {len(row) for row in table} == {len(table[0])}
    sheet = load_workbook(io.BytesIO(desk.client.get("/terminal/slots/figures.xlsx").get_data())).active
    rows = [list(row) for row in sheet.iter_rows(values_only=True)]
    assert rows[0] == table[0]
    assert len(rows) == len(table)
    lines = table[0].index("拣货行 (行)")
    assert float(table[1][lines]) == rows[1][lines] > 0
    assert desk.client.get("/terminal/slots/figures.exe").status_code == 404
    desk.client.post("/terminal/logout", json={}, headers={"X-CSRF": desk.csrf})
    assert desk.client.get("/terminal/slots/figures.csv").status_code == 302


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@x", "\tx", "\rx"])
def test_what_begins_like_a_formula_is_text(text: str) -> None:
    table = [[text, -1.5, None, date(2026, 1, 5)]]
    row = next(csv.reader(io.StringIO(as_csv(table).decode("utf-8-sig"), newline="")))
    assert row == [f"'{text}", "-1.5", "", "2026-01-05"]
    if text.isprintable():
        cell = load_workbook(io.BytesIO(as_xlsx(table, "x"))).active["A1"]
        assert (cell.value, cell.data_type) == (text, "s")


@pytest.mark.parametrize(
    ("values", "marks", "places"),
    [
        ([11.4, 18.9], [10, 15, 20], 0),
        ([0.83, 1.12], [0.8, 1.0, 1.2], 1),
        ([66.8, 74.2], [65, 70, 75], 0),
        ([5.0, 5.0], [5.0, 5.25], 2),
        ([0.0, 0.0], [0.0, 0.000001], 6),
    ],
)
def test_a_scale_has_round_marks_around_its_values(values: list[float], marks: list[float], places: int) -> None:
    found = scale(values)
    assert found == marks
    assert decimals(found) == places


def test_a_course_with_gaps_is_drawn_and_one_value_is_no_course() -> None:
    drawn = course_plot(Course("<b>", [None, 1.0, None, 3.0], ["1", "2", "3", "4"]))
    assert drawn.count(",") >= 1
    assert "&lt;b&gt;" in drawn
    assert "style=" not in drawn
    assert course_plot(Course("x", [None, 1.0], ["1", "2"])) == ""
    assert week_bars([0, 0], "x").count("<rect") == 2


def test_every_map_of_the_page_is_drawn_and_stands_in_the_table(sqlite_desk: Desk) -> None:
    desk = sqlite_desk
    planned(desk)
    for mode in ("heat", "metres", "quiet", "fill"):
        assert "<svg" in page(desk, map=mode)
    plan = desk.park.read(lambda session: queries.newest_plan(session, desk.park.warehouse_id))
    assert plan is not None
    assert sum(plan.bay_m.values()) == pytest.approx(plan.walked_m / 4, rel=0.02)
    words = page(desk, map="table")
    assert FAR[:6] in words
    assert f'<td class="num">{max(plan.bay_m.values()):,}</td>' in words
