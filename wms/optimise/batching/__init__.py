"""Which orders are picked together: batches whose exact tours are short, within what a cart carries."""

from wms.optimise.batching.plan import lower_bound, plan_batches
from wms.optimise.batching.problem import (
    Batch,
    BatchingError,
    BatchLimits,
    BatchPlan,
    Cart,
    Objective,
    Order,
)

__all__ = [
    "Batch",
    "BatchLimits",
    "BatchPlan",
    "BatchingError",
    "Cart",
    "Objective",
    "Order",
    "lower_bound",
    "plan_batches",
]
