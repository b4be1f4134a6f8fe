"""Processes of the demonstration: started, waited for until they say they are ready, and ended with their parent."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wms.demo.lifeline import Lifeline

READY_S = 180.0
STOP_S = 8.0
CONTROL_S = 20.0


class NotReady(Exception):
    """A process ended, or said nothing, instead of becoming ready."""


@dataclass(slots=True)
class Child:
    """A running program and what it said when it was ready."""

    name: str
    words: Sequence[str]
    process: subprocess.Popen[str]
    ready: dict[str, Any]
    log: Path

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(STOP_S)

    def alive(self) -> bool:
        return self.process.poll() is None


class Processes:
    """All children of one demonstration. Leaving the block ends them all, and so does our own end."""

    def __init__(self, folder: Path, stop_s: float = STOP_S) -> None:
        self._folder = folder
        self._stop_s = stop_s
        self._children: list[Child] = []
        self._lock = threading.Lock()
        self._closed = False
        self._lifeline = Lifeline(environment())

    def __enter__(self) -> Processes:
        return self

    def __exit__(self, *_: object) -> None:
        try:
            self.stop_all()
        finally:
            self._lifeline.close()

    def start(self, name: str, words: Sequence[str], *, says_ready: bool = True) -> Child:
        """Start `python -m words...`; wait for its one JSON line with "ready" on stdout. Raises NotReady."""
        child = self._begin(name, words)
        if says_ready:
            child.ready = self._await_ready(child)
        threading.Thread(target=_drain, args=(child.process,), daemon=True).start()
        return child

    def _begin(self, name: str, words: Sequence[str]) -> Child:
        log = self._folder / f"{name}.log"
        with self._lock, log.open("ab") as errors:
            if self._closed:
                raise NotReady(f"{name} is not started: the demonstration is ending")
            process = subprocess.Popen(
                [sys.executable, "-m", *words],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                cwd=self._folder,
                env=environment(),
                start_new_session=True,
            )
            self._lifeline.holds(process.pid)
            child = Child(name, words, process, {}, log)
            self._children.append(child)
        return child

    def start_again(self, child: Child) -> Child:
        """The same program once more, after it was killed."""
        self._forget(child)
        return self.start(child.name, child.words, says_ready=bool(child.ready))

    def _await_ready(self, child: Child) -> dict[str, Any]:
        lines: list[str] = []

        def read() -> None:
            assert child.process.stdout is not None
            lines.append(child.process.stdout.readline())

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        reader.join(READY_S)
        if not lines or not lines[0].startswith("{"):
            tail = child.log.read_text(errors="replace").strip().splitlines()[-3:]
            raise NotReady(f"{child.name} did not start: {' / '.join(tail) or 'it said nothing'}")
        ready: dict[str, Any] = json.loads(lines[0])
        return ready

    def stop_all(self) -> None:
        """Ask all to end, the newest first, then insist. Nobody is started any more."""
        with self._lock:
            self._closed = True
            ending = list(reversed(self._children))
        for child in ending:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
        until = time.monotonic() + self._stop_s
        for child in ending:
            try:
                child.process.wait(max(0.1, until - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait(STOP_S)
            self._forget(child)

    def _forget(self, child: Child) -> None:
        with self._lock:
            self._children = [one for one in self._children if one is not child]
            self._lifeline.lets_go(child.process.pid)


def environment() -> dict[str, str]:
    """Of every child: it finds the same code as we do, whatever folder it stands in, and says at once what it says.

    Where the code is installed Python finds it by itself; a checkout is named.
    """
    here = str(Path(__file__).resolve().parents[2])
    named = {**os.environ, "PYTHONUNBUFFERED": "1"}
    if here not in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib")):
        named["PYTHONPATH"] = os.pathsep.join([here, *filter(None, [os.environ.get("PYTHONPATH", "")])])
    return named


def _drain(process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    with contextlib.suppress(ValueError):
        for _line in process.stdout:
            pass


class Control:
    """The control port of a simulated machine: one JSON line asked, one answered."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), CONTROL_S)
        self._file = self._socket.makefile("rw", encoding="utf-8", newline="\n")
        self._lock = threading.Lock()

    def ask(self, **what: Any) -> dict[str, Any]:
        """Send one control; its answer. Raises ConnectionError when the machine is gone."""
        with self._lock:
            self._file.write(json.dumps(what, ensure_ascii=False) + "\n")
            self._file.flush()
            line = self._file.readline()
        if not line:
            raise ConnectionError("the simulated machine closed its control port")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def read_line(self) -> str:
        """The next line of a stream; "" when the machine is gone or the stream was closed."""
        self._socket.settimeout(None)
        try:
            return self._file.readline()
        except (OSError, ValueError):
            return ""

    def close(self) -> None:
        """End the stream, also for somebody who is reading it."""
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
