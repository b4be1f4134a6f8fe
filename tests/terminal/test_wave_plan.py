"""A wave's plan at the terminal: which buttons stand there in each state, what they do, and the two pictures."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any
from xml.etree.ElementTree import fromstring
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from tests.builders import MORNING, stock_in
from tests.outbound.orders import allocate, place
from tests.terminal.desk import Desk
from tests.terminal.scene import stocked
from wms.core.call import Who
from wms.core.clock import WallClock
from wms.exchange.waves import House, plan
from wms.outbound import service as outbound
from wms.outbound.queries import wave_by_no
from wms.outbound.values import WaveState
from wms.picking.queries.plans import PlanFacts, plan_of_wave
from wms.picking.rules.schedule import Piece, Turn
from wms.picking.service import plans
from wms.picking.tables import KeptPlan
from wms.picking.values import LOST_AFTER, PlanState
from wms.terminal import plan_drawing
from wms.terminal.sections import wave_plan
from wms.terminal.words import Reader

SHANGHAI = Reader("zh", ZoneInfo("Asia/Shanghai"))
BUTTON = re.compile(r'<button[^>]*data-deed="(\w+)"[^>]*>')
OF_PLANS = {"plan_wave", "release_wave", "cancel_wave", "stop_plan", "cancel_plan", "discard_plan", "go_on"}


def a_draft(desk: Desk) -> str:
    sku = stocked(desk)
    place(desk.park, "O1", (sku, 3))
    allocate(desk.park, "O1")
    (no,) = desk.park.act(outbound.make_waves)
    return no


def buttons(desk: Desk, wave: str) -> list[str]:
    """The deeds of the plan's buttons that can be pressed, as they stand on the page."""
    page = desk.page(f"waves?wave={wave}")
    pressable = [found[1] for found in BUTTON.finditer(page) if " disabled" not in found[0]]
    return [deed for deed in pressable if deed in OF_PLANS | {"back_to_draft"}]


def kept(desk: Desk, wave: str) -> PlanFacts | None:
    return desk.park.read(lambda s: plan_of_wave(s, wave_by_no(s, desk.park.warehouse_id, wave).id))


def state(desk: Desk, wave: str) -> WaveState:
    return desk.park.read(lambda s: wave_by_no(s, desk.park.warehouse_id, wave)).state


def wanted(desk: Desk, wave: str, ago: timedelta = timedelta()) -> None:
    """A plan that waits for a planner, last heard of so long ago."""
    beat_at = WallClock().now() - ago
    desk.park.act(lambda call: plans.want_plan(call, wave, beat_at, think_s=5, rounds=1))


def ready(desk: Desk, wave: str) -> None:
    wanted(desk, wave)
    plan(House(desk.park.database, desk.park.clock, Who("system", desk.park.warehouse_id)), wave)


def test_a_draft_is_planned_sent_at_once_or_dissolved(desk: Desk) -> None:
    wave = a_draft(desk)
    assert buttons(desk, wave) == ["plan_wave", "release_wave", "cancel_wave"]
    assert desk.do("cancel_wave", wave=wave).status_code == 200
    assert state(desk, wave) is WaveState.CANCELLED


def test_a_plan_that_is_reckoned_can_be_stopped_or_cancelled(desk: Desk) -> None:
    wave = a_draft(desk)
    wanted(desk, wave)
    assert buttons(desk, wave) == ["cancel_plan"]  # there is nothing to take yet
    desk.park.act(lambda call: plans.begin_reckoning(call, wave, WallClock().now()))
    assert set(buttons(desk, wave)) == {"stop_plan", "cancel_plan"}
    assert desk.do("stop_plan", wave=wave).status_code == 200
    assert kept(desk, wave).wish == "stop"  # type: ignore[union-attr]
    assert buttons(desk, wave) == ["cancel_plan"]
    assert desk.do("cancel_plan", wave=wave).status_code == 200
    assert kept(desk, wave).wish == "cancel"  # type: ignore[union-attr]


def test_a_plan_whose_planner_is_gone_goes_back_to_draft(desk: Desk) -> None:
    wave = a_draft(desk)
    wanted(desk, wave, ago=LOST_AFTER + timedelta(seconds=5))
    assert buttons(desk, wave) == ["back_to_draft"]
    assert desk.do("back_to_draft", wave=wave).status_code == 200
    assert state(desk, wave) is WaveState.DRAFT
    wanted(desk, wave)
    assert desk.do("back_to_draft", wave=wave).status_code == 409  # somebody reckons


def test_a_ready_plan_is_looked_at_then_released_thought_about_longer_or_thrown_away(desk: Desk) -> None:
    wave = a_draft(desk)
    ready(desk, wave)
    assert buttons(desk, wave) == ["release_wave", "plan_wave", "discard_plan"]
    page = desk.page(f"waves?wave={wave}&view=table")
    assert "按通常速度，还没学到" in page
    assert '"seconds": 60' in page.replace("&#34;", '"').replace("&quot;", '"')
    assert desk.do("discard_plan", wave=wave).status_code == 200
    assert kept(desk, wave) is None
    assert buttons(desk, wave) == ["plan_wave", "release_wave", "cancel_wave"]


def test_the_plan_says_how_much_less_is_walked_to_nearer_slots(desk: Desk) -> None:
    sku = stocked(desk, slot="A02-09-1A")
    desk.park.act(lambda call: stock_in(call, sku, "A01-01-1A", 5))
    place(desk.park, "O1", (sku, 3))
    allocate(desk.park, "O1")
    (wave,) = desk.park.act(outbound.make_waves)
    ready(desk, wave)
    found = kept(desk, wave)
    assert found is not None
    saved_m = (found.promised_mm - found.walk_mm) // 1_000
    assert saved_m > 0
    page = desk.page(f"waves?wave={wave}")
    assert f"同样的货就近拣，1 批少走 {saved_m} m" in page
    assert f"就近拣少走 {saved_m} m" in page
    assert "<title>A01-01-1A · 3</title>" in page  # the map goes to the slot that was chosen
    assert "A02-09-1A ·" not in page


def test_the_plan_says_how_long_people_are_in_each_others_way(desk: Desk) -> None:
    wave = a_draft(desk)
    ready(desk, wave)
    assert "同巷让路" not in desk.page(f"waves?wave={wave}")  # one batch meets nobody
    for people, before_s, after_s, words in (
        (4, 720, 210, "4 人拣，同巷让路共 3.5 分（不排先后要 12 分）"),
        (3, 90, 90, "3 人拣，同巷让路共 1.5 分"),
    ):
        counted = {"people": people, "crowded_before_s": before_s, "crowded_s": after_s}
        desk.park.act(lambda call, c=counted: call.session.execute(update(KeptPlan).values(**c)))  # type: ignore[misc]
        assert words in desk.page(f"waves?wave={wave}")


def test_a_release_that_was_broken_off_is_gone_on_with(desk: Desk) -> None:
    wave = a_draft(desk)
    ready(desk, wave)
    long_ago = WallClock().now() - LOST_AFTER - timedelta(seconds=5)
    desk.park.act(lambda call: plans.begin_release(call, wave, long_ago))
    assert buttons(desk, wave) == ["go_on"]
    assert kept(desk, wave).state is PlanState.RELEASING  # type: ignore[union-attr]


def turn(no: str, begin: int, end: int, due: int, *, planned: bool = True) -> Turn:
    def at(minutes: int) -> datetime:
        return MORNING + timedelta(minutes=minutes)

    return Turn("程丽", Piece(no, (end - begin) * 60, at(due), 4, planned), at(begin), at(end))


@pytest.mark.parametrize(
    ("walk_m", "than_m", "said"), [(88, 100, "−12"), (100, 100, "0"), (103, 100, "+3"), (5, 0, "0")]
)
def test_a_change_is_told_with_its_sign(walk_m: int, than_m: int, said: str) -> None:
    assert wave_plan.change(walk_m, than_m) == said


class TestGantt:
    def drawn(self, *turns: Turn) -> str:
        cut_offs = [(MORNING + timedelta(minutes=45), "顺丰"), (MORNING + timedelta(days=2), "后天")]
        return str(plan_drawing.gantt(turns, ["程丽"], cut_offs, MORNING, SHANGHAI))

    def test_own_earlier_and_late_batches_are_told_apart_by_more_than_colour(self) -> None:
        svg = self.drawn(turn("W1-01", 0, 20, 40), turn("W0-09", 20, 30, 40, planned=False), turn("W1-02", 30, 70, 40))
        kinds = [each.get("class") for each in fromstring(svg).iter() if (each.get("class") or "").startswith("turn")]
        assert kinds == ["turn own", "turn before", "turn late"]
        assert f"02 {SHANGHAI.say('terminal.gantt.late')}" in svg

    def test_bars_lie_where_their_minutes_are(self) -> None:
        svg = fromstring(self.drawn(turn("W1-01", 0, 20, 40), turn("W1-02", 20, 60, 90)))
        rects = [each for each in svg.iter() if each.tag.endswith("rect")]
        (first, second) = [float((rect.get("x") or "").rstrip("%")) for rect in rects]
        wide = [float((rect.get("width") or "").rstrip("%")) for rect in rects]
        assert first == 0
        assert second == pytest.approx(100 * 20 / 65, abs=0.01)  # an hour of work and five minutes
        assert wide[1] > 1.9 * wide[0]

    def test_cut_offs_beyond_the_picture_are_left_out(self) -> None:
        svg = self.drawn(turn("W1-01", 0, 60, 90))
        assert "顺丰" in svg
        assert "后天" not in svg

    def test_somebody_who_is_not_shown_has_no_bar(self) -> None:
        svg = str(plan_drawing.gantt([turn("W1-01", 0, 20, 40)], ["别人"], [], MORNING, SHANGHAI))
        assert 'class="turn' not in svg


def facts(points: tuple[tuple[int, int], ...], walk_mm: int = 0) -> PlanFacts:
    head: list[Any] = [1, 1, PlanState.READY, 1, False, 15, MORNING, "", {}, 0, 0, 4, 2, 9]
    known: list[Any] = [*head, walk_mm, 4_000_000, 5_000_000, walk_mm, 1_000_000, 0, 0, 0, points]
    return PlanFacts(*known)


class TestCurve:
    def test_it_falls_step_by_step_from_the_first_plan_to_the_last(self) -> None:
        svg = fromstring(
            str(plan_drawing.curve(facts(((100, 3_000_000), (900, 2_500_000), (4_000, 2_000_000))), SHANGHAI))
        )
        line = next(each for each in svg.iter() if each.get("class") == "best")
        corners = [tuple(map(float, pair.split(","))) for pair in (line.get("points") or "").split()]
        assert len(corners) == 5  # three plans, and a corner between each two
        assert [x for x, _ in corners] == sorted(x for x, _ in corners)
        assert [y for _, y in corners] == sorted(y for _, y in corners)  # down is shorter
        said = "".join(each.text or "" for each in svg.iter())
        assert SHANGHAI.say("terminal.curve.now", km="2.0") in said

    def test_a_short_walk_has_a_fine_scale(self) -> None:
        svg = str(plan_drawing.curve(facts(((10, 320_000),)), SHANGHAI))
        assert SHANGHAI.say("terminal.curve.now", km="0.32") in svg

    def test_what_was_found_at_once_is_told_beside_the_scale_and_not_over_it(self) -> None:
        for found_ms, side in ((10, "start"), (4_000, "end")):
            svg = fromstring(str(plan_drawing.curve(facts(((found_ms, 320_000),)), SHANGHAI)))
            words = next(each for each in svg.iter() if each.get("class") == "al")
            assert words.get("text-anchor") == side
            assert float(words.get("x") or 0) > plan_drawing.CURVE_LEFT

    def test_without_a_plan_there_is_nothing_to_draw(self) -> None:
        assert plan_drawing.curve(facts(()), SHANGHAI) == ""
