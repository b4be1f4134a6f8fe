"""The gateways' doors: who calls, each event once, what is fetched, and the written examples of the contract."""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy import select, update

from tests.builders import Park, a_park, at_once
from tests.shipping.dock import Dock, a_dock, labelled, order_of, parcel, stop
from wms.core.clock import HandClock
from wms.core.db import Database
from wms.core.perform import system_call
from wms.core.refusal import Reason, Refused
from wms.core.tables import AuditRow
from wms.core.web import Edge, make_flask
from wms.exchange.gateways import api, service
from wms.exchange.gateways.signing import CLOCK_OFF_S_MAX, Nonces, Signed, check, signature
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import PrintRequest
from wms.site import queries as site
from wms.site.tables import Station
from wms.sorting import service as sorting
from wms.sorting.tables import DivertRow, Gateway, GatewayCommand, GatewayDevice, SortRule

EXAMPLES = Path(__file__).resolve().parents[1] / "contract" / "gateway"
NAMES = sorted(path.stem for path in EXAMPLES.glob("*.json"))
DEVICES = [{"name": "line1", "driver": "sorter_wsp"}, {"name": "printer1", "driver": "printer_escpos"}]


def nobody(_key: str) -> Any:
    raise Refused(Reason.KEY_UNKNOWN)


def example(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EXAMPLES / f"{name}.json").read_text(encoding="utf-8"))
    return found


@dataclass
class Link:
    """A gateway's end of the link, over the real application."""

    park: Park
    app: APIFlask
    id: int = 0
    key: str = ""
    seq: int = 0
    off_s: int = 0
    answered: dict[str, Any] = field(default_factory=dict)

    def call(self, method: str, path: str, body: object = None, **headers: str) -> int:
        """The status; the answer is kept in `answered`."""
        raw = b"" if body is None else json.dumps(body).encode()
        target = f"/gateway/v1/{path}"
        signed = Signed(method, target, str(int(time.time()) + self.off_s), secrets.token_hex(16), raw, "")
        told = {
            "X-Gateway": str(self.id),
            "X-Time": signed.time_s,
            "X-Nonce": signed.nonce,
            "X-Signature": signature(self.key, signed) if self.key else "",
            **headers,
        }
        answer = self.app.test_client().open(target, method=method, data=raw, headers=told)
        assert answer.headers["X-Server-Time"].isdecimal()
        self.answered = answer.get_json()
        return answer.status_code

    def tell(self, *events: tuple[str, dict[str, Any]], device: str = "line1") -> int:
        """Push new events; the status."""
        numbered = [self.event(kind, facts, device) for kind, facts in events]
        return self.push(numbered)

    def event(self, kind: str, facts: Any, device: str = "line1") -> dict[str, Any]:
        self.seq += 1
        return {"seq": self.seq, "at_ms": 1, "device": device, "kind": kind, "facts": facts}

    def push(self, events: list[Any]) -> int:
        return self.call("POST", "events", {"boot": "5d0c91ae", "first": 0, "last": 0, "events": events})

    @property
    def reason(self) -> str:
        return str(self.answered["error"]["reason"])

    @property
    def mark(self) -> int:
        return int(self.answered["high_water"])


def a_link(park: Park, station: str = "LINE-1") -> Link:
    app = make_flask("test", Edge(park.database, park.clock, nobody))
    app.register_blueprint(api.gateways)
    link = Link(park, app)
    code = park.act(lambda call: service.invite(call, station_code=station, name=f"gw-{station}"))
    assert link.call("POST", "pair", {"code": f"{code[:4]}-{code[4:]}", "name": "x", "devices": DEVICES}) == 200
    link.id, link.key = link.answered["gateway"], link.answered["key"]
    return link


@pytest.fixture
def dock(database: Database) -> Dock:
    return a_dock(database)


@pytest.fixture
def link(dock: Dock) -> Link:
    dock.park.act(sorting.plan_chutes)
    return a_link(dock.park)


@pytest.fixture
def quick(sqlite_database: Database) -> Link:
    return a_link(a_park(sqlite_database))


def notes(park: Park, what: str) -> list[dict[str, Any]]:
    query = select(AuditRow.facts).where(AuditRow.what == what).order_by(AuditRow.id)
    return [dict(facts) for facts in park.read(lambda session: session.scalars(query).all())]


def all_of(park: Park, record: type[Any]) -> list[Any]:
    return list(park.read(lambda session: session.scalars(select(record).order_by(record.id)).all()))


# --- who calls --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [name for name in NAMES if "X-Signature" in example(name)["request"]["headers"]])
def test_the_contracts_signatures_are_ours(name: str) -> None:
    asked = example(name)["request"]
    headers = asked["headers"]
    signed = Signed(
        asked["method"], asked["path"], headers["X-Time"], headers["X-Nonce"], asked["body_bytes"].encode(), ""
    )
    assert signature(example(name)["key"], signed) == headers["X-Signature"]


@pytest.mark.parametrize("part", ["method", "path", "time_s", "nonce", "body", "signature"])
def test_a_call_changed_on_its_way_is_refused(part: str) -> None:
    key, now = secrets.token_hex(32), str(int(time.time()))
    honest = Signed("GET", "/gateway/v1/commands", now, secrets.token_hex(16), b"", "")
    parts = {name: getattr(honest, name) for name in Signed.__slots__} | {"signature": signature(key, honest)}
    check(Signed(**parts), 1, key, Nonces())
    parts[part] = parts[part] + (b"x" if part == "body" else "é")
    with pytest.raises(Refused) as no:
        check(Signed(**parts), 1, key, Nonces())
    assert no.value.reason is Reason.SIGNATURE_WRONG


def test_a_replayed_call_is_refused(quick: Link) -> None:
    nonce, now = secrets.token_hex(16), str(int(time.time()))
    signed = Signed("GET", "/gateway/v1/commands", now, nonce, b"", "")
    headers = {"X-Nonce": nonce, "X-Time": now, "X-Signature": signature(quick.key, signed)}
    assert quick.call("GET", "commands", None, **headers) == 200
    assert quick.call("GET", "commands", None, **headers) == 401
    assert quick.reason == "nonce_reused"


@pytest.mark.parametrize(
    ("off_s", "status"), [(0, 200), (-290, 200), (290, 200), (-CLOCK_OFF_S_MAX - 5, 401), (3_600, 401)]
)
def test_a_wrong_clock_is_told_the_time(quick: Link, off_s: int, status: int) -> None:
    quick.off_s = off_s
    assert quick.call("GET", "commands") == status
    if status != 200:
        assert quick.reason == "clock_wrong"
        assert abs(quick.answered["error"]["facts"]["server_time_s"] - time.time()) < 5


@pytest.mark.parametrize("who", ["", "0", "99", "-1", "1e3", "²", "9" * 40, "é", "1; DROP TABLE gateway"])
def test_strangers_are_told_nothing(quick: Link, who: str) -> None:
    assert quick.call("GET", "commands", None, **{"X-Gateway": who.encode().decode("latin-1")}) == 401
    assert quick.reason == "key_unknown"


@pytest.mark.parametrize(
    "headers", [{"X-Signature": "é" * 64}, {"X-Time": "²"}, {"X-Time": "soon"}, {"X-Nonce": "short"}]
)
def test_odd_headers_are_refused_and_never_our_mistake(quick: Link, headers: dict[str, str]) -> None:
    told = {name: value.encode().decode("latin-1") for name, value in headers.items()}
    assert quick.call("GET", "commands", None, **told) == 401


def test_a_pairing_code_works_once_and_not_for_long(quick: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    park = quick.park
    code = park.act(lambda call: service.invite(call, station_code="PK-01", name="gw-2"))
    asked = {"code": code, "name": "gw-2", "devices": []}
    assert quick.call("POST", "pair", asked) == 200
    assert quick.call("POST", "pair", asked) == 401
    assert quick.reason == "pairing_code_wrong"
    late = park.act(lambda call: service.invite(call, station_code="PK-01", name="gw-2"))
    moment = HandClock(service.WALL.now())
    moment.advance(minutes=service.PAIRING_MIN, seconds=1)
    monkeypatch.setattr(service, "WALL", moment)
    assert quick.call("POST", "pair", {**asked, "code": late}) == 401


def test_a_revoked_or_newly_paired_gateways_old_key_is_worth_nothing(quick: Link) -> None:
    park = quick.park
    park.act(lambda call: service.invite(call, station_code="LINE-1", name="gw-LINE-1"))
    assert quick.call("GET", "commands") == 200, "until the new code is used"
    park.act(lambda call: call.session.execute(update(Gateway).values(revoked_at=call.now)))
    assert quick.call("GET", "commands") == 401


@pytest.mark.parametrize("body", [b"", b"nonsense", b"[]", b'"x"', b"\xff\xfe"])
@pytest.mark.parametrize("path", ["pair", "events", "health", "ask"])
def test_bodies_that_are_none_are_bad_input(quick: Link, path: str, body: bytes) -> None:
    target = f"/gateway/v1/{path}"
    signed = Signed("POST", target, str(int(time.time())), secrets.token_hex(16), body, "")
    headers = {
        "X-Gateway": str(quick.id),
        "X-Time": signed.time_s,
        "X-Nonce": signed.nonce,
        "X-Signature": signature(quick.key, signed),
    }
    assert quick.app.test_client().post(target, data=body, headers=headers).status_code == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("pair", {"code": 7}),
        ("pair", {"code": "1", "devices": {}}),
        ("health", {"devices": [{}]}),
        ("health", {"devices": ["x"]}),
        ("health", {"devices": [{"name": "a", "state": "on fire"}]}),
        ("health", {"devices": 7}),
        ("ask", {"pid": 1, "codes": "x"}),
        ("events", {"events": "x"}),
        ("events", {"events": [7]}),
        ("events", {"events": [{"kind": "scan"}]}),
        ("events", {"events": [{"seq": 2.5}]}),
        ("events", {"events": [{"seq": 10**30}]}),
        ("events", {"events": [{}] * 201}),
    ],
)
def test_what_does_not_fit_the_contract_is_bad_input(quick: Link, path: str, body: dict[str, Any]) -> None:
    assert quick.call("POST", path, body) == 400
    assert quick.reason == "bad_input"


# --- events -----------------------------------------------------------------------------------------------------------


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
    events = [link.event("line", {"state": f"S{number}"}) for number in range(30)]
    at_once([lambda: link.push(events) for _ in range(3)])
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

    monkeypatch.setitem(service._BOOKED, "line", busy)
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


def chutes_of_hangzhou(dock: Dock) -> str:
    query = select(SortRule.chutes).where(SortRule.courier == "YD", SortRule.hub == "杭州")
    return dock.park.read(lambda session: session.scalars(query).one())


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


# --- what is fetched --------------------------------------------------------------------------------------------------


def a_job(park: Park, station: str, key: str = "waybill/1") -> int:
    station_id = park.read(lambda session: site.station_by_code(session, park.warehouse_id, station).id)
    request = PrintRequest(key, station_id, "express_waybill_100x180", "1", "100x180", "escpos", b"\x1b@HELLO")
    return park.act(lambda call: printing.queue(call, request))


def test_a_label_is_offered_until_it_is_claimed_and_followed_to_paper(quick: Link) -> None:
    job = a_job(quick.park, "LINE-1")
    for _ in range(2):
        quick.call("GET", "commands")
        (offered,) = quick.answered["commands"]
        assert offered["device"] == "printer1"
        assert offered["kind"] == "print"
        assert set(offered["facts"]) == set(example("commands")["response"]["body"]["commands"][0]["facts"])
    for state in ("claimed", "sending", "sent", "verified"):
        quick.tell(("print", {"job": offered["facts"]["job"], "state": state, "printer": "printer1"}))
        quick.call("GET", "commands")
        assert quick.answered == example("commands_none")["response"]["body"]
    assert quick.park.read(lambda session: session.get_one(PrintJob, job)).state == "verified"


def test_a_gateway_speaks_of_its_own_stations_jobs_only(quick: Link) -> None:
    job = a_job(quick.park, "PK-01")
    quick.call("GET", "commands")
    assert quick.answered["commands"] == []
    quick.tell(("print", {"job": job, "state": "verified"}))
    assert quick.park.read(lambda session: session.get_one(PrintJob, job)).state == "queued"
    assert len(notes(quick.park, "gateway.event_set_aside")) == 1


def test_a_chute_is_ordered_until_the_gateway_reports_it(quick: Link) -> None:
    quick.park.act(lambda call: service.order_chute(call, 3, "LOCK"))
    quick.call("GET", "commands")
    (order,) = quick.answered["commands"]
    assert (order["device"], order["kind"], order["facts"]) == ("line1", "chute", {"chute": 3, "command": "LOCK"})
    quick.tell(("command", {"id": order["id"], "result": "taken"}))
    quick.tell(("command", {"id": order["id"], "result": "refused"}))
    quick.call("GET", "commands")
    assert quick.answered["commands"] == []
    assert [row.result for row in all_of(quick.park, GatewayCommand)] == ["taken"]
    with pytest.raises(Refused):
        quick.park.act(lambda call: service.order_chute(call, 99, "LOCK"))


def test_routes_come_whole_first_and_then_as_changes(link: Link, dock: Dock) -> None:
    first, second = labelled(dock), labelled(dock)
    for one in (first, second):
        dock.park.act(partial(sorting.route_parcel, parcel_id=one.parcel_id))
    assert link.call("GET", "routes?since=0&wait_s=0") == 200
    whole = link.answered
    assert set(whole) == set(example("routes_full")["response"]["body"])
    assert (whole["full"], {one["code"] for one in whole["changes"]}) == (True, {first.waybill, second.waybill})
    stop(dock, order_of(dock, first.parcel_id))
    dock.park.act(lambda call: sorting.route_order(call, order_of(dock, first.parcel_id)))
    link.call("GET", f"routes?since={whole['version']}&wait_s=0")
    assert link.answered["full"] is False
    assert link.answered["changes"] == [{"code": first.waybill, "chute": "0", "reason": "HOLD"}]
    version = link.answered["version"]
    link.call("GET", f"routes?since={version}&wait_s=0")
    assert (link.answered["version"], link.answered["changes"]) == (version, [])
    link.call("GET", f"routes?since={version + 1_000}&wait_s=0")
    assert link.answered["full"] is True, "a gateway ahead of a restored server gets everything"


@pytest.mark.parametrize("query", ["since=x", "since=-1", "since=²", "since=1&wait_s=x", "since=1&wait_s=nan"])
def test_odd_queries_are_bad_input(quick: Link, query: str) -> None:
    target = f"/gateway/v1/routes?{query}"
    with quick.app.test_request_context(target):
        from flask import request

        seen = request.full_path
    signed = Signed("GET", seen, str(int(time.time())), secrets.token_hex(16), b"", "")
    headers = {
        "X-Gateway": str(quick.id),
        "X-Time": signed.time_s,
        "X-Nonce": signed.nonce,
        "X-Signature": signature(quick.key, signed),
    }
    assert quick.app.test_client().get(target, headers=headers).status_code == 400


def test_the_line_asks_about_a_code_it_does_not_know(link: Link, dock: Dock) -> None:
    made = labelled(dock)
    assert link.call("POST", "ask", {"pid": 1, "codes": [made.waybill, "6901234567892"]}) == 200
    assert link.answered == {"known": True, "code": made.waybill, "chute": chutes_of_hangzhou(dock)}
    link.call("POST", "ask", example("ask_unknown")["request"]["body"])
    assert link.answered == example("ask_unknown")["response"]["body"]


def woken_after(link: Link, path: str, work: Callable[[], object]) -> float:
    """Seconds from the work's commit to the long poll's answer."""
    answered = threading.Event()
    ended: list[float] = []

    def poll() -> None:
        link.call("GET", path)
        ended.append(time.monotonic())
        answered.set()

    thread = threading.Thread(target=poll)
    thread.start()
    time.sleep(0.3)
    work()
    done = time.monotonic()
    assert answered.wait(10)
    thread.join()
    return ended[0] - done


def test_a_long_poll_is_woken_by_a_commit(quick: Link) -> None:
    park = quick.park

    def order() -> None:
        system_call(
            park.database,
            park.clock,
            park.warehouse_id,
            lambda call: service.order_chute(call, 3, "LOCK"),
            request_id="lock",
        )

    quick.call("GET", "commands?wait_s=0")
    assert woken_after(quick, "commands?wait_s=20", order) < 2.0
    assert len(quick.answered["commands"]) == 1


def test_a_long_poll_ends_with_nothing_when_its_time_is_over(quick: Link) -> None:
    began = time.monotonic()
    assert quick.call("GET", "routes?since=0&wait_s=1") == 200
    assert time.monotonic() - began >= 1.0
    assert quick.answered["changes"] == []


# --- the contract's examples, word for word ---------------------------------------------------------------------------


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
    source = Path(__file__).read_text("utf-8")
    asked = [name for name in NAMES if f'"{name}"' not in source]
    signed_only = {"ask", "clock_wrong", "commands", "events_gap", "routes_changes", "routes_nothing"}
    assert set(asked) <= signed_only, "their signatures are read above, their answers by the tests of each call"
