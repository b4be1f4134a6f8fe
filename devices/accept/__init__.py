"""`wms-devices accept`: a simulated sorting line driven against a real gateway process, and what came of every parcel.

The line runs here, the gateway is `wms-devices run` as a process of its own, over a paced pseudo-terminal or TCP.
"""

from devices.accept.command import main

__all__ = ["main"]
