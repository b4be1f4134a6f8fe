"""`python -m devices.accept.stepped_clock STEP_FILE ARGUMENTS...`: `wms-devices ARGUMENTS` whose wall clock jumps.

Nothing in the product knows of this: before its first line runs, `time.time` and `time.time_ns` of this process are
moved by what the file says (a float, seconds). The monotonic clock is left alone, as a real step leaves it.
"""

from __future__ import annotations

import mmap
import struct
import sys
import time
from pathlib import Path


def install(step_file: Path) -> None:
    """Move this process's wall clock by the eight bytes of `step_file`, whenever they change."""
    with step_file.open("r+b") as file:
        step = mmap.mmap(file.fileno(), 8, access=mmap.ACCESS_READ)
    real_time, real_time_ns = time.time, time.time_ns

    def seconds() -> float:
        offset_s: float = struct.unpack("<d", step[:8])[0]
        return offset_s

    time.time = lambda: real_time() + seconds()
    time.time_ns = lambda: real_time_ns() + int(seconds() * 1e9)


def main() -> int:
    install(Path(sys.argv[1]))
    from devices.cli import main as wms_devices  # after the clock, or its modules would hold the real one

    return wms_devices(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
