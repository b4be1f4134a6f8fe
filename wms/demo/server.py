"""The demonstration's server: the house's own, in a process of its own, with a business clock that runs fast.

`python -m wms.demo.server --db URL --start ISO --factor F --evening ISO` prints one JSON line with its port when it
listens.
"""

from __future__ import annotations

import argparse
import json
import signal
import sys
from collections.abc import Sequence
from datetime import datetime

from wms.app import make_house
from wms.demo.clock import DayClock
from wms.serving import listen, say_weaknesses, serve
from wms.settings import read_settings
from wms.trouble import Trouble, open_database


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="wms.demo.server", description=__doc__)
    parser.add_argument("--db", required=True)
    parser.add_argument("--start", required=True, type=datetime.fromisoformat)
    parser.add_argument("--factor", required=True, type=float)
    parser.add_argument("--evening", required=True, type=datetime.fromisoformat)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args(arguments)
    settings = read_settings(host=given.host, port=given.port)
    try:
        database = open_database(given.db)
        clock = DayClock(given.start, given.factor, given.evening)
        house = make_house(database, clock, settings)
        server = listen(house, settings)
    except Trouble as trouble:
        print(f"wms: {trouble}", file=sys.stderr)
        return 2
    say_weaknesses(database, clock, settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    print(json.dumps({"ready": True, "port": int(server.effective_port)}), flush=True)
    serve(house, server, database)
    return 0


if __name__ == "__main__":
    sys.exit(main())
