"""`wms-devices sweep`: a fault at every byte of a print job, for each language, wire and kind of fault, and the count.

What is counted is paper: the simulated printer knows how many whole labels came out. The promise: never two copies
without a person; proved means printed; a label that did not come out is shown within 10 s.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Final

from devices.accept.print_bench import PrintBench
from devices.errors import GatewayError

LANGUAGES: Final = ("escpos", "tspl", "zpl")
WIRES: Final = ("tcp", "serial", "file", "silent", "silent_tcp")
# cut: the connection breaks; kill: the gateway dies; dead: the printer neither hears nor answers any more; late: dead,
# and the reset that tells it comes only when a watch of the wire would long be over.
FAULTS: Final = ("cut", "kill", "dead", "late")
LATE_S: Final = 0.7
LATE_WIRES: Final = frozenset({"tcp", "silent_tcp"})
SHOWN_S_MAX: Final = 10.0
CLEAN_TRIES_MAX: Final = 5
ROWS: Final = 8
WIDTH_BYTES: Final = 4
# How a label ends without a fault. On a character device that is never asked nothing shows that a label is there.
CLEAN: Final = {
    "tcp": ("verified", "sent"),
    "serial": ("verified", "sent"),
    "file": ("verified", "sent"),
    "silent": ("uncertain",),
    "silent_tcp": ("sent",),
}
SHOWN: Final = frozenset({"verified", "uncertain"})


@dataclass(slots=True)
class SweepCount:
    """What one combination came to. `bytes`: from the first status request to the last question for proof."""

    language: str
    wire: str
    fault: str
    bytes: int
    trials: int = 0
    verified: int = 0
    uncertain: int = 0
    sent: int = 0
    two_copies: int = 0
    proved_without_paper: int = 0
    lost_unshown: int = 0
    slowest_s: float = 0.0

    def note(self, state: str, copies: int, took_s: float) -> None:
        """One job that ended as `state` with so many whole labels on paper."""
        self.trials += 1
        self.verified += state == "verified"
        self.uncertain += state == "uncertain"
        self.sent += state == "sent"
        self.two_copies += copies > 1
        self.proved_without_paper += state == "verified" and copies == 0
        self.lost_unshown += copies == 0 and (state not in SHOWN or took_s > SHOWN_S_MAX)
        self.slowest_s = round(max(self.slowest_s, took_s), 2)

    def holds(self) -> bool:
        return self.trials > 0 and not (self.two_copies or self.proved_without_paper or self.lost_unshown)


def label(language: str, number: int) -> bytes:
    """A small label with its number in its dots, in the commands that the server's labels are made of."""
    dots = (number.to_bytes(WIDTH_BYTES, "big") * ROWS)[: ROWS * WIDTH_BYTES]
    if language == "escpos":
        head = b"\x1dv0\x00" + WIDTH_BYTES.to_bytes(2, "little") + ROWS.to_bytes(2, "little")
        return b"\x1b@" + head + dots + b"\x1dV\x42\x00"
    if language == "tspl":
        inverted = bytes(255 - byte for byte in dots)
        head = b"SIZE 4 mm,1 mm\r\nGAP 2 mm,0 mm\r\nCLS\r\nBITMAP 0,0,%d,%d,0," % (WIDTH_BYTES, ROWS)
        return head + inverted + b"\r\nPRINT 1,1\r\n"
    size = len(dots)
    field = f"^FO0,0^GFA,{size},{size},{WIDTH_BYTES},{dots.hex().upper()}^FS"
    return f"^XA\n^PW{8 * WIDTH_BYTES}\n^LL{ROWS}\n^LH0,0\n{field}\n^PQ1\n^XZ\n".encode("ascii")


def sweep(
    folder: Path, languages: Sequence[str], wires: Sequence[str], faults: Sequence[str], step: int
) -> Iterator[SweepCount]:
    """One count for each combination, a fault at every `step`th byte. A cable that is pulled out is so at once."""
    for language in languages:
        for wire in wires:
            for fault in faults:
                if fault == "late" and wire not in LATE_WIRES:
                    continue
                yield _one(folder / f"{language}-{wire}-{fault}", language, wire, fault, step)


def _one(folder: Path, language: str, wire: str, fault: str, step: int) -> SweepCount:
    bench = PrintBench(folder, language, wire)
    try:
        count = SweepCount(language, wire, fault, _bytes_of_a_job(bench, language, wire))
        for at in range(0, count.bytes, step):
            _trial(bench, count, at)
        return count
    finally:
        bench.close()


def _bytes_of_a_job(bench: PrintBench, language: str, wire: str) -> int:
    """Counted on a label without a fault; a busy machine may look too late to see the printer busy, so try again."""
    state = ""
    for number in range(CLEAN_TRIES_MAX):
        before = bench.cable.bytes_heard
        state, _ = bench.print(f"clean{number}", label(language, 0))
        bench.rest()
        if bench.whole_labels() != number + 1:
            break
        if state in CLEAN[wire]:
            return bench.cable.bytes_heard - before
    raise GatewayError(f"{language} over {wire}: without a fault the label ended as {state}")


def _trial(bench: PrintBench, count: SweepCount, at: int) -> None:
    arm = _arming(bench, count.fault)
    before = bench.whole_labels()
    arm(at)
    state, took_s = bench.print(f"at{at}", label(count.language, at + 1))
    arm(None)
    bench.rest()
    count.note(state, bench.whole_labels() - before, took_s)
    bench.printer.handle({"mend": True})
    bench.printer.hung_up()


def _arming(bench: PrintBench, fault: str) -> Callable[[int | None], None]:
    if fault == "cut":
        return bench.cable.reset_after
    if fault == "late":
        return partial(bench.cable.reset_after, late_s=LATE_S)
    if fault == "dead":
        return bench.cable.dead_after

    def kill(at: int | None) -> None:
        bench.bytes_until_killed = at

    return kill


def main(argv: Sequence[str] | None = None) -> int:
    """Exit code 0: the promise held at every byte; 1: it did not; 2: bad usage."""
    parser = argparse.ArgumentParser(
        prog="wms-devices sweep", description="A fault at every byte of a print job; counts the labels that came out."
    )
    for name, known in (("language", LANGUAGES), ("wire", WIRES), ("fault", FAULTS)):
        parser.add_argument(f"--{name}", choices=known, action="append", help="may be repeated; default: all")
    parser.add_argument("--step", type=int, default=1, metavar="BYTES", help="a fault at every so many bytes")
    parser.add_argument("--json", action="store_true", help="one JSON object per line")
    wish = parser.parse_args(argv)
    if wish.step < 1:
        parser.error("--step must be 1 or more")
    held, trials = True, 0
    with tempfile.TemporaryDirectory(prefix="sweep-") as folder:
        chosen = (wish.language or LANGUAGES, wish.wire or WIRES, wish.fault or FAULTS)
        for count in sweep(Path(folder), *chosen, step=wish.step):
            held, trials = held and count.holds(), trials + count.trials
            print(json.dumps(asdict(count)) if wish.json else _in_words(count), flush=True)
    if not wish.json:
        print(f"{trials} faults, {'the promise held at each' if held else 'THE PROMISE DID NOT HOLD'}")
    return 0 if held else 1


def _in_words(count: SweepCount) -> str:
    broken = f"two copies {count.two_copies}, proved without paper {count.proved_without_paper}"
    return (
        f"{count.language:7} {count.wire:7} {count.fault:5} {count.trials:4} faults in {count.bytes} bytes: "
        f"verified {count.verified}, uncertain {count.uncertain}, sent {count.sent}; {broken}, "
        f"lost and not shown {count.lost_unshown}; slowest {count.slowest_s} s"
    )


if __name__ == "__main__":
    sys.exit(main())
