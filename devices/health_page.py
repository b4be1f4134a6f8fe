"""`/health` (JSON) and `/metrics` (Prometheus text) on loopback, for people and for monitoring."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from devices.errors import ConfigError

LOOPBACK = "127.0.0.1"
Describe = Callable[[], dict[str, Any]]


class HealthPage:
    """Serves on a thread of its own. Raises ConfigError if the port is taken."""

    def __init__(self, port: int, describe: Describe) -> None:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(_StationMetrics(describe))
        handler = _handler(describe, registry)
        try:
            self._server = ThreadingHTTPServer((LOOPBACK, port), handler)
        except OSError as error:
            raise ConfigError(f"[health] port {port} cannot be opened: {error.strerror}") from error
        self._server.daemon_threads = True
        self.url = f"http://{LOOPBACK}:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, name="health page", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        if self._thread.is_alive():
            self._server.shutdown()
        self._server.server_close()


def _handler(describe: Describe, registry: CollectorRegistry) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        timeout = 5

        def do_GET(self) -> None:
            if self.path == "/health":
                self._answer("application/json", json.dumps(describe(), ensure_ascii=False).encode())
            elif self.path == "/metrics":
                self._answer("text/plain; version=0.0.4; charset=utf-8", generate_latest(registry))
            else:
                self.send_error(404, "only /health and /metrics are here")

        def _answer(self, kind: str, content: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            """Monitoring asks every few seconds; that is nothing to write down."""

    return Handler


class _StationMetrics(Collector):
    """The station's figures, read when asked."""

    def __init__(self, describe: Describe) -> None:
        self._describe = describe

    def collect(self) -> Iterator[Metric]:
        station = self._describe()
        yield GaugeMetricFamily(
            "chuwei_server_reachable",
            "1 while the last call to the server went through",
            station["server"]["reachable"],
        )
        outbox = station["outbox"]
        yield GaugeMetricFamily("chuwei_outbox_waiting", "events the server has not acknowledged", outbox["waiting"])
        yield GaugeMetricFamily("chuwei_outbox_last_seq", "number of the newest durable event", outbox["last_seq"])
        yield CounterMetricFamily("chuwei_outbox_commits", "commits since the start", outbox["commits"])
        yield GaugeMetricFamily("chuwei_route_codes", "codes in the routing table", station["routes"]["codes"])
        states = GaugeMetricFamily("chuwei_device_state", "1 for the state a device is in", labels=["device", "state"])
        counters = CounterMetricFamily("chuwei_device_count", "a driver's counters", labels=["device", "counter"])
        for device in station["devices"]:
            states.add_metric([device["name"], device["state"]], 1)
            for counter, value in device["counters"].items():
                counters.add_metric([device["name"], counter], value)
        yield states
        yield counters
