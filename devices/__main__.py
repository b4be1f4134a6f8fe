"""`python -m devices` is `wms-devices`."""

from __future__ import annotations

import sys

from devices.cli import main

# Guarded: processes of an accelerated run begin by importing this module.
if __name__ == "__main__":
    sys.exit(main())
