"""A program for tests: says it is ready and sleeps. `deaf` does not hear SIGTERM, `broken` never becomes ready."""

from __future__ import annotations

import json
import signal
import sys
import time

if "broken" in sys.argv:
    sys.exit("the roof is off")
if "deaf" in sys.argv:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
print(json.dumps({"ready": True}), flush=True)
time.sleep(60)
