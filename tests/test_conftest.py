"""The databases and the browser that all tests borrow."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.orm import Session

from tests import postgres
from wms.core.db import Database


def _count(session: Session) -> int:
    return int(session.execute(text("SELECT count(*) FROM file_mark")).scalar_one())


def _mark(session: Session) -> None:
    session.execute(text("INSERT INTO file_mark (name, value) VALUES ('test', 'was here')"))


@pytest.mark.parametrize("turn", ["first", "second"])
def test_every_test_gets_an_empty_database_of_its_own(database: Database, turn: str) -> None:
    assert database.read(_count) == 0, turn
    database.transact(_mark)
    assert database.read(_count) == 1


def test_a_database_without_schema_has_no_tables(empty_database_url: str) -> None:
    database = Database.open(empty_database_url)
    assert inspect(database.read_engine).get_table_names() == []
    database.dispose()


@pytest.mark.postgres
def test_the_temporary_cluster_keeps_to_its_folder(pg_server: postgres.Server) -> None:
    if os.environ.get("WMS_TEST_PG_URL"):
        pytest.skip("a server was given")
    assert re.search("host=%2F(tmp|dev%2Fshm)%2Fchuwei-pg-", pg_server.url("x"))


@pytest.mark.postgres
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_the_temporary_cluster_ends_with_a_killed_test_run(tmp_path: Path) -> None:
    if postgres.why_not():
        pytest.skip(str(postgres.why_not()))
    program = """if True:
        import time
        from tests import postgres
        with postgres.cluster() as url:
            print(url, flush=True)
            time.sleep(60)
    """
    root = Path(__file__).resolve().parent.parent
    with subprocess.Popen([sys.executable, "-c", program], cwd=root, stdout=subprocess.PIPE, text=True) as run:
        assert run.stdout is not None
        folder = Path(run.stdout.readline().strip().rpartition("host=")[2])
        cluster = int((folder / "cluster/postmaster.pid").read_text().splitlines()[0])
        run.send_signal(signal.SIGKILL)
    _wait_until_gone(cluster)
    shutil.rmtree(folder)


def _wait_until_gone(pid: int) -> None:
    until_s = time.monotonic() + 60
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split()[2]:
        assert time.monotonic() < until_s, "the server outlived the run that started it"
        time.sleep(0.05)


@pytest.mark.chromium
def test_the_browser_shows_chinese(browser: Any) -> None:
    page = browser.new_page()
    page.set_content("<p lang=zh>储位</p>")
    assert page.inner_text("p") == "储位"
    page.close()
