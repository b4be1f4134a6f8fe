"""`python -m wms.cli ...` is `wms ...`."""

from __future__ import annotations

import sys

from wms.cli import main

if __name__ == "__main__":
    sys.exit(main())
