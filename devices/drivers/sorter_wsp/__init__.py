"""The sorting line: parcels ask where to go, confirmations are booked once, chutes and line are watched.

`session` is the whole of WSP/1 without a port; `parcels`, `bookings`, `chutes` and `sending` are its parts; `driver`
gives it a wire, a clock and the outbox.
"""

from devices.drivers.sorter_wsp.driver import WspSorter

__all__ = ["WspSorter"]
