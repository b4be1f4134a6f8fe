"""A plain `pip install .` carries everything: code, the schema's history, texts, fonts, pages, and both commands."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DESCRIBING = ("setup.cfg", "setup.py", "pyproject.toml", "README.md", "LICENSE")
LEFT_BEHIND = {"__pycache__", "build"}

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A wheel built from a copy, so that the checkout stays as it was; needs no network."""
    folder = tmp_path_factory.mktemp("wheel")
    for name in ("wms", "devices", "migrations"):
        shutil.copytree(ROOT / name, folder / "source" / name, ignore=shutil.ignore_patterns(*LEFT_BEHIND))
    for name in DESCRIBING:
        shutil.copy(ROOT / name, folder / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "--no-index"]
    built = subprocess.run(
        [*command, "-w", folder, folder / "source"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("chuwei-*.whl"))


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as opened:
        return set(opened.namelist())


def our_files() -> set[str]:
    """Every file of the packages, under the name it has when installed."""
    found = {
        path.relative_to(ROOT).as_posix()
        for folder in ("wms", "devices", "migrations")
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and not LEFT_BEHIND & set(path.parts)
    }
    return {f"wms/{name}" if name.startswith("migrations/") else name for name in found}


def test_a_wheel_carries_every_file_of_the_packages(wheel: Path) -> None:
    assert our_files() - names(wheel) == set(), "add the kind of file to [options.package_data] in setup.cfg"


def test_a_wheel_carries_nothing_but_the_packages(wheel: Path) -> None:
    strangers = {name for name in names(wheel) - our_files() if ".dist-info/" not in name}
    assert strangers == set()


def test_what_the_house_cannot_do_without_is_there(wheel: Path) -> None:
    """Named one by one, so that the test above cannot pass on an empty tree."""
    assert names(wheel) >= {
        "wms/py.typed",
        "wms/core/texts.toml",
        "wms/migrations/env.py",
        "wms/migrations/script.py.mako",
        "wms/migrations/versions/0001_first_schema.py",
        "devices/py.typed",
    }


def test_the_wheel_says_what_setup_cfg_says(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as opened:
        folder = next(name for name in opened.namelist() if name.endswith(".dist-info/METADATA")).rpartition("/")[0]
        metadata = Parser().parsestr(opened.read(f"{folder}/METADATA").decode())
        commands = ConfigParser()
        commands.read_string(opened.read(f"{folder}/entry_points.txt").decode())
    assert metadata["Name"] == "chuwei"
    assert "Apache-2.0" in (metadata["License-Expression"] or metadata["License"])
    assert metadata["Requires-Python"] == ">=3.11"
    assert dict(commands["console_scripts"]) == {"wms": "wms.cli:main", "wms-devices": "devices.cli:main"}


def test_an_installed_house_builds_its_database(wheel: Path, tmp_path: Path) -> None:
    """Away from the checkout, from the wheel alone: the schema's history is found and walked."""
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(tmp_path / "installed")
    program = (
        "import wms.migrations.commands as commands\n"
        "from wms.core.i18n import catalogue\n"
        "assert catalogue()\n"
        "commands.upgrade('sqlite:///new.db')\n"
        "assert commands.check('sqlite:///new.db') == []\n"
        "print(commands.__file__)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path / "installed"))
