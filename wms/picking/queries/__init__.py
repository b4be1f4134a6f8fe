"""Reads in the aisles: a walk under way, batches and their people, what lies in an order's totes."""

from wms.picking.queries.lists import OpenBatch, batches, open_batches, totes_of_order
from wms.picking.queries.walk import remember, walk_of_batch, walk_of_pick

__all__ = [
    "OpenBatch",
    "batches",
    "open_batches",
    "remember",
    "totes_of_order",
    "walk_of_batch",
    "walk_of_pick",
]
