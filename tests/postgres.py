"""A PostgreSQL server for the tests: the one of `WMS_TEST_PG_URL`, else a temporary cluster of this machine's binaries.

In the cluster the tests are `chuwei_app`, the role a park's program has: it owns its databases and is no superuser, so
that the walls between merchants bind it. The superuser is `chuwei`, on the same socket without a password.

The cluster listens on a unix socket in its own folder, runs as `postgres` or `nobody` when the tests run as root (the
server refuses root), and ends with the process that started it, also when that is killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import itertools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from sqlalchemy import NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError

if sys.platform != "win32":
    import pwd

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15
PR_SET_PDEATHSIG = 1
SERVANTS = ("postgres", "nobody")
SUPERUSER, APPLICATION = "chuwei", "chuwei_app"
# What the tests may do beyond a park's program: end its own sessions, write a checkpoint, put foreign keys off.
APPLICATION_ROLE = (
    f"CREATE ROLE {APPLICATION} LOGIN NOSUPERUSER CREATEDB NOBYPASSRLS",
    f"GRANT pg_signal_backend, pg_monitor, pg_checkpoint TO {APPLICATION}",
    f"GRANT SET ON PARAMETER session_replication_role TO {APPLICATION}",
)


class Server:
    """A server that makes and drops databases. `url` may use any of its databases to stand on."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._numbers = itertools.count(1)

    def url(self, database: str) -> str:
        """The address of one database."""
        return self._url.set(database=database).render_as_string(hide_password=False)

    def create(self, purpose: str, template: str | None = None) -> str:
        """Make a new database, a copy of `template` if one is named; returns its name."""
        name = f"chuwei_{purpose}_{os.getpid()}_{next(self._numbers)}"
        self._say(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
        return name

    def drop(self, database: str) -> None:
        """Drop a database, closing whatever is still connected."""
        self._say(f'DROP DATABASE IF EXISTS "{database}" WITH (FORCE)')

    def _say(self, statement: str) -> None:
        engine = create_engine(self._url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)


def binaries() -> Path | None:
    """The folder with `initdb` and `postgres`, the newest version first; None when there is none."""

    def version(folder: Path) -> float:
        with contextlib.suppress(ValueError):
            return float(folder.parent.name)
        return 0.0

    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=version, reverse=True)
    on_path = shutil.which("initdb")
    candidates = found + ([Path(on_path).resolve().parent] if on_path else [])
    return next(
        (folder for folder in candidates if (folder / "initdb").exists() and (folder / "postgres").exists()), None
    )


def why_not() -> str | None:
    """Why no cluster can be started here; None when one can."""
    if sys.platform == "win32":
        return "temporary clusters are only started on POSIX systems; set WMS_TEST_PG_URL"
    if binaries() is None:
        return "no PostgreSQL server on this machine (Debian: apt-get install postgresql) and no WMS_TEST_PG_URL"
    if os.geteuid() == 0 and _servant() is None:
        return f"running as root, and there is no user {' or '.join(SERVANTS)} to run PostgreSQL as"
    return None


@contextlib.contextmanager
def server(*, fsync: bool = False) -> Iterator[Server]:
    """The server of WMS_TEST_PG_URL, else a temporary cluster that lives as long as the block."""
    given = os.environ.get("WMS_TEST_PG_URL")
    if given and not fsync:
        yield Server(given)
        return
    with cluster(fsync=fsync) as url:
        yield Server(url)


@contextlib.contextmanager
def cluster(*, fsync: bool = False) -> Iterator[str]:
    """A temporary cluster. Without `fsync` it survives its own processes being killed, but not a power cut."""
    folder = Path(tempfile.mkdtemp(prefix="chuwei-pg-", dir="/tmp"))
    servant = _servant() if os.geteuid() == 0 else None
    if servant is not None:
        os.chown(folder, servant.pw_uid, servant.pw_gid)
    process = None
    try:
        _run(
            folder,
            servant,
            ["initdb", "-D", "cluster", "-U", SUPERUSER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"],
        )
        process = _start(folder, servant, fsync=fsync)
        _wait(f"postgresql://{SUPERUSER}@/postgres?host={folder}", process, folder)
        yield f"postgresql://{APPLICATION}@/postgres?host={folder}"
    finally:
        if process is not None:
            process.send_signal(signal.SIGINT)  # "fast shutdown": sessions are closed, nothing is waited for
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS_MAX)
            process.kill()
            process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _servant() -> pwd.struct_passwd | None:
    for name in SERVANTS:
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    return None


def _as(servant: pwd.struct_passwd | None) -> dict[str, object]:
    """How subprocess becomes the servant."""
    return {} if servant is None else {"user": servant.pw_uid, "group": servant.pw_gid, "extra_groups": []}


def _program(name: str) -> str:
    folder = binaries()
    assert folder is not None, "why_not() was not asked"
    return str(folder / name)


def _run(folder: Path, servant: pwd.struct_passwd | None, command: list[str]) -> None:
    whole = [_program(command[0]), *command[1:]]
    done = subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=False, **_as(servant))  # type: ignore[call-overload]
    assert done.returncode == 0, done.stdout + done.stderr


def _start(folder: Path, servant: pwd.struct_passwd | None, *, fsync: bool) -> subprocess.Popen[bytes]:
    settings = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "fsync": "on" if fsync else "off",
        "full_page_writes": "on" if fsync else "off",
        "shared_buffers": "64MB",
        "max_connections": "120",
        "timezone": "UTC",
    }
    command = [_program("postgres"), "-D", "cluster", *(f"--{key}={value}" for key, value in settings.items())]
    with (folder / "server.log").open("wb") as log:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            command, cwd=folder, stdout=log, stderr=log, preexec_fn=_end_with_parent(), **_as(servant)
        )


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux: the server is told to stop when whoever started it dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)


def _wait(url: str, process: subprocess.Popen[bytes], folder: Path) -> None:
    engine = create_engine(url, poolclass=NullPool)
    until_s = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            with engine.begin() as connection:
                for statement in APPLICATION_ROLE:
                    connection.exec_driver_sql(statement)
            return
        except OperationalError:
            log = (folder / "server.log").read_text(errors="replace")
            assert process.poll() is None, f"PostgreSQL did not start:\n{log}"
            assert time.monotonic() < until_s, f"PostgreSQL did not answer in {START_SECONDS_MAX} s:\n{log}"
            time.sleep(0.05)
