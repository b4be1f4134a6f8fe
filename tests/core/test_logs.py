"""The log is for people who mend things: one line an event, and nothing of what people told us."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import structlog
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from wms.core import logs
from wms.core.db import Database


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    yield
    structlog.reset_defaults()


def test_an_error_is_one_line_with_its_place_and_without_values(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    phone = "13800138000"
    try:
        raise OSError("the scale is off")
    except OSError as error:
        structlog.get_logger("test").error("request.failed", path="/api/v1/orders", exc_info=error)
    said = capsys.readouterr()
    (line,) = said.err.splitlines()
    event = json.loads(line)
    assert (event["event"], event["level"], event["path"]) == ("request.failed", "error", "/api/v1/orders")
    assert event["exception"][0]["exc_value"] == "the scale is off"
    assert event["exception"][0]["frames"][0]["name"].startswith("test_an_error")
    assert phone not in line
    assert said.out == ""


def test_what_a_terminal_would_obey_is_written_as_letters(capsys: pytest.CaptureFixture[str]) -> None:
    logs.set_up()
    odd = "a\r\nb\x1b[2J\x9b1m\x7f\u2028\u202e储\ud800"
    structlog.get_logger("test").warning("odd", said=odd)
    (line,) = capsys.readouterr().err.split("\n")[:-1]
    assert all(sign.isprintable() for sign in line)
    assert "储" in line
    assert json.loads(line)["said"] == odd


def test_a_database_error_does_not_repeat_what_was_to_be_stored(sqlite_database: Database) -> None:
    with pytest.raises(DBAPIError) as found:
        sqlite_database.transact(lambda session: session.execute(text("INSERT INTO x VALUES (:a)"), {"a": "王敏"}))
    assert "王敏" not in str(found.value)
