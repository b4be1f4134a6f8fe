"""What is asked of the order desk: take an order, promise stock to it, send it out in a wave, or stop it."""

from wms.outbound.service.allocation import allocate, allocate_waiting
from wms.outbound.service.orders import cancel_order, create_order
from wms.outbound.service.promises_kept import give_back
from wms.outbound.service.waves import (
    begin_planning,
    cancel_wave,
    finish_release,
    keep_in_order,
    make_waves,
    put_back,
    release_orders,
    release_wave,
    stop_planning,
)

__all__ = [
    "allocate",
    "allocate_waiting",
    "begin_planning",
    "cancel_order",
    "cancel_wave",
    "create_order",
    "finish_release",
    "give_back",
    "keep_in_order",
    "make_waves",
    "put_back",
    "release_orders",
    "release_wave",
    "stop_planning",
]
