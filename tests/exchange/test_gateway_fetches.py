"""What a gateway fetches: print jobs, chute commands, routes, answers about unknown codes; long polls."""

from __future__ import annotations

import secrets
import threading
import time
from functools import partial

import pytest

from tests.builders import Park
from tests.exchange.link import Link, all_of, chutes_of_hangzhou, example, notes
from tests.shipping.dock import Dock, labelled, order_of, stop
from wms.core.perform import system_call
from wms.core.refusal import Refused
from wms.core.wakes import Wakes
from wms.exchange.gateways import api, service
from wms.exchange.gateways.signing import Signed, signature
from wms.printing import service as printing
from wms.printing.tables import PrintJob
from wms.printing.values import PrintRequest
from wms.site import queries as site
from wms.sorting import service as sorting
from wms.sorting.tables import GatewayCommand

WAIT_S = 60.0


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


def test_a_long_poll_is_woken_by_a_commit(quick: Link, monkeypatch: pytest.MonkeyPatch) -> None:
    """It looks again at the end of its time too, so what counts is what ended its sleep."""
    asleep = threading.Event()
    woken: list[bool] = []
    wait = Wakes.wait

    def watched(wakes: Wakes, name: str, seen: int, timeout_s: float) -> bool:
        asleep.set()
        woken.append(wait(wakes, name, seen, timeout_s))
        return woken[-1]

    monkeypatch.setattr(Wakes, "wait", watched)
    monkeypatch.setattr(api, "LOOK_AGAIN_S", WAIT_S)
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
    thread = threading.Thread(target=quick.call, args=("GET", "commands?wait_s=20"))
    thread.start()
    assert asleep.wait(WAIT_S)
    order()
    thread.join(WAIT_S)
    assert woken == [True]
    assert len(quick.answered["commands"]) == 1


def test_a_long_poll_ends_with_nothing_when_its_time_is_over(quick: Link) -> None:
    began = time.monotonic()
    assert quick.call("GET", "routes?since=0&wait_s=1") == 200
    assert time.monotonic() - began >= 1.0
    assert quick.answered["changes"] == []
