"""The PDA's shell over the real application: log in, scan, refuse, repeat, resume, put goods away."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, update

from tests.builders import Park, a_park, a_person, a_sku, stock_in
from wms.app import make_house
from wms.core import codes
from wms.core.call import Who
from wms.core.clock import WallClock
from wms.core.codes import Kind
from wms.core.db import Database
from wms.core.dialogue import Dialogue
from wms.core.i18n import LANGUAGES, catalogue
from wms.core.perform import Outcome, error_body, to_json
from wms.core.refusal import Reason, Refused
from wms.counting import service as counting
from wms.handheld import shell
from wms.handheld.registry import DIALOGUES
from wms.inbound import queries
from wms.inbound import service as inbound
from wms.people import service as people
from wms.people.values import DeviceKind, Right, Role
from wms.settings import Settings
from wms.site import queries as site
from wms.site.tables import Slot
from wms.work import queries as work
from wms.work import service as tasks_service
from wms.work.tables import DialogueState
from wms.work.values import TaskFacts, TaskState

PIN = "246810"
Json = dict[str, Any]


@dataclass
class Hand:
    """A PDA in a hand: the page's calls, without the page."""

    park: Park
    client: FlaskClient
    shown: Json
    csrf: str = ""

    def post(self, path: str, body: Json) -> int:
        answer = self.client.post(f"/pda/{path}", json=body, headers={"X-CSRF": self.csrf})
        self.shown = json.loads(answer.data)
        return answer.status_code

    def scan(self, code: str, scan_id: str = "") -> Json:
        assert self.post("scan", {"id": scan_id or secrets.token_hex(16), "code": code}) == 200
        return self.shown

    def act(self, action: str, value: str = "") -> Json:
        assert self.post("action", {"id": secrets.token_hex(16), "action": action, "value": value}) == 200
        return self.shown

    @property
    def at(self) -> tuple[str, str]:
        return self.shown["screen"]["dialogue"], self.shown["screen"]["step"]

    @property
    def message(self) -> Json:
        return self.shown["message"] or {}


@pytest.fixture
def hand(database: Database) -> Hand:
    park = a_park(database)
    park.act(lambda call: people.add_person(call, badge="W1", name="程丽", role=Role.SUPERVISOR, pin=PIN))
    park.act(lambda call: people.enrol_device(call, code="PDA-01", kind=DeviceKind.HANDHELD, name="手持 1"))
    house = make_house(database, WallClock(), Settings())
    return Hand(park, house.app.test_client(), {})


def log_in(hand: Hand, pin: str = PIN) -> int:
    status = hand.post("login", {"device": "PDA-01", "badge": codes.make(Kind.BADGE, "W1"), "pin": pin})
    cookie = hand.client.get_cookie("csrf", path="/pda")
    hand.csrf = cookie.value if cookie else ""
    return status


def a_full_box(hand: Hand, quantity: int = 4, sku_code: str = "K1", **sizes: Any) -> str:
    """A received container that waits to be put away; its code."""

    def receive(call: Any) -> str:
        sku = a_sku(call, sku_code, "M1", **sizes)
        asn_id = inbound.create_asn(call, no=f"A-{sku_code}", lines=[(sku_code, quantity)], merchant_code="M1")
        box = inbound.lpn(call, None)
        inbound.receive(call, sku=sku, quantity=quantity, container=box, asn_id=asn_id)
        return box.code

    return hand.park.act(receive)


def test_a_wrong_pin_is_told_with_the_tries_left(hand: Hand) -> None:
    assert log_in(hand, "000000") == 401
    assert hand.shown["error"]["reason"] == "pin_wrong"
    assert hand.shown["error"]["facts"] == {"left": 4}


def test_after_log_in_the_menu_offers_work_and_what_this_person_may_do(hand: Hand) -> None:
    assert log_in(hand) == 200
    assert hand.at == ("menu", "menu")
    offered = [row["value"] for row in hand.shown["screen"]["cards"][0]["rows"]]
    assert offered[0] == "get_work"
    assert {"receive", "pack", "handover", "look_up"} <= set(offered)


def test_without_a_session_nothing_is_shown_and_nothing_done(hand: Hand) -> None:
    assert hand.client.get("/pda/state").status_code == 401
    assert hand.post("scan", {"id": "x", "code": "y"}) == 401


def test_a_call_without_the_page_s_mark_is_refused(hand: Hand) -> None:
    log_in(hand)
    hand.csrf = "another"
    assert hand.post("scan", {"id": secrets.token_hex(16), "code": "A1"}) == 403
    assert hand.shown["error"]["reason"] == "csrf_wrong"


def test_an_unknown_code_is_red_and_keeps_the_screen(hand: Hand) -> None:
    log_in(hand)
    hand.scan("NOBODY-KNOWS-THIS")
    assert hand.at == ("menu", "menu")
    assert (hand.message["level"], hand.message["code"]) == ("wrong", "barcode_unknown")


def test_work_is_got_carried_out_and_the_menu_comes_back(hand: Hand) -> None:
    code = a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("putaway", "scan_slot")
    slot = next(card["code"] for card in hand.shown["screen"]["cards"] if card["kind"] == "location")
    hand.scan(codes.make(Kind.SLOT, slot))
    assert hand.at == ("menu", "menu")
    assert hand.message["level"] == "done"
    place = hand.park.read(lambda session: site.slot_by_code(session, hand.park.warehouse_id, slot)).place_id
    assert _on_hand(hand, place) == 4
    hand.act("get_work")
    assert hand.message["code"] == "no_work", f"{code} is stored already"


def test_a_scan_sent_twice_acts_once_and_is_answered_alike(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    slot = next(card["code"] for card in hand.shown["screen"]["cards"] if card["kind"] == "location")
    scan_id = secrets.token_hex(16)
    first = hand.scan(codes.make(Kind.SLOT, slot), scan_id)["message"]
    again = hand.scan(codes.make(Kind.SLOT, slot), scan_id)["message"]
    assert again == first
    place = hand.park.read(lambda session: site.slot_by_code(session, hand.park.warehouse_id, slot)).place_id
    assert _on_hand(hand, place) == 4


def kept_scan(hand: Hand, code: str, work: Json, scan_id: str = "") -> str:
    """A scan made without network, sent now; the code of what was said to it."""
    body = {"id": scan_id or secrets.token_hex(16), "code": code, "kept": True, "work": work}
    assert hand.post("scan", body) == 200
    return str(hand.message.get("code", ""))


def test_a_kept_scan_applies_to_the_work_it_was_made_for(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    work = hand.shown["work"]
    slot = next(card["code"] for card in hand.shown["screen"]["cards"] if card["kind"] == "location")
    scan_id = secrets.token_hex(16)
    kept_scan(hand, codes.make(Kind.SLOT, slot), work, scan_id)
    assert hand.message["level"] == "done"
    kept_scan(hand, codes.make(Kind.SLOT, slot), work, scan_id)
    assert hand.message["level"] == "done", "its answer got lost: asked again it is the same"


def test_a_kept_scan_is_a_conflict_when_the_work_went_on_without_it(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    work = hand.shown["work"]
    hand.act("leave")
    hand.act("choose", "look_up")
    before = hand.at, hand.shown["work"]
    assert kept_scan(hand, codes.make(Kind.SLOT, "A01-01-1A"), work) == "changed_meanwhile"
    assert (hand.at, hand.shown["work"]) == before, "nothing of it reaches what is done now"


def test_a_kept_scan_applies_though_its_screen_was_drawn_anew_meanwhile(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    work = hand.shown["work"]
    slot = next(card["code"] for card in hand.shown["screen"]["cards"] if card["kind"] == "location")
    person_id = hand.park.read(lambda session: session.scalars(select(DialogueState.person_id)).one())
    no = Outcome(409, to_json(error_body(Refused(Reason.STEP_WRONG), "zh")))
    shell.tell(hand.park.database, hand.park.clock, Who("test", hand.park.warehouse_id, person_id=person_id), no)
    hand.shown = json.loads(hand.client.get("/pda/state").data)
    assert (hand.shown["work"]["version"], hand.message["code"]) == (work["version"] + 1, "step_wrong")
    kept_scan(hand, codes.make(Kind.SLOT, slot), work)
    assert hand.message["level"] == "done"


def test_a_kept_scan_must_say_to_which_work_it_belongs(hand: Hand) -> None:
    log_in(hand)
    assert hand.post("scan", {"id": secrets.token_hex(16), "code": "A1", "kept": True}) == 400


def test_a_refused_scan_leaves_nothing_behind(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    before = hand.at
    hand.scan(codes.make(Kind.SLOT, "Z99-99-9"))
    assert hand.at == before
    assert hand.message["level"] == "wrong"


@pytest.mark.parametrize("wait_s", ["0", "0.2", "1"])
def test_who_waits_for_news_of_the_screen_shown_gets_it_after_that_time(hand: Hand, wait_s: str) -> None:
    log_in(hand)
    version = hand.shown["work"]["version"]
    began_s = time.monotonic()
    answer = hand.client.get(f"/pda/state?since={version}&wait_s={wait_s}")
    assert answer.status_code == 200
    assert time.monotonic() - began_s >= float(wait_s)


@pytest.mark.parametrize(
    "query", ["since=x", "since=-1", "since=", "since=1&wait_s=x", "since=1&wait_s=nan", "wait_s=-1"]
)
def test_a_wait_that_is_no_number_is_refused(hand: Hand, query: str) -> None:
    log_in(hand)
    answer = hand.client.get(f"/pda/state?{query}")
    assert answer.status_code == 400
    assert json.loads(answer.data)["error"]["reason"] == "bad_input"


def test_work_is_resumed_where_it_was_left(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    standing = hand.at
    hand.post("logout", {})
    assert hand.client.get("/pda/state").status_code == 401
    log_in(hand)
    assert hand.at == standing


def a_count(hand: Hand, slot: str = "A01-01-1A") -> None:
    hand.park.act(lambda call: counting.ask_for_count(call, slot, reason="asked"))


def tasks(hand: Hand) -> dict[str, TaskFacts]:
    return {one.kind: one for one in hand.park.read(lambda session: work.tasks(session, hand.park.warehouse_id))}


def test_a_box_that_fits_nowhere_does_not_stand_before_other_work(hand: Hand) -> None:
    code = a_full_box(hand, sku_code="HUGE", length_mm=9_000, width_mm=9_000, height_mm=9_000)
    a_count(hand)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("count", "scan_item"), "the box came first, and cannot be put away"
    box = tasks(hand)["putaway"]
    assert (box.state, box.claimed_by, box.name) == (TaskState.OPEN, None, code)
    assert box.hindered == {"reason": "no_slot_fits", "facts": {"why": "size"}}
    assert tasks(hand)["count"].hindered is None


def test_a_box_that_fits_nowhere_is_told_when_there_is_nothing_else(hand: Hand) -> None:
    a_full_box(hand, sku_code="HUGE", length_mm=9_000, width_mm=9_000, height_mm=9_000)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("menu", "menu")
    assert (hand.message["level"], hand.message["code"]) == ("attention", "no_work")
    assert hand.message["text"] == "1 项做不了，班长能看到原因"
    hand.act("get_work")
    assert (hand.message["level"], hand.message["code"]) == ("wrong", "no_work"), "it is not tried again at once"
    assert tasks(hand)["putaway"].hindered, "and is still shown"


def test_work_in_hand_that_fits_nowhere_any_more_is_laid_down_and_told(hand: Hand) -> None:
    code = a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    hand.act("leave")
    a_count(hand)
    no_room(hand)
    hand.act("get_work")
    assert hand.at == ("count", "scan_item")
    assert hand.message["level"] == "attention"
    assert hand.message["title"] == f"{code} 先放下：没有合适的储位：已封"
    assert hand.message["text"] == "A01-01-1A", "and where to go instead"


def test_many_boxes_that_fit_nowhere_do_not_hide_other_work(hand: Hand) -> None:
    for number in range(5):
        a_full_box(hand, sku_code=f"HUGE{number}", length_mm=9_000, width_mm=9_000, height_mm=9_000)
    a_count(hand)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("count", "scan_item")
    every = hand.park.read(lambda session: work.tasks(session, hand.park.warehouse_id))
    assert sum(one.hindered is not None for one in every) == 3, "nobody waits for all of them to be tried"
    hand.act("leave")
    count = tasks(hand)["count"]
    hand.park.act(lambda call: tasks_service.cancel(call, count.id))
    a_full_box(hand)
    hand.act("get_work")
    assert hand.at == ("putaway", "scan_slot"), "the three tried first rest, the other two are put aside on the way"


def test_a_task_with_nothing_left_to_do_goes(hand: Hand) -> None:
    code = a_full_box(hand)
    task = tasks(hand)["putaway"]
    hand.park.act(lambda call: inbound.put_away(call, container=inbound.box(call, code)))
    hand.park.act(lambda call: tasks_service.create(call, "putaway", task.subject, container=code))
    log_in(hand)
    hand.act("get_work")
    assert (hand.at, hand.message["level"], hand.message["text"]) == (("menu", "menu"), "attention", "")
    assert tasks(hand) == {}


def no_room(hand: Hand) -> None:
    """All slots are blocked."""
    blocked = update(Slot).values(blocked=True)
    hand.park.act(lambda call: call.session.execute(blocked))


def test_what_was_put_aside_is_tried_again_later_and_found_mended(hand: Hand) -> None:
    a_full_box(hand)
    no_room(hand)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("menu", "menu")
    hand.park.act(lambda call: call.session.execute(update(Slot).values(blocked=False)))
    aside = tasks(hand)["putaway"]
    hand.park.act(lambda call: tasks_service.offer_again(call, aside.id))
    hand.act("get_work")
    assert hand.at == ("putaway", "scan_slot")
    assert tasks(hand)["putaway"].hindered is None


def test_the_language_changes_on_every_screen_without_losing_the_step(hand: Hand) -> None:
    a_full_box(hand)
    log_in(hand)
    hand.act("get_work")
    prompt, standing = hand.shown["screen"]["prompt"]["text"], hand.at
    assert hand.post("language", {"id": secrets.token_hex(16), "language": "en"}) == 200
    assert hand.at == standing
    assert (prompt, hand.shown["screen"]["prompt"]["text"]) == ("扫储位", "Scan slot")


def test_a_slot_scanned_in_the_menu_shows_what_lies_there(hand: Hand) -> None:
    hand.park.act(lambda call: stock_in(call, a_sku(call, "K9", name="笋干"), "A01-01-1A", 7))
    log_in(hand)
    hand.scan(codes.make(Kind.SLOT, "A01-01-1A"))
    assert hand.at == ("look_up", "card")
    assert "7" in json.dumps(hand.shown["screen"]["cards"], ensure_ascii=False)


def test_a_person_without_the_right_is_told_which_one_is_missing(database: Database) -> None:
    park = a_person(a_park(database), role=Role.PACKER)
    who = park.act(lambda call: call.who)
    outcome = shell.act(database, WallClock(), who, secrets.token_hex(16), "choose", "receive")
    assert outcome.status == 403
    assert outcome.content["error"]["facts"] == {"right": Right.RECEIVE}


@pytest.mark.parametrize("dialogue", DIALOGUES.values(), ids=lambda dialogue: dialogue.name)
def test_every_step_of_a_dialogue_can_be_reached_and_left(dialogue: Dialogue) -> None:
    first = next(iter(dialogue.steps))
    reached, open_steps = {first}, [first]
    while open_steps:
        onward = dialogue.steps[open_steps.pop()].leads_to - reached - {None}
        reached |= {step for step in onward if step is not None}
        open_steps += [step for step in onward if step is not None]
    assert reached == set(dialogue.steps)
    assert any(None in step.leads_to for step in dialogue.steps.values())
    assert set(catalogue()[dialogue.title]) == set(LANGUAGES)
    assert dialogue.right in set(Right)


def _on_hand(hand: Hand, place_id: int) -> int:
    rows = hand.park.read(lambda session: queries.in_container(session, hand.park.warehouse_id, place_id))
    return sum(row.on_hand for row in rows)
