"""One mutant, one process: the broken source is imported instead of the file, and the chosen tests run until one fails.

Children are forked from a process that has imported every library but nothing of ours, so a trial costs little more
than
its tests. The schema is built once and copied.
"""

from __future__ import annotations

import contextlib
import importlib
import importlib.abc
import importlib.util
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any

from scripts.mutations.mutants import Mutant

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 120
LIBRARIES = (
    "_pytest.config", "_pytest.assertion.rewrite", "alembic.autogenerate", "apiflask", "argon2", "biip", "hypothesis",
    "hypothesis.strategies", "psycopg", "pydantic", "pytest", "pysqlite3", "sqlalchemy.dialects.postgresql",
    "sqlalchemy.dialects.sqlite", "sqlalchemy.orm", "stdnum.iso7064", "structlog", "cheroot.wsgi",
)  # fmt: skip
# Tests that run on both kinds have it in their names, those for one kind are marked `postgres`.
NOT_ON_POSTGRESQL, ONLY_ON_POSTGRESQL = "not postgres", "postgres"


@dataclass(frozen=True, slots=True)
class Target:
    """A file to break, and the tests that should notice; `on_postgresql` are those that can only there."""

    path: str
    tests: tuple[str, ...]
    on_postgresql: tuple[str, ...] = ()

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").replace("/", ".")


@dataclass(frozen=True, slots=True)
class Verdict:
    """`how` is "test" (one failed), "time" (it took too long) or "" (nobody noticed)."""

    path: str
    mutant: Mutant
    how: str


class _Broken(importlib.abc.Loader, importlib.abc.MetaPathFinder):
    """Imports one module from a source of ours."""

    def __init__(self, module: str, source: str, path: Path) -> None:
        self._module, self._source, self._path = module, source, path

    def find_spec(self, name: str, _path: Any, _target: ModuleType | None = None) -> ModuleSpec | None:
        if name != self._module:
            return None
        return importlib.util.spec_from_file_location(name, self._path, loader=self)

    def create_module(self, _spec: ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        code: CodeType = compile(self._source, str(self._path), "exec")
        exec(code, module.__dict__)


def warm_up() -> None:
    """Import the libraries. What is missing on this machine is not needed here either."""
    os.chdir(ROOT)
    sys.path.insert(0, str(ROOT))
    for name in LIBRARIES:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    ours = [name for name in sys.modules if name.split(".")[0] in ("wms", "tests", "devices")]
    assert not ours, f"a library brought our own code with it: {ours}"


@contextlib.contextmanager
def built_schema() -> Iterator[Path]:
    """The file of an empty SQLite database, built by a child from the sound sources."""
    with tempfile.TemporaryDirectory(prefix="chuwei-mutation-") as folder:
        path = Path(folder) / "empty.db"
        assert _in_child(lambda: _build(path), TIMEOUT_S) == 0, "the schema cannot be built"
        yield path


def _build(path: Path) -> int:
    from tests import schema

    schema.build(f"sqlite:///{path}")
    return 0


def notices(target: Target, source: str, schema: Path, which: str = NOT_ON_POSTGRESQL) -> str:
    """Whether the target's tests notice: "test", "time" or ""."""
    status = _in_child(lambda: _run(target, source, schema, which), TIMEOUT_S)
    return {0: "", None: "time"}.get(status, "test")


def _run(target: Target, source: str, schema: Path, which: str) -> int:
    import pytest

    sys.meta_path.insert(0, _Broken(target.module, source, ROOT / target.path))
    _copy_instead_of_building(schema)
    if which == NOT_ON_POSTGRESQL:
        _without_postgresql()
    tests = (*target.on_postgresql, *target.tests) if which == ONLY_ON_POSTGRESQL else target.tests
    words = ["-x", "-q", "-p", "no:cacheprovider", "--no-header", "-k", which, *tests]
    with tempfile.TemporaryDirectory(prefix="chuwei-mutant-") as folder:
        return int(pytest.main([f"--basetemp={folder}/t", *words]))


def _copy_instead_of_building(built: Path) -> None:
    from tests import schema

    really = schema.build

    def build(url: str) -> None:
        if url.startswith("sqlite:///"):
            shutil.copyfile(built, url.removeprefix("sqlite:///"))
        else:
            really(url)

    schema.build = build


def _without_postgresql() -> None:
    """No server is started for the few tests that are about PostgreSQL only: they skip."""
    from tests import postgres

    postgres.why_not = lambda: "this trial is on SQLite"


def _in_child(work: Any, timeout_s: float) -> int | None:
    """Run `work` in a forked process, silently; its exit code, or None when it took too long."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.setsid()
        quiet = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(quiet, number)
        try:
            os._exit(work() & 0xFF)
        except BaseException:  # noqa: BLE001 - a broken source may raise anything
            os._exit(99)
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        done, status = os.waitpid(child, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def sound(targets: Sequence[Target], schema: Path) -> list[str]:
    """Targets whose tests fail on the unbroken source: nothing can be learnt from those."""
    return [
        target.path for target in targets if notices(target, (ROOT / target.path).read_text(encoding="utf-8"), schema)
    ]
