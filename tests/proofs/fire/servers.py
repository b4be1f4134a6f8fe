"""Servers that are started, killed as a power cut would kill them, and started again."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent.parent
START_SECONDS_MAX = 60.0
END_SECONDS_MAX = 20.0
LOOK_EVERY_S = 0.01
_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)/")


class Where:
    """Where the server listens now. Clients ask before each connection; a killed server's port refuses them."""

    def __init__(self) -> None:
        self.port = 0


class Mother:
    """The process that forks servers; it ends with us, and its servers with it."""

    def __init__(self) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("WMS_")}
        words = [sys.executable, "-m", "tests.proofs.fire.mother"]
        self._process = subprocess.Popen(
            words, cwd=ROOT, env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def bear(self, wish: dict[str, Any]) -> int:
        """The process id of a new server."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(wish) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


@cache
def mother() -> Mother:
    """The one of this process, made when the first server is wanted."""
    return Mother()


class Servers:
    """Runs one server at a time over one database, at `where`. Leaving the block ends it."""

    def __init__(self, url: str, folder: Path, sabotage: str | None = None) -> None:
        self._url, self._folder, self._sabotage = url, folder, sabotage
        self.where = Where()
        self.starts = 0
        self._pid = 0

    def __enter__(self) -> Servers:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pid:
            self.kill()

    @property
    def pid(self) -> int:
        return self._pid

    def start(self) -> None:
        """A server, listening. Raises AssertionError with its last words when it does not come up."""
        self.starts += 1
        log = self._folder / f"server-{self.starts}.log"
        words = ["serve", "--port", "0", "--db", self._url]
        self._pid = mother().bear({"words": words, "log": str(log), "sabotage": self._sabotage})
        self.where.port = self._port(log)

    def kill(self) -> None:
        """kill -9: nothing is flushed, nothing is closed, nobody is told."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._pid, signal.SIGKILL)
        self._await_end()

    def stop(self) -> None:
        """As a person stops it."""
        os.kill(self._pid, signal.SIGTERM)
        self._await_end()

    def trouble(self) -> Iterator[str]:
        """What the servers logged of mistakes of their own."""
        for log in sorted(self._folder.glob("server-*.log")):
            for line in log.read_text(errors="replace").splitlines():
                if "request.failed" in line or "Traceback" in line:
                    yield f"{log.name}: {line[:300]}"

    def _port(self, log: Path) -> int:
        until_s = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < until_s and _alive(self._pid):
            with contextlib.suppress(FileNotFoundError):
                if found := _PORT.search(log.read_text(errors="replace")):
                    return int(found[1])
            time.sleep(LOOK_EVERY_S)
        raise AssertionError(f"the server did not come up: {log.read_text(errors='replace')[-2000:]}")

    def _await_end(self) -> None:
        until_s = time.monotonic() + END_SECONDS_MAX
        while _alive(self._pid):
            assert time.monotonic() < until_s, f"server {self._pid} did not end in {END_SECONDS_MAX} s"
            time.sleep(LOOK_EVERY_S)
        self._pid = 0


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
