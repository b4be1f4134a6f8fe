"""Arithmetic in a process of its own, so that seconds or minutes of it never slow a scan.

The child is given values and gives values back; it never opens the database. Both ends are this program, started by
itself: nothing from outside is ever unpickled. A module that has such work ends with `answer(WORK)` under its main
guard, and is asked by its name.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any

from wms.core.refusal import Reason, Refused

THINK_S_MAX = 300.0
NICE = 5
_REASONS = {reason.value: reason for reason in Reason}


def ask(module: str, work: str, *given: Any) -> Any:
    """What `work` of a module makes of these values. Raises what it raises, and BUSY when it did not come back in
    time.
    """
    command = [sys.executable, "-m", module, work]
    try:
        done = subprocess.run(command, input=pickle.dumps(given), capture_output=True, timeout=THINK_S_MAX, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
        raise Refused(Reason.BUSY) from error
    found = pickle.loads(done.stdout)
    if isinstance(found, tuple) and found[0] == "refused":
        raise Refused(_REASONS[found[1]], **found[2])
    return found


def answer(works: Mapping[str, Callable[..., Any]]) -> None:
    """The child: one problem in, one answer out."""
    os.nice(NICE)
    given = pickle.load(sys.stdin.buffer)
    try:
        found: Any = works[sys.argv[1]](*given)
    except Refused as no:
        found = "refused", no.reason.value, no.facts
    sys.stdout.buffer.write(pickle.dumps(found))
