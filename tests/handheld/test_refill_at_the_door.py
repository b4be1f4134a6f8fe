"""A refill over the PDA's own calls: scans sent twice, kept without network, and a server that dies on the way."""

from __future__ import annotations

import secrets

from tests.handheld.test_shell import Hand, hand, log_in
from tests.inbound.dock import broken_promises
from tests.slotting.faces import FACE, RESERVE, Faced, a_face, carried, held, on_hand, planned, refills
from wms.app import make_house
from wms.core import codes
from wms.core.clock import WallClock
from wms.core.codes import Kind
from wms.settings import Settings

__all__ = ["hand"]


def slot(code: str) -> str:
    return codes.make(Kind.SLOT, code)


def at_the_face(hand: Hand) -> Faced:
    """Somebody has got the walk and taken three cases."""
    face = a_face(hand.park)
    planned(hand.park)
    log_in(hand)
    hand.act("get_work")
    assert hand.at == ("replenish", "scan_source")
    hand.scan(slot(RESERVE))
    hand.scan(face.case)
    hand.act("quantity", "3")
    assert hand.at == ("replenish", "scan_target")
    return face


def test_every_scan_sent_twice_is_answered_alike_and_books_once(hand: Hand) -> None:
    face = a_face(hand.park)
    planned(hand.park)
    log_in(hand)
    hand.act("get_work")
    for code in (slot(RESERVE), face.case):
        scan_id = secrets.token_hex(16)
        assert hand.scan(code, scan_id)["message"] == hand.scan(code, scan_id)["message"]
    hand.act("quantity", "3")
    scan_id = secrets.token_hex(16)
    first = hand.scan(slot(FACE), scan_id)["message"]
    assert first["level"] == "done"
    assert hand.scan(slot(FACE), scan_id)["message"] == first
    assert (on_hand(hand.park, FACE), carried(hand.park)) == (39, [36])
    assert broken_promises(hand.park) == []


def test_a_server_that_dies_on_the_way_loses_nothing_and_the_walk_goes_on_where_it_stood(hand: Hand) -> None:
    at_the_face(hand)
    house = make_house(hand.park.database, WallClock(), Settings())
    again = Hand(hand.park, house.app.test_client(), {})
    log_in(again)
    assert again.at == ("replenish", "scan_target")
    assert held(hand.park) == 36
    again.scan(slot(FACE))
    assert again.at == ("menu", "menu")
    assert (on_hand(hand.park, FACE), on_hand(hand.park, RESERVE)) == (39, 64)
    assert broken_promises(hand.park) == []


def kept(hand: Hand, code: str, work: dict[str, object], scan_id: str = "") -> str:
    """A scan made without network, sent now; the code of what was said to it."""
    body = {"id": scan_id or secrets.token_hex(16), "code": code, "kept": True, "work": work}
    assert hand.post("scan", body) == 200
    return str(hand.message.get("code", ""))


def test_a_scan_kept_without_network_books_once_where_it_was_made(hand: Hand) -> None:
    at_the_face(hand)
    work, scan_id = dict(hand.shown["work"]), secrets.token_hex(16)
    assert kept(hand, slot(FACE), work, scan_id) == ""
    assert kept(hand, slot(FACE), work, scan_id) == ""
    assert (on_hand(hand.park, FACE), carried(hand.park)) == (39, [36])


def test_a_scan_kept_for_a_walk_that_went_on_is_a_conflict_and_books_nothing(hand: Hand) -> None:
    at_the_face(hand)
    work = dict(hand.shown["work"])
    hand.act("leave")
    assert kept(hand, slot(FACE), work) == "changed_meanwhile"
    assert (on_hand(hand.park, RESERVE), carried(hand.park), held(hand.park)) == (100, [], 0)
    assert [row.state for row in refills(hand.park)] == ["open"]
    assert broken_promises(hand.park) == []
