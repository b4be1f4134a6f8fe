"""Every place where a text enters the house, found and not listed: so a new field is swept by itself.

REST: every text of every body, path and the request id, from the OpenAPI document. Files: every column of every kind of
import, through a real CSV file. Doors without a document (PDA, terminal, gateways' link): the fields are learnt by
listening to what each route asks its body and its address for. Scans: codes and typed values of a PDA.
"""

from __future__ import annotations

import csv
import inspect
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote

from flask import Request
from flask.testing import FlaskClient
from werkzeug.datastructures import ImmutableMultiDict

from tests.proofs.fuzz.bodies import lawful, text_places, with_text
from tests.proofs.fuzz.park import BADGE, DEVICE, KNOWN, LOGIN, PASSWORD, PIN, Fuzzed, as_path
from tests.proofs.sabotage import replaced
from wms.exchange import files
from wms.exchange.gateways import api as gateway_doors
from wms.exchange.tables_in_files import BadFile, read_rows
from wms.handheld import pages as pda_doors
from wms.terminal.pages import who as terminal_doors
from wms.terminal.service import deeds

ROUNDS_MAX = 6
FILE_KNOWN = {
    **KNOWN, "name": "x", "quantity": "1", "cut_offs": "16:00", "route_code": "1", "hub": "杭州", "first": "1",
    "last": "9",
}  # fmt: skip


@dataclass(frozen=True)
class Answer:
    """What came back: status (0 for a file), type and text."""

    status: int
    kind: str
    text: str


@dataclass(frozen=True)
class Entrance:
    """A place for a text: what it is called, and how a text is put there."""

    name: str
    put: Callable[[str], Answer]


_turns = count(1)


def every_entrance(fuzzed: Fuzzed, hands: Hands, folder: Path) -> list[Entrance]:
    """All of them."""
    return [*_of_rest(fuzzed), *_of_files(fuzzed, folder), *_of_doors(fuzzed, hands)]


def _answered(answer: Any) -> Answer:
    return Answer(answer.status_code, answer.content_type or "", answer.get_data(as_text=True))


def _of_rest(fuzzed: Fuzzed) -> Iterator[Entrance]:
    spec, client = fuzzed.spec, fuzzed.house.app.test_client()

    def ask(method: str, path: str, body: Any, **headers: str) -> Answer:
        told = {"Authorization": f"Bearer {fuzzed.key}", "Idempotency-Key": f"hostile-{next(_turns)}", **headers}
        return _answered(client.open(path, method=method.upper(), json=body, headers=told))

    for path, method, call in fuzzed.operations():
        named = [one["name"] for one in call.get("parameters", []) if one["in"] == "path"]
        known = {name: KNOWN.get(name, 1) for name in named}
        schema = call.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
        body = lawful(spec, schema) if schema else None

        def in_path(name: str, text: str, at: Any = (method, path, body, known)) -> Answer:
            return ask(at[0], at[1].format(**{**at[3], name: _quoted(text)}), at[2])

        def in_body(place: tuple[str, ...], text: str, at: Any = (method, path, body, known)) -> Answer:
            return ask(at[0], at[1].format(**at[3]), _fresh(with_text(at[2], place, text), place))

        for name in named:
            yield Entrance(f"{method} {path} {{{name}}}", partial(in_path, name))
        for place in text_places(spec, schema) if schema else ():
            yield Entrance(f"{method} {path} {'.'.join(place)}", partial(in_body, place))
    yield Entrance(
        "the request id", lambda text: ask("post", "/api/v1/waves", None, **{"Idempotency-Key": _header(text)})
    )


def _header(text: str) -> str:
    """As much of it as a header can carry."""
    return "".join(sign for sign in text if sign not in "\r\n" and ord(sign) < 256)


def _fresh(body: Any, place: tuple[str, ...]) -> Any:
    """With a new number or code, so that what is made is not there already."""
    for name in ("no", "code"):
        if name in body and place != (name,):
            body[name] = f"H{next(_turns)}"
    for barcode in body.get("barcodes", []) if place[0] != "barcodes" else []:
        barcode["code"] = f"H{next(_turns)}"
    return body


def _quoted(text: str) -> str:
    return quote(text.encode("utf-8", "surrogatepass"), safe="") or "%20"


def _of_files(fuzzed: Fuzzed, folder: Path) -> Iterator[Entrance]:
    for kind, what in files.KINDS.items():
        columns = (*what.needed, *what.known)
        for column in columns:
            put = partial(_import, fuzzed, folder / f"{kind}.csv", kind, columns, column)
            yield Entrance(f"import {kind} {column}", put)


def _import(fuzzed: Fuzzed, path: Path, kind: str, columns: tuple[str, ...], column: str, text: str) -> Answer:
    """One row through a real file. A refusal of the file or the row is an answer too."""
    cells = {name: FILE_KNOWN.get(name, "") for name in columns}
    cells |= {name: f"H{next(_turns)}" for name in ("no", "code") if name in cells}
    with path.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
        writer = csv.DictWriter(file, columns)
        writer.writeheader()
        writer.writerow({**cells, column: text})
    try:
        rows = read_rows(path)
        fuzzed.park.act(lambda call: files.import_rows(call, kind, rows))
    except (BadFile, files.BadRows) as no:
        return Answer(0, "text/plain", str(no))
    return Answer(0, "text/plain", "")


class Listening(dict[str, Any]):
    """A body that remembers what it was asked for."""

    heard: set[str]

    def get(self, name: str, default: Any = None) -> Any:
        self.heard.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> Any:
        self.heard.add(name)
        return super().__getitem__(name)


def _of_doors(fuzzed: Fuzzed, hands: Hands) -> Iterator[Entrance]:
    described = {path for path, _method, _call in fuzzed.operations()}
    for rule in fuzzed.house.app.url_map.iter_rules():
        if as_path(rule.rule) in described or "<" in rule.rule.replace("<any", "").replace("<path", "<"):
            continue
        for method in sorted((rule.methods or set()) & {"GET", "POST"}):
            for where, name in sorted(hands.fields(method, rule.rule)):
                put = partial(hands.put, method, rule.rule, where, name)
                yield Entrance(f"{method} {rule.rule} {where}:{name}", put)
    yield from _of_deeds(hands)


def _of_deeds(hands: Hands) -> Iterator[Entrance]:
    """Every button of the terminal with every word its own code asks for."""
    for name, deed in deeds.DEEDS.items():
        asked = sorted(set(re.findall(r'args(?:\.get\(|\[|, )"(\w+)"', inspect.getsource(deed.do))))
        for word in asked:
            yield Entrance(f"deed {name} {word}", partial(hands.press_with, name, tuple(asked), word))


class Hands:
    """Somebody logged in at the PDA and at the terminal, and a paired gateway: so that doors ask for what they need."""

    def __init__(self, fuzzed: Fuzzed) -> None:
        self._client: FlaskClient = fuzzed.house.app.test_client()
        self._street: FlaskClient = fuzzed.house.app.test_client()
        self._csrf = self._csrf_pda = ""
        self.log_in()

    def log_in(self) -> None:
        answer = self._client.post("/pda/login", json={"device": DEVICE, "badge": BADGE, "pin": PIN})
        assert answer.status_code == 200, answer.get_data(as_text=True)
        cookie = self._client.get_cookie("csrf", path="/pda")
        self._csrf_pda = cookie.value if cookie else ""
        self._client.post("/terminal/login", json={"warehouse": "1", "login": LOGIN, "password": PASSWORD})
        page = self._client.get("/terminal/").get_data(as_text=True)
        self._csrf = page.partition('name="csrf" content="')[2].partition('"')[0]

    def fields(self, method: str, rule: str) -> set[tuple[str, str]]:
        """What the route asks its body and its address for, found by answering ever more of it."""
        known: dict[str, Any] = {}
        heard: set[tuple[str, str]] = set()
        for _ in range(ROUNDS_MAX):
            before = len(heard)
            heard |= self._listen(method, rule, known)
            known = {name: self._usual(name) for where, name in heard if where == "body"}
            if len(heard) == before:
                break
        return heard

    def _listen(self, method: str, rule: str, known: dict[str, Any]) -> set[tuple[str, str]]:
        asked, args = set[str](), set[str]()

        def read_object(raw: bytes, **_options: Any) -> Listening:
            body = Listening(json.loads(raw or b"{}"))
            body.heard = asked
            return body

        class Args(ImmutableMultiDict[str, str]):
            def get(self, key: str, *more: Any, **options: Any) -> Any:
                args.add(key)
                return super().get(key, *more, **options)

        with (
            replaced(pda_doors, read_object=read_object),
            replaced(terminal_doors, read_object=read_object),
            replaced(gateway_doors, read_object=read_object),
            replaced(Request, parameter_storage_class=Args),
        ):
            self._open(method, rule, known, "")
        return {("body", name) for name in asked} | {("args", name) for name in args}

    def put(self, method: str, rule: str, where: str, name: str, text: str) -> Answer:
        known = {field: self._usual(field) for at, field in self.fields_kept(method, rule) if at == "body"}
        if where == "args":
            return self._open(method, rule, known, f"{name}={_quoted(text)}")
        return self._open(method, rule, {**known, name: text}, "")

    def fields_kept(self, method: str, rule: str) -> set[tuple[str, str]]:
        kept = self.__dict__.setdefault("_kept", {})
        if (method, rule) not in kept:
            kept[method, rule] = self.fields(method, rule)
        found: set[tuple[str, str]] = kept[method, rule]
        return found

    def page(self, path: str) -> Answer:
        """A page of the terminal."""
        return _answered(self._client.get(f"/terminal/{path}"))

    def press_with(self, deed: str, asked: tuple[str, ...], word: str, text: str) -> Answer:
        """Press a button with one hostile word."""
        args = {**dict.fromkeys(asked, "1"), word: text}
        body = {"id": f"deed-{next(_turns)}", "deed": deed, "args": args}
        return self._open("POST", "/terminal/do", body, "")

    def _usual(self, name: str) -> Any:
        number = f"{next(_turns):032x}"
        usual = {"id": number, "device": "none", "badge": BADGE, "pin": PIN, "warehouse": "1", "login": "nobody"}
        usual |= {"password": PASSWORD, "code": "S1", "action": "menu", "deed": "call_over"}
        usual |= {
            "password": PASSWORD,
            "code": "S1",
            "action": "menu",
            "deed": "call_over",
            "language": "zh",
            "theme": "light",
        }
        return usual.get(name, "")

    def _open(self, method: str, rule: str, body: dict[str, Any], query: str) -> Answer:
        if rule.startswith(("/pda/logout", "/terminal/logout")):
            return Answer(200, "", "")
        path = rule.split("<")[0] + ("look" if "<any" in rule else "")
        csrf = self._csrf_pda if rule.startswith("/pda") else self._csrf
        raw = json_text(body) if method == "POST" else None
        headers = {"X-CSRF": csrf, "Content-Type": "application/json"}
        if rule == "/terminal/live":
            return Answer(200, "", "")  # a stream without end; its panels are those of the pages
        # Who logs in at a door again would end the session that the other doors are asked in.
        client = self._street if rule.endswith("/login") else self._client
        answer = client.open(f"{path}?{query}", method=method, data=raw, headers=headers)
        found = _answered(answer)
        answer.close()
        return found


def json_text(body: dict[str, Any]) -> bytes:
    """As a stranger's program writes it: half characters as escapes."""
    return json.dumps(body, ensure_ascii=True).encode()
