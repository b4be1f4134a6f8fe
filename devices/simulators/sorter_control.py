"""The control port of the simulated line: one JSON object per line each way, over TCP.

| line sent | answer |
|---|---|
| `{"do": "offer", "codes": [..], "aims"?, "weight_g"?, "length_mm"?, "width_mm"?, "height_mm"?, "induct"?, "codes_later"?, "fate"?}` | `{"ok": true, "pid": 1}` |
| `{"do": "chute", "chute": 7, "state": "FULL"}`, `{"do": "line", "state": "STOP"}` | `{"ok": true}` |
| `{"do": "reboot", "s": 1}`, `{"do": "unplug", "s": 1}` | `{"ok": true}` |
| `{"do": "status"}` | chutes, counts, parcels on the line, counters |
| `{"do": "watch"}` | from then on a line for each parcel that leaves: `{"event": "discharged", "pid", "codes", "chute", "result", "lap", "reason", "latency_ms"}` |

`fate` is "miss" (falls into the reject exit instead) or "lost" (tracking is lost). Errors: `{"ok": false, "why": ..}`.
"""  # noqa: E501  # a table has one line per row

from __future__ import annotations

import json
import socket
from dataclasses import asdict
from typing import Any, Final

from devices.simulators.sorter_belt import Discharge, Offer
from devices.simulators.sorter_line import SimulatedLine

LINE_BYTES_MAX: Final = 65_536
CLIENTS_MAX: Final = 16
CODES_BYTES_MAX: Final = 150
CHUTE_STATES: Final = ("OPEN", "FULL", "LOCK", "JAM")
LINE_STATES: Final = ("RUN", "STOP", "ESTOP", "JAM")
OFF_S_MAX: Final = 3600.0


class ControlPort:
    """Listens on loopback; served between two turns of the line."""

    def __init__(self, line: SimulatedLine, port: int = 0) -> None:
        self._line = line
        self._clients: dict[int, tuple[socket.socket, bytearray]] = {}
        self._watching: set[int] = set()
        self._listener = socket.create_server(("127.0.0.1", port))
        self._listener.setblocking(False)
        self.port: int = self._listener.getsockname()[1]
        line.watch(self._listener.fileno(), self._accept)

    def tell(self, discharge: Discharge) -> None:
        """Tell whoever watches that a parcel left the line."""
        for descriptor in list(self._watching):
            self._send(descriptor, {"event": "discharged", **asdict(discharge)})

    def close(self) -> None:
        for descriptor in list(self._clients):
            self._drop(descriptor)
        self._line.forget(self._listener.fileno())
        self._listener.close()

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        if len(self._clients) >= CLIENTS_MAX:
            client.close()
            return
        client.settimeout(1.0)
        descriptor = client.fileno()
        self._clients[descriptor] = (client, bytearray())
        self._line.watch(descriptor, lambda: self._read(descriptor))

    def _read(self, descriptor: int) -> None:
        client, buffer = self._clients[descriptor]
        try:
            content = client.recv(LINE_BYTES_MAX)
        except OSError:
            content = b""
        buffer += content
        if not content or len(buffer) > LINE_BYTES_MAX:
            self._drop(descriptor)
            return
        *lines, rest = bytes(buffer).split(b"\n")
        buffer[:] = rest
        for line in lines:
            if line.strip():
                self._send(descriptor, self._answer(descriptor, line))

    def _answer(self, descriptor: int, line: bytes) -> dict[str, Any]:
        try:
            wish = json.loads(line)
            if not isinstance(wish, dict):
                raise ValueError("a wish is a JSON object")
            return {"ok": True, **self._do(descriptor, wish)}
        except (ValueError, TypeError, KeyError) as error:
            return {"ok": False, "why": f"{type(error).__name__}: {error}"}

    def _do(self, descriptor: int, wish: dict[str, Any]) -> dict[str, Any]:
        match wish.pop("do", None):
            case "offer":
                return self._offer(wish)
            case "chute":
                self._line.plc.set_chute(
                    _known(wish["chute"], self._line.belt.chutes), _known(wish["state"], CHUTE_STATES)
                )
            case "line":
                self._line.plc.set_line(_known(wish["state"], LINE_STATES))
            case "reboot":
                self._line.reboot(_seconds(wish["s"]))
            case "unplug":
                self._line.unplug(_seconds(wish["s"]))
            case "status":
                return self._status()
            case "watch":
                self._watching.add(descriptor)
            case other:
                raise ValueError(f"cannot do {other!r}")
        return {}

    def _offer(self, wish: dict[str, Any]) -> dict[str, Any]:
        parcel = self._line.offer(offer_of(wish))
        if parcel is None:
            raise ValueError("the line has no power")
        return {"pid": parcel.pid}

    def _status(self) -> dict[str, Any]:
        line = self._line
        return {
            "powered": line.plc.powered,
            "session": line.plc.answered,
            "line": line.plc.line,
            "chutes": {str(number): state for number, state in line.belt.chutes.items()},
            "counts": {str(number): count for number, count in line.belt.counts.items()},
            "on_line": line.belt.parcels(),
            "unacknowledged": len(line.memory.unacknowledged),
            "scans": line.belt.scans,
            "unanswered": line.belt.unanswered,
            "counters": dict(line.plc.counters),
            "shown": list(line.plc.shown_to_person),
        }

    def _send(self, descriptor: int, content: dict[str, Any]) -> None:
        if descriptor not in self._clients:
            return
        try:
            self._clients[descriptor][0].sendall(json.dumps(content).encode() + b"\n")
        except OSError:
            self._drop(descriptor)

    def _drop(self, descriptor: int) -> None:
        client, _ = self._clients.pop(descriptor)
        self._watching.discard(descriptor)
        self._line.forget(descriptor)
        client.close()


def offer_of(wish: dict[str, Any]) -> Offer:
    """A parcel from its JSON. Raises ValueError or TypeError where it cannot be on a line."""
    codes = _texts(wish.pop("codes", []))
    later = wish.pop("codes_later", None)
    offer = Offer(
        codes, aims=_texts(wish.pop("aims", [])), codes_later=None if later is None else _texts(later), **wish
    )
    if offer.fate not in ("", "miss", "lost"):
        raise ValueError(f"no such fate: {offer.fate}")
    if offer.aims and len(offer.aims) != len(offer.codes):
        raise ValueError("one AIM id for each code")
    return offer


def _texts(values: object) -> tuple[str, ...]:
    if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
        raise ValueError("codes are a list of texts")
    # Three bytes each at worst, and the telegram must hold them all.
    if 3 * sum(len(value.encode()) for value in values) > 3 * CODES_BYTES_MAX:
        raise ValueError(f"more than {CODES_BYTES_MAX} bytes of codes")
    return tuple(values)


def _known(value: Any, known: Any) -> Any:
    if value not in known:
        raise ValueError(f"{value!r} is none of {', '.join(map(str, known))}")
    return value


def _seconds(value: object) -> float:
    if not isinstance(value, (int, float)) or not 0 < value <= OFF_S_MAX:
        raise ValueError("s must be seconds, more than 0")
    return float(value)
