"""What the command's tests borrow: the command itself, and databases as it makes them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import builders
from wms.cli import main
from wms.core.db import Database

SECRETS = ("WMS_DB_URL", "WMS_HOST", "WMS_PORT")


@dataclass(frozen=True, slots=True)
class Done:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The one line of a refusal; fails when there are more, or when something was answered beside it."""
        assert self.code == 2, self
        assert self.out == "", self
        lines = self.err.splitlines()
        assert len(lines) == 1, self
        return lines[0]


Wms = Callable[..., Done]


@pytest.fixture
def wms(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Wms:
    """Run `wms ...` here, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    for name in SECRETS:
        monkeypatch.delenv(name, raising=False)

    def run(*words: object) -> Done:
        capsys.readouterr()
        try:
            code = main([str(word) for word in words])
        except SystemExit as left:  # argparse leaves this way
            code = left.code if isinstance(left.code, int) else 1
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run


@pytest.fixture(scope="session")
def stocked(tmp_path_factory: pytest.TempPathFactory, migrated: Path) -> Path:
    """A file with a small park and ten pieces in a slot, to be copied."""
    path = tmp_path_factory.mktemp("stocked") / "park.db"
    shutil.copyfile(migrated, path)
    database = Database.open(f"sqlite:///{path}")
    park = builders.a_park(database)
    park.act(lambda call: builders.stock_in(call, builders.a_sku(call, "S1"), "A01-01-1A", 10))
    park.act(lambda call: builders.a_merchant(call, "M2"))
    park.act(lambda call: builders.a_merchant(call, "M3"))
    database.dispose()
    return path


@pytest.fixture
def empty_db(migrated: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(migrated, tmp_path / "empty.db"))


@pytest.fixture
def db(stocked: Path, tmp_path: Path) -> Path:
    return Path(shutil.copyfile(stocked, tmp_path / "park.db"))
