"""Who calls: signatures, clocks, nonces, pairing, and what is no call at all."""

from __future__ import annotations

import secrets
import time
from typing import Any

import pytest
from sqlalchemy import update

from tests.exchange.link import NAMES, Link, example
from wms.core.clock import HandClock
from wms.core.refusal import Reason, Refused
from wms.exchange.gateways import service
from wms.exchange.gateways.signing import CLOCK_OFF_S_MAX, Nonces, Signed, check, signature
from wms.sorting.tables import Gateway


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
