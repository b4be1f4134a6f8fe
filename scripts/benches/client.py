"""The other side of the REST measurement, a process of its own: keep-alive connections that live order cycles.

`python -m scripts.benches.client` reads one JSON object from stdin and writes one to stdout. Sockets are used bare, so
that the client's own work weighs little beside the server's.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any

CALL_TIMEOUT_S = 30.0
HEAD_BYTES_MAX = 16_384
CALLS_A_CYCLE = 8


class Connection:
    """One keep-alive connection."""

    def __init__(self, port: int, key: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), CALL_TIMEOUT_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._head = (
            f"Host: 127.0.0.1\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\nIdempotency-Key: "
        )

    def post(self, path: str, body: dict[str, Any] | None, request_id: str) -> tuple[int, dict[str, Any]]:
        """Status and content of the answer."""
        content = b"" if body is None else json.dumps(body, separators=(",", ":")).encode()
        head = f"POST /api/v1/{path} HTTP/1.1\r\n{self._head}{request_id}\r\nContent-Length: {len(content)}\r\n\r\n"
        self._socket.sendall(head.encode() + content)
        return self._answer()

    def _answer(self) -> tuple[int, dict[str, Any]]:
        got = b""
        while b"\r\n\r\n" not in got:
            got += self._more(len(got))
        head, _, body = got.partition(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        while len(body) < length:
            body += self._more(0)
        return int(head[9:12]), json.loads(body)

    def _more(self, so_far: int) -> bytes:
        more = self._socket.recv(65_536)
        if not more or so_far > HEAD_BYTES_MAX:
            raise ConnectionError("the server hung up")
        return more


class Runner(threading.Thread):
    """Cycle after cycle on one connection until told to stop; the time of every call it made."""

    def __init__(self, number: int, wish: dict[str, Any], stop: threading.Event) -> None:
        super().__init__(name=f"connection {number}", daemon=True)
        self._number, self._wish, self._enough = number, wish, stop
        self._ids = count(1)
        self._connection = Connection(wish["port"], wish["key"])
        self.calls: list[tuple[str, float, float]] = []
        self.cycles: list[float] = []
        self.refused: list[str] = []

    def run(self) -> None:
        for turn in count():
            if self._enough.is_set():
                return
            try:
                self._cycle(turn)
            except KeyError as missing:
                self.refused.append(f"an answer without {missing}")
            except OSError as error:
                self.refused.append(str(error))
                return

    def _cycle(self, turn: int) -> None:
        """Receive, put away, order, allocate, three picks, ship."""
        name = f"B{self._number}X{turn}"
        merchants = sorted(self._wish["merchants"])
        merchant = merchants[(self._number + turn) % len(merchants)]
        asn, skus = self._wish["merchants"][merchant]
        mine = [skus[(self._number + turn + step) % len(skus)] for step in range(3)]
        self._call("receipt", "receipts", {"asn": asn, "sku": mine[0], "quantity": 3, "container": name})
        self._call("putaway", "putaways", {"container": name})
        self._call("order", "orders", self._order(name, merchant, mine, turn))
        promised = self._call("allocate", f"orders/{name}/allocate", None)
        for sku, take in _takes(promised):
            self._call("pick", "picks", {"order": name, "sku": sku, **take})
        self._call("ship", f"orders/{name}/ship", None)
        self.cycles.append(time.monotonic())

    def _order(self, no: str, merchant: str, skus: list[str], turn: int) -> dict[str, Any]:
        couriers, areas = self._wish["couriers"], self._wish["areas"]
        receiver = {
            "name": "Receiver",
            "phone": "13800000000",
            "address": "1 Road",
            "area_code": areas[turn % len(areas)],
        }
        lines = [{"sku": sku, "quantity": 1} for sku in skus]
        courier = couriers[turn % len(couriers)]
        return {"no": no, "merchant": merchant, "courier": courier, "lines": lines, "receiver": receiver}

    def _call(self, kind: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        began_s = time.monotonic()
        status, content = self._connection.post(path, body, f"{self._number}-{next(self._ids)}")
        now_s = time.monotonic()
        self.calls.append((kind, now_s, now_s - began_s))
        if status >= 400:
            self.refused.append(f"{kind}: {status} {content}")
        return content


def _takes(promised: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for line in promised["lines"]:
        for take in line["takes"]:
            yield line["sku"], take


def cpu_s(pid: int) -> float:
    """Processor time a process has used so far, from /proc; nan where there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return float("nan")
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> int:
    wish = json.load(sys.stdin)
    stop = threading.Event()
    runners = [Runner(number, wish, stop) for number in range(wish["connections"])]
    for runner in runners:
        runner.start()
    time.sleep(wish["warm_up_s"])
    began_s, cpu_began_s = time.monotonic(), cpu_s(wish["server_pid"])
    time.sleep(wish["seconds"])
    ended_s, cpu_ended_s = time.monotonic(), cpu_s(wish["server_pid"])
    stop.set()
    for runner in runners:
        runner.join(CALL_TIMEOUT_S)
    calls = [(kind, took) for one in runners for kind, at, took in one.calls if began_s <= at <= ended_s]
    result = {
        "seconds": ended_s - began_s,
        "cpu_s": cpu_ended_s - cpu_began_s,
        "cycles": sum(began_s <= at <= ended_s for one in runners for at in one.cycles),
        "times_s": {kind: sorted(took for each, took in calls if each == kind) for kind in dict(calls)},
        "refused": [what for one in runners for what in one.refused],
    }
    json.dump(result, sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
