"""The mother of servers: a process that has imported the program and forks a server for every line it is told.

`python -m tests.proofs.fire.mother` reads JSON lines from stdin, {"words": [...], "log": path, "sabotage": name or
null}, and answers each with the child's process id. A child runs `wms WORDS...` exactly as the command line does; only
the seconds that importing takes are spared, so that a hundred kills fit into minutes. All children end with the mother,
and she ends with her stdin.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import traceback
from typing import Any

from tests.proofs.fire import sabotage
from wms.cli import main as wms

PR_SET_PDEATHSIG = 1


def main() -> int:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the dead are buried by the system
    for line in sys.stdin:
        print(_bear(json.loads(line)), flush=True)
    return 0


def _bear(wish: dict[str, Any]) -> int:
    child = os.fork()
    if child == 0:
        os._exit(_live(wish))
    return child


def _live(wish: dict[str, Any]) -> int:
    """Be a server: the exit code. Whatever happens must end here, for above stands the mother's loop."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(wish["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(log, 1)
    os.dup2(log, 2)
    try:
        if wish["sabotage"]:
            sabotage.KINDS[wish["sabotage"]]()
        return wms(wish["words"])
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:  # noqa: BLE001 - a process of its own: told in its log, seen in its exit code
        traceback.print_exc()
        return 70


if __name__ == "__main__":
    sys.exit(main())
