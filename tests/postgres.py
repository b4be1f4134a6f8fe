"""A PostgreSQL server for the tests: the one of `WMS_TEST_PG_URL`, else a temporary cluster of this machine's binaries.

In the cluster the tests are `chuwei_app`, the role a park's program has: it owns its databases and is no superuser, so
that the walls between merchants bind it. The superuser is `chuwei`, on the same socket without a password.

The cluster listens on a unix socket in its own folder (in memory where there is room and nothing is to be synced: each
test makes and drops a database of many hundred files), runs as `postgres` or `nobody` when the tests run as root (the
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
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from sqlalchemy import Engine, NullPool, create_engine, make_url
from sqlalchemy.exc import OperationalError

if sys.platform != "win32":
    import pwd

START_SECONDS_MAX = 30
STOP_SECONDS_MAX = 15
PR_SET_PDEATHSIG = 1
SERVANTS = ("postgres", "nobody")
MEMORY, MEMORY_BYTES_MIN = Path("/dev/shm"), 4 * 1024**3
LEFT_AFTER_S = 3_600
SUPERUSER, APPLICATION = "chuwei", "chuwei_app"
_LOG_WRITER = "SELECT pid, wait_event = 'WalWriterMain' FROM pg_stat_activity WHERE backend_type = 'walwriter'"
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
    with cluster_to_crash({}, fsync=fsync) as made:
        yield made.url


@contextlib.contextmanager
def cluster_to_crash(settings: Mapping[str, str], *, fsync: bool = True) -> Iterator[Cluster]:
    """A temporary cluster, started with these settings of PostgreSQL's besides ours; stopped and gone after use."""
    folder = Path(tempfile.mkdtemp(prefix="chuwei-pg-", dir="/tmp" if fsync else _quick()))
    made = Cluster(folder, {"fsync": _on(fsync), "full_page_writes": _on(fsync), **settings})
    try:
        made.make()
        made.start()
        made.add_application_role()
        yield made
    finally:
        made.stop()
        shutil.rmtree(folder, ignore_errors=True)


def _quick() -> str:
    """Where files cost least: in memory, if it takes what two clusters grow to."""
    for left in MEMORY.glob("chuwei-pg-*"):  # by a run that was killed
        with contextlib.suppress(OSError):
            if time.time() - left.stat().st_mtime > LEFT_AFTER_S and not _alive(left):
                shutil.rmtree(left, ignore_errors=True)
    roomy = MEMORY.is_dir() and os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return str(MEMORY) if roomy else "/tmp"


def _alive(folder: Path) -> bool:
    """Whether the server of this folder runs."""
    try:
        pid = int((folder / "cluster" / "postmaster.pid").read_text().splitlines()[0])
    except (OSError, ValueError, IndexError):
        return False
    return Path(f"/proc/{pid}").exists()


def _stopped(pid: int) -> bool:
    """Stop that process (Linux); False when it has ended meanwhile."""
    state = Path(f"/proc/{pid}/stat")
    try:
        os.kill(pid, signal.SIGSTOP)
        while state.read_text().rpartition(")")[2].split()[0] not in ("T", "Z"):
            time.sleep(0.001)
    except OSError:
        return False
    return True


def _on(yes: bool) -> str:
    return "on" if yes else "off"


class Cluster:
    """The processes and the files of one server. `url` is the application's way in."""

    def __init__(self, folder: Path, settings: Mapping[str, str]) -> None:
        self.url = f"postgresql://{APPLICATION}@/postgres?host={folder}"
        self._folder = folder
        self._settings = settings
        self._servant = _servant() if os.geteuid() == 0 else None
        self._process: subprocess.Popen[bytes] | None = None

    def make(self) -> None:
        """The files, once."""
        if self._servant is not None:
            os.chown(self._folder, self._servant.pw_uid, self._servant.pw_gid)
        words = ["initdb", "-D", "cluster", "-U", SUPERUSER, "-A", "trust", "-N", "-E", "UTF8", "--locale=C"]
        _run(self._folder, self._servant, words)

    def start(self) -> None:
        """Until it answers; after a crash it first recovers from its log."""
        self._process = _start(self._folder, self._servant, self._settings)
        _wait(self._superuser(), self._process, self._folder)

    def add_application_role(self) -> None:
        with self._superuser().begin() as connection:
            for statement in APPLICATION_ROLE:
                connection.exec_driver_sql(statement)

    def stop(self) -> None:
        """ "Fast shutdown": sessions are closed, nothing is waited for."""
        if self._process is None:
            return
        self._wake_all()
        self._process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_SECONDS_MAX)
        self._process.kill()
        self._process.wait()
        self._process = None

    def stop_at_once(self) -> None:
        """ "Immediate shutdown": every process quits where it stands; the next start recovers."""
        assert self._process is not None
        self._wake_all()
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(STOP_SECONDS_MAX)
        self._process = None

    def put_log_writer_to_sleep(self) -> None:
        """Stop the process that writes the log by itself (Linux): it is written for those only who wait for it.

        Stopped between two of its rounds: in one, it may hold a lock that every commit waits for.
        """
        autocommit = self._superuser().execution_options(isolation_level="AUTOCOMMIT")
        until_s = time.monotonic() + STOP_SECONDS_MAX
        with autocommit.connect() as connection:
            while time.monotonic() < until_s:
                for pid, idle in connection.exec_driver_sql(_LOG_WRITER).all():
                    if idle and _stopped(pid) and connection.exec_driver_sql(_LOG_WRITER).all() == [(pid, True)]:
                        return
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGCONT)
                time.sleep(0.01)
        raise AssertionError("the process that writes the log never rested")

    def crash(self) -> None:
        """kill -9 of all its processes at one moment (Linux): what stood in shared memory only is gone."""
        assert self._process is not None
        main = self._process
        main.send_signal(signal.SIGSTOP)  # from here on nobody is started, and nobody's death is noticed
        family = _children(main.pid)
        for pid in family:
            os.kill(pid, signal.SIGSTOP)
        for pid in [*family, main.pid]:
            os.kill(pid, signal.SIGKILL)
        main.wait(STOP_SECONDS_MAX)
        self._process = None

    def _wake_all(self) -> None:
        assert self._process is not None
        for pid in _children(self._process.pid):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _superuser(self) -> Engine:
        return create_engine(f"postgresql://{SUPERUSER}@/postgres?host={self._folder}", poolclass=NullPool)


def _children(parent: int) -> list[int]:
    """Processes whose parent this is, from /proc."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if int(stat.read_text().rpartition(")")[2].split()[1]) == parent:
                found.append(int(stat.parent.name))
    return found


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


def _start(folder: Path, servant: pwd.struct_passwd | None, settings: Mapping[str, str]) -> subprocess.Popen[bytes]:
    whole = {
        "listen_addresses": "",
        "unix_socket_directories": str(folder),
        "shared_buffers": "64MB",
        "max_connections": "120",
        "timezone": "UTC",
        **settings,
    }
    command = [_program("postgres"), "-D", "cluster", *(f"--{key}={value}" for key, value in whole.items())]
    with (folder / "server.log").open("ab") as log:
        return subprocess.Popen(  # type: ignore[call-overload, no-any-return]
            command, cwd=folder, stdout=log, stderr=log, preexec_fn=_end_with_parent(), **_as(servant)
        )


def _end_with_parent() -> Callable[[], None] | None:
    """On Linux: the server is told to stop when whoever started it dies."""
    if sys.platform != "linux":
        return None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, int(signal.SIGQUIT), 0, 0, 0)


def _wait(engine: Engine, process: subprocess.Popen[bytes], folder: Path) -> None:
    until_s = time.monotonic() + START_SECONDS_MAX
    while True:
        try:
            engine.connect().close()
            return
        except OperationalError:
            log = (folder / "server.log").read_text(errors="replace")
            assert process.poll() is None, f"PostgreSQL did not start:\n{log}"
            assert time.monotonic() < until_s, f"PostgreSQL did not answer in {START_SECONDS_MAX} s:\n{log}"
            time.sleep(0.05)
