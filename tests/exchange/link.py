"""A gateway's end of the link, over the real application."""

from __future__ import annotations

import json
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from apiflask import APIFlask
from sqlalchemy import select

from tests.builders import Park
from tests.shipping.dock import Dock
from wms.core.refusal import Reason, Refused
from wms.core.tables import AuditRow
from wms.core.web import Edge, make_flask
from wms.exchange.gateways import api, service
from wms.exchange.gateways.signing import Signed, signature
from wms.sorting.tables import SortRule

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


def notes(park: Park, what: str) -> list[dict[str, Any]]:
    query = select(AuditRow.facts).where(AuditRow.what == what).order_by(AuditRow.id)
    return [dict(facts) for facts in park.read(lambda session: session.scalars(query).all())]


def all_of(park: Park, record: type[Any]) -> list[Any]:
    return list(park.read(lambda session: session.scalars(select(record).order_by(record.id)).all()))


def chutes_of_hangzhou(dock: Dock) -> str:
    """Where the running plan sends 韵达's parcels for 杭州."""
    query = select(SortRule.chutes).where(SortRule.courier == "YD", SortRule.hub == "杭州")
    return dock.park.read(lambda session: session.scalars(query).one())
