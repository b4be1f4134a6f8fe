"""The two commands of the README: what they do before the program they start.

The commands themselves are not started here (scripts/test.py runs this file, so it would never end); instead small
checkouts are made whose environments are stood in for by the one that runs the tests.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
STAMPED = "from scripts import environment as e; print(e._stamped(True), e._stamped(False))"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Scripts and metadata of this checkout in a folder of their own, with a space in its name."""
    folder = tmp_path / "my checkout"
    folder.mkdir()
    shutil.copytree(ROOT / "scripts", folder / "scripts", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("setup.cfg", "setup.py", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def ready(checkout: Path, python: str) -> None:
    """An environment that is stamped as installed and whose Python is the shell script `python`."""
    (checkout / ".venv" / "bin").mkdir(parents=True)
    interpreter = checkout / ".venv" / "bin" / "python"
    interpreter.write_text(f"#!/bin/sh\n{python}\n")
    interpreter.chmod(0o755)
    lint_imports = checkout / ".venv" / "bin" / "lint-imports"
    lint_imports.write_text('#!/bin/sh\necho "lint-imports $*"\n')
    lint_imports.chmod(0o755)
    stamp = "from scripts import environment as e; print(e._stamp(True)); e._stamp(True).write_text(e._fingerprint())"
    run([sys.executable, "-c", stamp], checkout)


def run(command: list[str], folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **variables}
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)


def blocked(script: Path, *modules: str, version: str = "") -> list[str]:
    """A command that runs the script in a Python without these modules, or of another version."""
    program = f"""
        import runpy, sys
        sys.modules.update(dict.fromkeys({modules!r}))
        {f"sys.version_info = {version}" if version else ""}
        sys.argv = [{str(script)!r}]
        runpy.run_path({str(script)!r}, run_name="__main__")
    """
    return [sys.executable, "-c", textwrap.dedent(program)]


@pytest.mark.parametrize("script", ["demo.py", "test.py"])
def test_a_python_without_venv_is_told_how_to_get_it(checkout: Path, script: str) -> None:
    done = run(blocked(checkout / "scripts" / script, "ensurepip"), checkout)
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr
    assert done.stdout == ""
    assert not (checkout / ".venv").exists()


def test_an_old_python_is_told_which_one_is_needed(checkout: Path) -> None:
    done = run(blocked(checkout / "scripts" / "demo.py", version="(3, 10, 4)"), checkout)
    assert done.returncode == 2
    assert "Python 3.11 or newer is needed, this is 3.10.4" in done.stderr


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
def test_the_demo_gets_the_options_and_its_exit_code_comes_back(checkout: Path, tmp_path: Path) -> None:
    ready(checkout, 'if [ "$1" = -c ]; then exit 0; fi; echo "in $PWD: $*"; exit 7')
    done = run([sys.executable, str(checkout / "scripts" / "demo.py"), "--orders", "a b.csv", "--json"], tmp_path)
    assert done.returncode == 7
    assert done.stdout == f"in {tmp_path}: -m wms.cli demo --orders a b.csv --json\n"


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
def test_every_check_runs_even_when_one_fails(checkout: Path, tmp_path: Path) -> None:
    ready(checkout, 'echo "$*"; [ "$2" != mypy ]')
    done = run([sys.executable, str(checkout / "scripts" / "test.py"), "-k", "hold"], tmp_path)
    assert done.returncode == 1
    assert "does not hold: types" in done.stderr
    shown = done.stdout.splitlines()
    assert [line.split()[1] for line in shown if line.startswith("-m")] == ["ruff", "ruff", "mypy", "pytest"]
    assert "lint-imports --no-logo" in shown
    assert shown[-1].endswith("--dist loadfile -k hold")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
def test_when_everything_holds_the_exit_code_says_so(checkout: Path, tmp_path: Path) -> None:
    ready(checkout, "exit 0")
    done = run([sys.executable, str(checkout / "scripts" / "test.py")], tmp_path)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (0, "chuwei: everything holds")


@pytest.mark.skipif(os.name == "nt", reason="the stand-in for Python is a shell script")
@pytest.mark.parametrize(
    ("failed", "holds_alone", "code"),
    [
        (["tests/devices/test_scale.py::test_a"], True, 0),
        (["tests/devices/test_scale.py::test_a"], False, 1),
        (["tests/devices/test_scale.py::test_a", "tests/ledger/test_holds.py::test_b"], True, 1),
        ([f"tests/devices/test_scale.py::test_{number}" for number in range(4)], True, 1),
    ],
)
def test_only_few_tests_of_machines_in_real_time_run_once_more(
    checkout: Path, tmp_path: Path, failed: list[str], holds_alone: bool, code: int
) -> None:
    kept = checkout / ".pytest_cache" / "v" / "cache" / "lastfailed"
    kept.parent.mkdir(parents=True)
    kept.write_text(json.dumps(dict.fromkeys(failed, True)))
    second = f"echo again; exit {0 if holds_alone else 1}"
    ready(checkout, f'case "$*" in *"pytest --cache-clear"*) exit 1;; *"pytest tests/"*) {second};; esac')
    done = run([sys.executable, str(checkout / "scripts" / "test.py")], tmp_path)
    assert done.returncode == code, done.stderr
    again = len(failed) == 1
    assert ("again" in done.stdout) is again
    assert (f"failed beside others: {failed[0]}" in done.stderr) is (code == 0)


@pytest.mark.parametrize(
    ("options", "spread"), [([], True), (["-k", "hold"], True), (["-n0"], False), (["--pdb"], False), (["-s"], False)]
)
def test_tests_are_spread_over_processes_unless_a_person_watches(options: list[str], spread: bool) -> None:
    program = f"from scripts import test; print(test.spread({options!r}))"
    done = run([sys.executable, "-c", program], ROOT)
    assert ("--dist" in done.stdout) is spread, done.stderr


@pytest.mark.parametrize("changed", ["setup.cfg", "setup.py", "pyproject.toml"])
def test_a_changed_requirement_is_installed_anew(checkout: Path, changed: str) -> None:
    ready(checkout, "exit 0")
    question = [
        sys.executable,
        "-c",
        "from scripts import environment as e; print(e._stamped(True), e._stamped(False))",
    ]
    assert run(question, checkout).stdout == "True True\n"
    with (checkout / changed).open("a") as described:
        described.write("\n# one more\n")
    assert run(question, checkout).stdout == "False False\n"


def test_a_moved_checkout_is_installed_anew(checkout: Path) -> None:
    ready(checkout, "exit 0")
    moved = checkout.rename(checkout.with_name("elsewhere"))
    question = [sys.executable, "-c", "from scripts import environment as e; print(e._stamped(False))"]
    assert run(question, moved).stdout == "False\n"


@pytest.mark.parametrize(
    ("more", "there"), [("rich", True), ("no-such-distribution-of-ours", False), ("rich<1", False)]
)
def test_what_is_already_there_is_not_asked_of_the_index(checkout: Path, more: str, there: bool) -> None:
    """The check runs in the environment of the tests, which has what setup.cfg asks for, from this checkout."""
    asked = (ROOT / "setup.cfg").read_text().replace("install_requires =", f"install_requires =\n    {more}")
    (checkout / "setup.cfg").write_text(asked)
    program = "from scripts import environment as e; print(e.CHECK)"
    check = run([sys.executable, "-c", program], checkout).stdout
    # The installed distribution comes from ROOT; only the requirements are read from the small checkout.
    check = check.replace("root.as_uri()", f"Path({str(ROOT)!r}).as_uri()")
    assert (run([sys.executable, "-c", check, str(checkout), "dev"], checkout).returncode == 0) is there


def test_the_build_machine_runs_what_a_person_runs() -> None:
    ci = ROOT / ".ci" / "run"
    assert os.access(ci, os.X_OK)
    assert ci.read_text().rstrip().endswith('exec python3 scripts/test.py "$@"')
    assert subprocess.run(["bash", "-n", ci], check=False).returncode == 0
