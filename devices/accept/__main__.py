"""`python -m devices.accept` is `wms-devices accept`."""

import sys

from devices.accept.command import main

# Guarded: processes of an accelerated run begin by importing this module.
if __name__ == "__main__":
    sys.exit(main())
