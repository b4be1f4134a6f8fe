"""What is done in the aisles: waves become batches, batches are walked, goods go into totes or back to their slots."""

from wms.picking.rules.planning import solve
from wms.picking.service.carts import assign_tote, begin_batch, finish_batch, skip_stop, unassign_tote
from wms.picking.service.closures import lay_out_again, lay_out_open, leave_behind
from wms.picking.service.direct import lay_out_tote, pick_direct
from wms.picking.service.picks import pick
from wms.picking.service.planning import apply_plan, plan_wave, prepare_wave, solve_within
from wms.picking.service.shorts import short_pick
from wms.picking.service.stopped import drop_stopped, restock, stop_picking

__all__ = [
    "apply_plan",
    "assign_tote",
    "begin_batch",
    "drop_stopped",
    "finish_batch",
    "lay_out_again",
    "lay_out_open",
    "lay_out_tote",
    "leave_behind",
    "pick",
    "pick_direct",
    "plan_wave",
    "prepare_wave",
    "restock",
    "short_pick",
    "skip_stop",
    "solve",
    "solve_within",
    "stop_picking",
    "unassign_tote",
]
