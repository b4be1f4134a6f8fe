"""Makes the `.venv` beside the checkout and installs Chuwei into it, for demo.py and test.py.

Only the standard library, because it runs before anything is installed. Safe to repeat: a stamp remembers what was
installed, so that the second run costs a few milliseconds. All it says goes to stderr; stdout belongs to the command.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import subprocess
import sys
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON_MIN = (3, 11)
DESCRIBED_BY = ("setup.cfg", "setup.py", "pyproject.toml")
LOG_TAIL_LINES = 15

# Run by the environment's own Python: exit 0 when everything that setup.cfg asks for is there and comes from ROOT.
# It spares a machine without a network a question to the package index that it need not ask.
CHECK = r"""
import configparser, importlib.metadata as metadata, json, sys
from pathlib import Path
from pip._vendor.packaging.requirements import Requirement

root, extra = Path(sys.argv[1]), sys.argv[2]
cfg = configparser.ConfigParser(interpolation=None)
cfg.read(root / "setup.cfg", "utf-8")
wanted = cfg["options"]["install_requires"] + "\n" + (cfg["options.extras_require"][extra] if extra else "")
for line in wanted.splitlines():
    requirement = Requirement(line) if line.strip() and not line.strip().startswith("#") else None
    if requirement is None or requirement.marker and not requirement.marker.evaluate():
        continue
    if not requirement.specifier.contains(metadata.version(requirement.name), prereleases=True):
        sys.exit(f"{requirement} is not there")
own = metadata.distribution("chuwei")
origin = json.loads(own.read_text("direct_url.json") or "{}")
if origin.get("url") != root.as_uri() or own.version != cfg["metadata"]["version"]:
    sys.exit("another checkout is installed")
scripts = {f"{point.name} = {point.value}" for point in own.entry_points}
if scripts != set(filter(None, cfg["options.entry_points"]["console_scripts"].splitlines())):
    sys.exit("the commands have changed")
"""


def say(words: str) -> None:
    """One line of progress for the person who waits."""
    print(f"chuwei: {words}", file=sys.stderr, flush=True)


def stop(words: str) -> NoReturn:
    """What is wrong and how to mend it; exit 2."""
    say(words)
    raise SystemExit(2)


def python() -> Path:
    """The Python of the environment."""
    return VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def prepare(*, dev: bool) -> Path:
    """Make and fill the environment where needed; returns its Python. Exits with 2 and a sentence where it cannot."""
    if sys.version_info < PYTHON_MIN:
        version = ".".join(map(str, sys.version_info[:3]))
        stop(f"Python 3.11 or newer is needed, this is {version}; try e.g. python3.12 {sys.argv[0]}")
    with one_at_a_time():
        if not _works(python()):
            _make()
        if not _stamped(dev):
            _fill(dev)
    return python()


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Two runs that start together must not install over each other. Windows goes without."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    with (ROOT / ".venv.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("another run is installing, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _works(interpreter: Path) -> bool:
    """Whether the interpreter starts, is new enough and has pip (a moved or half-made environment has not)."""
    if not interpreter.exists():
        return False
    question = f"import sys, pip; sys.exit(sys.version_info < {PYTHON_MIN})"
    return subprocess.run([interpreter, "-c", question], capture_output=True, check=False).returncode == 0


def _make() -> None:
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        stop(
            f"this Python has no {' and no '.join(missing)}, so no environment can be made. "
            "On Debian and Ubuntu: apt-get install python3-venv; on Alpine: apk add python3 py3-pip"
        )
    say(f"making {VENV}")
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", VENV], capture_output=True, text=True, check=False)
    if made.returncode != 0:
        sys.stderr.write(made.stdout + made.stderr)
        stop("the environment could not be made. On Debian and Ubuntu: apt-get install python3-venv")


def _stamp(dev: bool) -> Path:
    return VENV / f"chuwei-{'dev' if dev else 'plain'}.stamp"


def _fingerprint() -> str:
    """What was installed, from where: a moved checkout or a changed requirement gives another one."""
    whole = hashlib.sha256(str(ROOT).encode())
    for name in DESCRIBED_BY:
        whole.update((ROOT / name).read_bytes())
    return whole.hexdigest()


def _stamped(dev: bool) -> bool:
    """Whether this was installed before; whoever has the tools of development has the plain ones too."""
    now = _fingerprint()
    stamps = [_stamp(True)] if dev else [_stamp(True), _stamp(False)]
    return any(stamp.is_file() and stamp.read_text() == now for stamp in stamps)


def _fill(dev: bool) -> None:
    if not _satisfied(dev):
        _install(dev)
    _stamp(dev).write_text(_fingerprint())


def _satisfied(dev: bool) -> bool:
    command = [str(python()), "-c", CHECK, str(ROOT), "dev" if dev else ""]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def _install(dev: bool) -> None:
    say("installing" + (" with the tools for development" if dev else "") + "; the first time takes some minutes")
    began_s = time.monotonic()
    what = f"{ROOT}[dev]" if dev else str(ROOT)
    command = [str(python()), "-m", "pip", "install", "--progress-bar", "off", "-e", what]
    failure = _pip(command)
    if failure:
        say("that did not work (a short break of the network?), trying once more")
        failure = _pip(command)
    if failure:
        sys.stderr.writelines(failure)
        stop(f"installing failed; the lines above and {VENV / 'install.log'} say why. Is the package index reachable?")
    say(f"installed in {time.monotonic() - began_s:.0f} s")


def _pip(command: list[str]) -> list[str]:
    """Run pip, showing one short line per package. Empty, or its last lines if it failed."""
    quiet = {
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
        "PIP_ROOT_USER_ACTION": "ignore",
        "PIP_USER": "0",
    }
    tail: deque[str] = deque(maxlen=LOG_TAIL_LINES)
    with (VENV / "install.log").open("a", encoding="utf-8") as log:
        pip = subprocess.Popen(
            command,
            env={**os.environ, **quiet},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        )
        assert pip.stdout is not None
        for line in pip.stdout:
            log.write(line)
            tail.append(line)
            if line.startswith(("Collecting ", "Installing collected", "Building ")):
                say("  " + line.split(" (from")[0].strip()[:100])
        return list(tail) if pip.wait() != 0 else []
