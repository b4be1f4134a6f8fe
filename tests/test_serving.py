"""`wms serve` in a process of its own: says what it stands on, answers, and stops when asked."""

from __future__ import annotations

import re
import shutil
import signal
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.builders import Park, a_park, a_sku, acting, stock_in
from wms.cli import main
from wms.core.clock import HandClock
from wms.core.db import Database

WAIT_S = 180
ADDRESS = re.compile(r"at (https?://127\.0\.0\.1:\d+)/")


@dataclass
class Served:
    """A running server, and what it has said on stderr."""

    process: subprocess.Popen[str]
    said: list[str] = field(default_factory=list)
    listening: threading.Event = field(default_factory=threading.Event)

    def listen(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append(line.rstrip())
            if ADDRESS.search(line):
                self.listening.set()
        self.listening.set()

    @property
    def url(self) -> str:
        found = ADDRESS.search("\n".join(self.said))
        assert found, self.said
        return found[1]

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(WAIT_S)


def serve(path: Path, *more: str) -> Served:
    words = [sys.executable, "-m", "wms.cli", "serve", "--port", "0", "--db", str(path), *more]
    served = Served(subprocess.Popen(words, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True))
    threading.Thread(target=served.listen, daemon=True).start()
    assert served.listening.wait(WAIT_S)
    return served


@pytest.fixture
def path(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(migrated, tmp_path / "park.db"))


@pytest.fixture
def park(path: Path) -> Iterator[Park]:
    database = Database.open(f"sqlite:///{path}")
    yield a_park(database)
    database.dispose()


def warnings_of(served: Served) -> list[str]:
    return [line for line in served.said if "warning" in line and "SQLite 3" not in line]


def test_a_sound_house_is_served_without_a_warning_and_stops_when_asked(park: Park, path: Path) -> None:
    served = serve(path)
    try:
        with urlopen(f"{served.url}/api/openapi.json", timeout=WAIT_S) as answer:
            assert answer.status == 200
        assert warnings_of(served) == []
    finally:
        code = served.stop()
    assert code == 0


def test_over_tls_it_says_whom_to_trust_and_is_reached_by_who_does(park: Park, path: Path) -> None:
    served = serve(path, "--tls")
    try:
        authority = path.with_name("park.db.tls") / "ca.pem"
        trust = ssl.create_default_context(cafile=str(authority))
        with urlopen(f"{served.url}/api/openapi.json", timeout=WAIT_S, context=trust) as answer:
            assert answer.status == 200
        assert served.url.startswith("https://")
        assert any(f"trust {authority}" in line and "SHA-256 " in line for line in served.said)
        with pytest.raises(URLError, match="CERTIFICATE_VERIFY_FAILED"):
            urlopen(f"{served.url}/", timeout=WAIT_S)
    finally:
        served.stop()


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"WMS_TLS_CERT": "/nowhere.pem"}, "WMS_TLS_CERT and WMS_TLS_KEY belong together"),
        ({"WMS_TLS_CERT": "/nowhere.pem", "WMS_TLS_KEY": "/nowhere.key"}, "cannot use /nowhere.pem"),
    ],
)
def test_papers_that_cannot_be_used_are_told_in_one_line(
    path: Path,
    given: dict[str, str],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    assert main(["serve", "--port", "0", "--db", str(path), "--tls"]) == 2
    said = capsys.readouterr().err
    assert told in said
    assert len(said.splitlines()) == 1


def test_a_clock_behind_the_last_movement_is_told_and_does_not_stop_the_start(park: Park, path: Path) -> None:
    tomorrow = HandClock(datetime.now(UTC) + timedelta(days=1))
    acting(
        park.database, lambda call: stock_in(call, a_sku(call), "A01-01-1A", 1), park.warehouse_id, now=tomorrow.now()
    )
    served = serve(path)
    try:
        (warning,) = warnings_of(served)
        assert "behind the last movement" in warning
    finally:
        served.stop()


def test_a_database_with_another_schema_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old = tmp_path / "old.db"
    Database.open(f"sqlite:///{old}").dispose()
    old.touch()
    assert main(["serve", "--port", "0", "--db", str(old)]) == 2
    said = capsys.readouterr().err
    assert "wms db upgrade" in said
    assert len(said.splitlines()) == 1
