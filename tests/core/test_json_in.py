"""JSON from strangers: what no database can hold, and what is nested without end, stops at the door."""

from __future__ import annotations

import json

import pytest

from wms.core.json_in import DEPTH_MAX, read_json, read_object
from wms.core.refusal import Reason, Refused


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": "x\\u0000y"}',
        b'{"a": {"\\u0000": 1}}',
        b'["\\ud800"]',
        b'[{"a": ["\\udfff"]}]',
        b'{"a": NaN}',
        b"[-Infinity]",
        b"[1e999]",
        b"[1E999]",
        b"[" + b"9" * 400 + b".0]",
        b'["\xed\xa0\x80"]',
        b'["\x00"]',
        '["\\u0000"]'.encode("utf-16"),
        '["\\ud800"]'.encode("utf-16-le"),
        b"[" + b"9" * 5_000 + b"]",
        nested(DEPTH_MAX),
        nested(60_000),
        b'{"a":' * 10_000,
        b"\xff\xfe\x00",
        b"{",
        b"",
    ],
    ids=lambda raw: raw[:20].decode("latin-1").encode("unicode_escape").decode(),
)
def test_what_cannot_be_kept_is_refused(raw: bytes) -> None:
    with pytest.raises(Refused) as no:
        read_object(raw)
    assert no.value.reason is Reason.BAD_INPUT


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"a": [1, 2.5, None, True, "储 👍 \u202e\x1b"]},
        {"\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"): 1},
    ],
)
def test_everything_else_comes_through(found: object) -> None:
    assert read_object(json.dumps(found).encode()) == found


def test_as_deep_as_allowed() -> None:
    read_json(nested(DEPTH_MAX - 1))


def test_parts_that_are_judged_one_by_one_may_be_odd() -> None:
    assert read_object(b'{"a": "\\u0000"}', storable=False) == {"a": "\x00"}
    with pytest.raises(Refused):
        read_object(nested(60_000), storable=False)
