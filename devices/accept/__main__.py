"""`python -m devices.accept` is `wms-devices accept`."""

import sys

from devices.accept.command import main

sys.exit(main())
