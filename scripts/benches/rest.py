"""Order cycles through the real server: receive, put away, order, allocate, three picks, ship; eight calls a cycle.

The server is `wms serve` in a process of its own over a fresh SQLite park, the clients another process with keep-alive
connections. Processor time is the server's own (user and system, from /proc), all of its threads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from scripts.benches.calibration import calibrate
from scripts.benches.client import CALLS_A_CYCLE
from scripts.benches.park import BenchPark, build

ROOT = Path(__file__).resolve().parent.parent.parent
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20
REFUSALS_SHOWN_MAX = 3
_PORT = re.compile(r"http://127\.0\.0\.1:(\d+)/")


def add_to(kinds: Any) -> None:
    parser = kinds.add_parser("rest", help="order cycles per second through the REST API")
    parser.add_argument("--seconds", type=float, default=20.0, help="measured time (20)")
    parser.add_argument("--warm-up", type=float, default=4.0, help="time before it (4)")
    parser.add_argument("--connections", type=int, default=8, help="keep-alive connections (8)")
    parser.add_argument("--json", action="store_true", help="JSON Lines (always so)")
    parser.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Measure and print; 1 when any call was refused."""
    with tempfile.TemporaryDirectory(prefix="chuwei-bench-") as name:
        folder = Path(name)
        print("building the park ...", file=sys.stderr)
        park = build(folder / "park.db")
        with serving(park, folder / "server.log") as (pid, port):
            print(f"server {pid} on port {port}; {given.connections} connections ...", file=sys.stderr)
            wish = {
                **asdict(park),
                "port": port,
                "server_pid": pid,
                "connections": given.connections,
                "warm_up_s": given.warm_up,
                "seconds": given.seconds,
            }
            found = _clients(wish)
        machine = calibrate(folder)
    for line in report(found, machine, given.connections):
        print(json.dumps(line), flush=True)
    for what in found["refused"][:REFUSALS_SHOWN_MAX]:
        print(f"refused: {what}", file=sys.stderr)
    return 1 if found["refused"] else 0


@contextmanager
def serving(park: BenchPark, log: Path) -> Iterator[tuple[int, int]]:
    """The server's process id and port, as long as it is needed."""
    command = [sys.executable, "-m", "wms.cli", "serve", "--db", park.url, "--port", "0"]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("WMS_")}
    with log.open("w", encoding="utf-8") as talk:
        server = subprocess.Popen(command, cwd=ROOT, env=clean, stderr=talk)
    try:
        yield server.pid, _port(server, log)
    finally:
        server.terminate()
        server.wait(STOP_TIMEOUT_S)


def _port(server: subprocess.Popen[bytes], log: Path) -> int:
    """The port it says it listens on. Ends the measurement when it says none."""
    deadline_s = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline_s and server.poll() is None:
        found = _PORT.search(log.read_text("utf-8"))
        if found:
            return int(found[1])
        time.sleep(0.05)
    raise SystemExit(f"the server did not start: {log.read_text('utf-8')}")


def _clients(wish: dict[str, Any]) -> dict[str, Any]:
    command = [sys.executable, "-m", "scripts.benches.client"]
    done = subprocess.run(command, cwd=ROOT, input=json.dumps(wish), capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"the clients failed: {done.stderr}")
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def report(found: dict[str, Any], machine: dict[str, Any], connections: int) -> Iterator[dict[str, Any]]:
    """One line per kind of call, one for the bare machine, the sum last."""
    for kind, times_s in found["times_s"].items():
        yield {"bench": "rest", "call": kind, "count": len(times_s), **percentiles(times_s)}
    yield {"bench": "rest", "machine": {**machine, "cpus": os.cpu_count(), "load": os.getloadavg()[0]}}
    calls = sum(len(times_s) for times_s in found["times_s"].values())
    cycles, cpu_s = max(1, found["cycles"]), found["cpu_s"]
    calls_per_s = calls / found["seconds"]
    yield {
        "bench": "rest",
        "connections": connections,
        "calls_a_cycle": CALLS_A_CYCLE,
        "seconds": round(found["seconds"], 2),
        "cycles_per_s": round(found["cycles"] / found["seconds"], 1),
        "scans_per_s": round(calls_per_s, 1),
        "refused": len(found["refused"]),
        "cpu_ms_per_cycle": None if math.isnan(cpu_s) else round(cpu_s * 1_000 / cycles, 2),
        "cpu_from": "/proc/PID/stat of the server: user and system time of all its threads",
        "server_cpu_share": None if math.isnan(cpu_s) else round(cpu_s / found["seconds"], 2),
        "scans_per_raw_commit": round(calls_per_s / max(1, machine["raw_commits_per_s"]), 3),
    }


def percentiles(times_s: list[float]) -> dict[str, float]:
    """Nearest-rank p50 and p99 of sorted times, in ms."""
    return {
        f"p{share}_ms": round(times_s[max(0, math.ceil(len(times_s) * share / 100) - 1)] * 1_000, 2)
        for share in (50, 99)
    }
