"""Each event once and in order, and the contract's own events word for word."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from tests.builders import at_once
from tests.exchange.link import NAMES, Link, all_of, chutes_of_hangzhou, example, notes
from tests.shipping.dock import Dock, labelled, parcel
from wms.core.clock import WallClock
from wms.core.refusal import Reason, Refused
from wms.exchange.gateways import events, service
from wms.handheld import shell
from wms.people import gate
from wms.people import service as people
from wms.people.values import DeviceKind, Role
from wms.site import queries as site
from wms.site.tables import Station
from wms.sorting.tables import DivertRow, Gateway, GatewayDevice


def test_events_are_booked_once_and_in_order(link: Link) -> None:
    park = link.park
    two = [link.event("line", {"state": "RUN"}), link.event("line", {"state": "STOP"})]
    assert link.push(two) == 200
    assert link.mark == 2
    assert link.push([*two, link.event("line", {"state": "ESTOP"})]) == 200
    assert link.mark == 3
    assert [note["state"] for note in notes(park, "line.state")] == ["RUN", "STOP", "ESTOP"]
    assert link.push([]) == 200
    assert link.mark == 3


def test_a_gap_is_refused_and_named(link: Link) -> None:
    link.tell(("line", {"state": "RUN"}))
    link.seq = 59
    assert link.tell(("line", {"state": "STOP"})) == 409
    assert link.answered["error"]["facts"] == example("events_gap")["response"]["body"]["error"]["facts"] | {
        "expected": 2
    }
    assert link.push([]) == 200
    assert link.mark == 1


def test_one_push_that_arrives_twice_at_once_is_booked_once(link: Link) -> None:
    """The gateway gave up waiting and sent again while the first call was still under way."""
    many = [link.event("line", {"state": f"S{number}"}) for number in range(30)]
    at_once([lambda: link.push(many) for _ in range(3)])
    assert [note["state"] for note in notes(link.park, "line.state")] == [f"S{number}" for number in range(30)]
    assert link.push([]) == 200
    assert link.mark == 30


def test_a_gateway_paired_anew_goes_on_at_its_mark(quick: Link) -> None:
    quick.tell(("line", {"state": "RUN"}))
    code = quick.park.act(lambda call: service.invite(call, station_code="LINE-1", name="gw-LINE-1"))
    assert quick.call("POST", "pair", {"code": code, "name": "x", "devices": []}) == 200
    assert quick.answered["gateway"] == quick.id
    quick.key = quick.answered["key"]
    assert quick.push([]) == 200
    assert quick.mark == 1


POISON: list[tuple[str, Any]] = [
    ("cfm", {"pid": "x", "result": "OK"}),
    ("cfm", {"pid": 10**40, "codes": [], "chute": 1, "result": "OK"}),
    ("cfm", {"pid": 5, "codes": 7, "chute": 1, "result": "OK"}),
    ("cfm", {"pid": 5, "codes": ["a\x00b"], "chute": 1, "result": "O\x00K"}),
    ("cfm", []),
    ("divert", {"pid": 1, "chute": None}),
    ("divert", {"pid": 6, "chute": 10**30, "codes": []}),
    ("chute", {"chute": 99, "state": "OPEN", "count": 0}),
    ("chute", {"chute": 1, "state": "ON FIRE"}),
    ("line", {}),
    ("double", {}),
    ("print", {"job": "waybill:1", "state": "sent"}),
    ("print", {"job": 4711, "state": "sent"}),
    ("command", {"id": "x", "result": "taken"}),
    ("weight", {"weight_g": -1}),
    ("weight", {"weight_g": 10**12}),
    ("measure", {"codes": 7, "weight_g": 5}),
    ("measure", {"codes": [], "weight_g": -5}),
    ("unreadable", {"register": None}),
    ("press", {"button": 0}),
    ("press", {"button": "1"}),
    ("scan", {}),
    ("device", {"state": "on fire"}),
    ("line", {"state": {"a": 1}}),
    ("tea_break", {"minutes": 5}),
    ("", None),
]


def test_an_event_nobody_can_book_is_set_aside_and_stops_nothing(link: Link) -> None:
    link.tell(*POISON, ("line", {"state": "RUN"}))
    assert link.mark == len(POISON) + 1
    aside = notes(link.park, "gateway.event_set_aside")
    booked_after_all = {"tea_break", "line"}
    assert len(aside) >= len([kind for kind, _ in POISON if kind not in booked_after_all]) - 2
    assert all(note["why"] and note["event"] for note in aside)
    assert notes(link.park, "line.state")[-1]["state"] == "RUN"
    assert notes(link.park, "gateway.event_unknown")


def test_busy_is_no_reason_to_set_an_event_aside(quick: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_: Any) -> None:
        raise Refused(Reason.BUSY)

    monkeypatch.setitem(events._BOOKED, "line", busy)
    assert quick.tell(("line", {"state": "RUN"})) == 503
    monkeypatch.undo()
    quick.seq = 0
    assert quick.tell(("line", {"state": "RUN"})) == 200
    assert len(notes(quick.park, "line.state")) == 1


def test_the_line_confirms_and_the_parcel_hangs_in_its_bag(link: Link, dock: Dock) -> None:
    made = labelled(dock)
    chute = int(chutes_of_hangzhou(dock).split("/")[0])
    told = {"pid": 7, "codes": [made.waybill], "chute": chute}
    link.tell(("divert", {**told, "lap": 0, "reason": "ROUTE", "version": 3, "latency_us": 640}))
    link.tell(("cfm", {**told, "result": "OK", "carrier": 12}), ("double", {"pid": 7, "first": {}, "second": {}}))
    assert parcel(dock, made.parcel_id).state == "bagged"
    (row,) = all_of(dock.park, DivertRow)
    assert (row.gateway_id, row.told_chute, row.chute, row.latency_us) == (link.id, chute, chute, 640)
    assert notes(dock.park, "line.double") == [{"gateway": "gw-LINE-1", "pid": 7}]


def test_chutes_devices_and_weights_are_kept(quick: Link) -> None:
    park = quick.park
    quick.tell(("chute", {"chute": 3, "state": "FULL", "count": 60}))
    quick.tell(("device", {"state": "down", "reason": "no cable", "since_ms": 1}), device="printer1")
    quick.tell(("weight", {"weight_g": 1_235, "stable": True}))
    chutes = park.read(lambda session: site.chutes(session, park.warehouse_id))
    assert {(one.number, one.state, one.parcels) for one in chutes if one.number == 3} == {(3, "FULL", 60)}
    states = {device.name: (device.state, device.reason) for device in all_of(park, GatewayDevice)}
    assert states == {"line1": ("connecting", ""), "printer1": ("down", "no cable")}
    station = park.read(lambda session: session.scalars(select(Station).where(Station.code == "LINE-1")).one())
    assert station.weight_g == 1_235


def test_health_is_kept_as_it_was_told_last(quick: Link) -> None:
    told = example("health")["request"]["body"]
    assert quick.call("POST", "health", told) == 200
    assert quick.answered == example("health")["response"]["body"]
    found = {device.name: device for device in all_of(quick.park, GatewayDevice)}
    assert (found["printer1"].state, found["printer1"].reason) == ("degraded", "paper_low")
    assert found["scale1"].counters == {"readings": 4711}


def test_the_contracts_events_are_taken(link: Link) -> None:
    """The example's own events, from the number they have there."""
    told = example("events")
    at = told["request"]["body"]["first"]
    link.park.act(lambda call: call.session.execute(update(Gateway).values(high_water=at - 1)))
    assert link.call("POST", "events", told["request"]["body"]) == told["response"]["status"]
    assert link.answered == told["response"]["body"]
    for name in ("events_repeated", "events_mark"):
        assert link.call("POST", "events", example(name)["request"]["body"]) == 200
        assert link.answered == example(name)["response"]["body"]
    gap = example("events_gap")
    assert link.call("POST", "events", gap["request"]["body"]) == gap["response"]["status"]
    expected = gap["response"]["body"]["error"]
    assert (link.reason, link.answered["error"]["facts"]) == (expected["reason"], expected["facts"])
    states = {device.name: device.state for device in all_of(link.park, GatewayDevice)}
    assert states["scale1"] == "down"
    assert {row.finding for row in all_of(link.park, DivertRow)} == {"UNKNOWN", "LOST"}


def test_the_contracts_measures_and_unreadable_entries_are_kept(quick: Link) -> None:
    told = example("events_machines")
    at = told["request"]["body"]["first"]
    quick.park.act(lambda call: call.session.execute(update(Gateway).values(high_water=at - 1)))
    assert quick.call("POST", "events", told["request"]["body"]) == told["response"]["status"]
    assert quick.answered == told["response"]["body"]
    first, second = notes(quick.park, "parcel.measured")
    sizes = {"length_mm": 300, "width_mm": 200, "height_mm": 150}
    assert first == {"gateway": "gw-LINE-1", "codes": ["SF1234567890123"], "weight_g": 1_235, **sizes}
    assert second == {"gateway": "gw-LINE-1", "codes": [], "weight_g": None, **sizes, "fault": "overload"}
    assert notes(quick.park, "line.unreadable") == [{"gateway": "gw-LINE-1", "device": "line2", "register": 748}]
    assert notes(quick.park, "gateway.event_unknown") == notes(quick.park, "gateway.event_set_aside") == []


def test_the_contracts_light_commands_are_ours(quick: Link) -> None:
    """Offered until they are told as taken."""
    wall = {"name": "wall1", "driver": "light_modbus", "state": "ready", "reason": "", "counters": {}}
    assert quick.call("POST", "health", {"devices": [wall]}) == 200
    station = quick.park.read(lambda session: session.scalars(select(Station.id).where(Station.code == "LINE-1")).one())
    told = example("commands_lights")["response"]["body"]["commands"]
    for command in told:
        order = partial(service.order_lights, station_id=station, facts=command["facts"])
        assert quick.park.act(order) == 1
    assert quick.call("GET", "commands") == 200
    offered = quick.answered["commands"]
    assert [{**command, "id": ""} for command in offered] == [{**command, "id": ""} for command in told]
    quick.tell(("command", {"id": offered[0]["id"], "result": "taken"}), device="wall1")
    assert quick.call("GET", "commands") == 200
    assert quick.answered["commands"] == offered[1:]


@pytest.mark.parametrize("name", ["pair", "pair_code_wrong"])
def test_the_contracts_pairing(quick: Link, name: str) -> None:
    told = example(name)
    asked = dict(told["request"]["body"])
    if name == "pair":
        asked["code"] = quick.park.act(lambda call: service.invite(call, station_code="PK-01", name="packing-1"))
    assert quick.call("POST", "pair", asked) == told["response"]["status"]
    assert set(quick.answered) == set(told["response"]["body"])
    if name == "pair":
        assert len(quick.answered["key"]) == 64
        assert quick.answered["station"] == "PK-01"


def test_every_example_is_read_here() -> None:
    source = "".join(path.read_text("utf-8") for path in Path(__file__).parent.glob("test_gateway_*.py"))
    asked = [name for name in NAMES if f'"{name}"' not in source]
    signed_only = {"ask", "clock_wrong", "commands", "events_gap", "routes_changes", "routes_nothing"}
    assert set(asked) <= signed_only, "their signatures are read above, their answers by the tests of each call"


def test_a_scan_refused_at_a_station_is_shown_to_who_works_there(link: Link) -> None:
    park = link.park
    person = park.act(lambda call: people.add_person(call, badge="W7", name="曹燕", role=Role.SUPERVISOR, pin="246810"))
    park.act(lambda call: people.enrol_device(call, code="PDA-7", kind=DeviceKind.HANDHELD, name="手持 7"))
    station = park.read(lambda session: session.scalars(select(Station.id).where(Station.code == "LINE-1")).one())
    clock, home = WallClock(), park.warehouse_id
    gate.log_in(
        park.database, clock, warehouse_id=home, device_code="PDA-7", badge="W7", pin="246810", station_id=station
    )
    before = park.read(lambda session: shell.standing(session, person))
    assert link.tell(("scan", {"scan_id": "1", "code": "NOBODY-KNOWS-THIS"})) == 200
    after = park.read(lambda session: shell.standing(session, person))
    assert after.version > before.version
    assert after.message is not None
    assert after.message["code"] == "barcode_unknown"
