"""The server of an acceptance run as a process that goes away and comes back."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

from devices.accept.plan import AcceptPlan
from devices.accept.server import GATEWAY, KEY_HEX


class ServerProcess:
    """Killed with SIGKILL, started again on the same port; the gateway is paired with it beforehand."""

    def __init__(self, folder: Path, plan: AcceptPlan) -> None:
        self._folder = folder
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None
        (folder / "server.routes").write_text(json.dumps(plan.changes()), encoding="ascii")
        key = {"gateway": GATEWAY, "key": KEY_HEX, "warehouse": "W1", "station": "accept", "url": self.url}
        key_file = folder / "station.db.key"
        key_file.write_text(json.dumps(key), encoding="ascii")
        os.chmod(key_file, 0o600)
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "devices.accept.server", str(self._port), str(self._folder)]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def events(self) -> int:
        """How many events it was told."""
        kept = self._folder / "server.events"
        return sum(1 for _ in kept.open(encoding="utf-8")) if kept.exists() else 0


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
