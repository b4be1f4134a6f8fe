"""`python -m devices` is `wms-devices`."""

from __future__ import annotations

import sys

from devices.cli import main

sys.exit(main())
