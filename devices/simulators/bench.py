"""What every simulated machine needs: its end of a paced, faulty cable, a control port, and the line that says "ready".

Controls are JSON objects, one per line, on stdin or on the control port; each is answered with one line.
`{"unplug": 2}` works on all machines.
"""

from __future__ import annotations

import argparse
import json
import queue
import random
import select
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from devices.simulators.cable_ends import LOOPBACK, READ_BYTES_MAX, End, PtyEnd, TcpEnd
from devices.simulators.sorter_faults import Faults, Lane, Timed, read_faults

BITS_PER_BYTE: Final = 10
# How long the cable sleeps at most when nothing is on the wire: whoever says something wakes it at once.
IDLE_S: Final = 0.5
FULL_S: Final = 0.002
UNPLUG_S_MAX: Final = 3_600.0
CONTROL_LINE_BYTES_MAX: Final = 65_536

Answer = dict[str, Any]
Handler = Callable[[dict[str, Any]], Answer]


class Cable:
    """Moves bytes between the machine and its end, at the pace of the wire and with its faults.

    `heard` is called with what arrived, on the cable's thread; while `can_take` says False nothing more is read, so the
    other end feels a full buffer. `hung_up` is called when a TCP peer closed.
    """

    def __init__(
        self,
        end: End,
        heard: Callable[[bytes], None],
        *,
        baud: int = 0,
        faults: Faults | None = None,
        seed: int = 0,
        hung_up: Callable[[], None] = lambda: None,
        can_take: Callable[[], bool] = lambda: True,
    ) -> None:
        self.end = end
        self._heard = heard
        self._hung_up = hung_up
        self._can_take = can_take
        self._faults = faults or Faults()
        byte_s = BITS_PER_BYTE / baud if baud else 0.0
        self._inward = Lane(byte_s, self._faults, random.Random(seed))
        self._outward = Lane(byte_s, self._faults, random.Random(seed + 1))
        self._outbox: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._plugged_at_s = 0.0
        self._stopping = threading.Event()
        self._reset_after_bytes: int | None = None
        self._reset_late_s = 0.0
        self._reset_due_s: float | None = None
        self._dead_after_bytes: int | None = None
        self.bytes_heard = 0
        self._bell, self._ringer = socket.socketpair()
        for end_of_bell in (self._bell, self._ringer):
            end_of_bell.setblocking(False)
        self._thread = threading.Thread(target=self._pump, name="cable", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopping.set()
        self._wake()
        self._thread.join(2.0)
        self.end.close()
        self._bell.close()
        self._ringer.close()

    def say(self, content: bytes) -> None:
        """Send as the machine."""
        self._outbox.put(content)
        self._wake()

    def unplug(self, seconds: float) -> None:
        """Pull the cable for `seconds`."""
        self._plugged_at_s = time.monotonic() + min(seconds, UNPLUG_S_MAX)
        self._wake()

    def reset_after(self, bytes_more: int | None, late_s: float = 0.0) -> None:
        """Break the connection (TCP: a reset; else the cable is pulled out for a moment) after so many more bytes.

        `late_s`: the machine hears and says nothing from there on, and the break comes so much later.
        """
        self._reset_late_s = late_s
        self._reset_after_bytes = bytes_more

    def dead_after(self, bytes_more: int | None) -> None:
        """After so many more bytes the machine neither hears nor speaks, while the connection stays; None: alive.

        A machine that is switched on again has forgotten its TCP connection.
        """
        if bytes_more is None and self._dead_after_bytes == 0 and isinstance(self.end, TcpEnd):
            self._reset_due_s = time.monotonic()
        self._dead_after_bytes = bytes_more
        self._wake()

    def _wake(self) -> None:
        with suppress(OSError):  # a full bell rings already, a closed one belongs to a cable that has ended
            self._ringer.send(b"!")

    def _pump(self) -> None:
        timed = [(fault, time.monotonic() + fault.every_s) for fault in self._faults.timed if fault.name == "unplug"]
        while not self._stopping.is_set():
            timed = [self._if_due(fault, due_s) for fault, due_s in timed]
            if time.monotonic() < self._plugged_at_s:
                self._stay_unplugged()
                continue
            self._move(min([due_s for _, due_s in timed], default=float("inf")))

    def _if_due(self, fault: Timed, due_s: float) -> tuple[Timed, float]:
        if time.monotonic() < due_s:
            return fault, due_s
        self.unplug(fault.lasts_s)
        return fault, time.monotonic() + fault.every_s

    def _stay_unplugged(self) -> None:
        self.end.unplug()
        self._forget_connection()
        while not self._stopping.is_set() and time.monotonic() < self._plugged_at_s:
            time.sleep(0.005)
        if not self._stopping.is_set():
            self.end.plug()

    def _forget_connection(self) -> None:
        """What was under way is gone; nothing of it may reach the next connection."""
        self._hung_up()
        self._inward.cut()
        self._outward.cut()
        while not self._outbox.empty():
            self._outbox.get()

    def _move(self, fault_due_s: float) -> None:
        now_s = time.monotonic()
        while not self._outbox.empty():
            self._outward.send(self._outbox.get(), now_s)
        broken_s = float("inf") if self._reset_due_s is None else self._reset_due_s
        due_s = min(self._outward.next_s(), self._inward.next_s(), fault_due_s, broken_s) - now_s
        self._listen(max(0.0, min(due_s, IDLE_S)))
        now_s = time.monotonic()
        if now_s >= broken_s:
            self._break_off()
        if arrived := self._inward.arrived(now_s):
            self._heard(arrived)
        leaving = self._outward.arrived(now_s)
        if leaving and self._dead_after_bytes != 0 and self._reset_due_s is None:
            self.end.write(leaving)

    def _listen(self, wait_s: float) -> None:
        """Wait for bytes, or until somebody has something to say; a machine that is full or dead does not listen."""
        full = not self._can_take()
        taking = not full and not self._deaf()
        sources = self.end.sources() if taking else []
        rung, _, _ = select.select([self._bell.fileno(), *sources], [], [], min(wait_s, FULL_S) if full else wait_s)
        if self._bell.fileno() in rung:
            self._bell.recv(READ_BYTES_MAX)
        if taking:
            self._read()

    def _deaf(self) -> bool:
        """Dead, or soon to be reset; a dead machine's network card still takes bytes, but nobody ever closes."""
        return self._reset_due_s is not None or (self._dead_after_bytes == 0 and isinstance(self.end, TcpEnd))

    def _read(self) -> None:
        content = self.end.read(0)
        if content is None:
            self._forget_connection()
            return
        if self._dead_after_bytes is not None:
            content = content[: self._dead_after_bytes]
            self._dead_after_bytes -= len(content)
        if self._reset_after_bytes is not None:
            kept = content[: self._reset_after_bytes]
            self._reset_after_bytes -= len(kept)
            self._take(kept)
            if len(kept) < len(content):
                self._reset_due_s = time.monotonic() + self._reset_late_s
            return
        self._take(content)

    def _take(self, content: bytes) -> None:
        if content:
            self.bytes_heard += len(content)
            self._inward.send(content, time.monotonic())

    def _break_off(self) -> None:
        self._reset_after_bytes = self._reset_due_s = None
        if last := self._inward.arrived(float("inf")):
            self._heard(last)
        if isinstance(self.end, TcpEnd):
            self.end.hang_up(reset=True)
        else:
            self.end.unplug()
            self.end.plug()
        self._forget_connection()


class Control:
    """Takes JSON lines on a TCP port of loopback and answers each."""

    def __init__(self, handle: Handler, port: int = 0) -> None:
        self._handle = handle
        self._listener = socket.create_server((LOOPBACK, port), backlog=4)
        self.port = int(self._listener.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, name="control", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        # Closing alone does not wake an accept; shutting down does.
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(2.0)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rwb") as lines, suppress(OSError):
            while line := lines.readline(CONTROL_LINE_BYTES_MAX):
                lines.write(json.dumps(answer_line(self._handle, line)).encode() + b"\n")
                lines.flush()


def answer_line(handle: Handler, line: bytes | str) -> Answer:
    """The answer to one control line; a line that is wrong gets `{"error": ...}`."""
    try:
        asked = json.loads(line)
        if not isinstance(asked, dict):
            raise ValueError("a control is a JSON object")
        return handle(asked)
    except (ValueError, KeyError, TypeError) as error:
        return {"error": f"{error}"}


def add_common_arguments(parser: argparse.ArgumentParser, *, baud: int) -> None:
    """--port or --tcp, --baud, --faults, --seed, --control."""
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--port", default="", metavar="PATH", help="make a pseudo-terminal and this symlink to it")
    where.add_argument("--tcp", type=int, metavar="PORT", help="listen on this port of loopback; 0: any free one")
    parser.add_argument(
        "--baud", type=int, default=baud, help=f"pace of the wire (default {baud}; 0: as fast as it goes)"
    )
    parser.add_argument("--faults", default="", metavar="SPEC", help="flip=P,drop=P,dup=P,delay=P:S,unplug=S:EVERY_S")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--control", type=int, default=0, metavar="PORT", help="control port on loopback; 0: any free one"
    )


def make_end(chosen: argparse.Namespace) -> PtyEnd | TcpEnd:
    return TcpEnd(chosen.tcp) if chosen.tcp is not None else PtyEnd(chosen.port)


def chosen_faults(chosen: argparse.Namespace) -> Faults:
    return read_faults(chosen.faults)


def say(line: dict[str, Any]) -> None:
    """One JSON line on stdout."""
    print(json.dumps(line, ensure_ascii=False), flush=True)


def stay(machine: str, cable: Cable, handle: Handler, control_port: int, **shown: Any) -> int:
    """Say that the machine is ready, obey stdin and the control port, and end cleanly on SIGTERM or Ctrl+C."""
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    def with_common(asked: dict[str, Any]) -> Answer:
        if "unplug" in asked:
            cable.unplug(float(asked["unplug"]))
            return {"ok": True}
        return handle(asked)

    control = Control(with_common, control_port)
    cable.start()
    say({"ready": True, "machine": machine, **cable.end.shown, "control": control.port, **shown})
    threading.Thread(target=_obey_stdin, args=(with_common,), daemon=True).start()
    stopping.wait()
    control.stop()
    cable.stop()
    return 0


def _obey_stdin(handle: Handler) -> None:
    for line in sys.stdin:
        if line.strip():
            say(answer_line(handle, line))


def parse(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> argparse.Namespace:
    return parser.parse_args(list(arguments))
