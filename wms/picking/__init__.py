"""The aisles: batches are walked and goods are picked.

Straight into the orders' totes on a cart, or one by one into an order's own tote for programs. Short picks are said
at the slot, not discovered at packing; an order that is stopped drops out of the walk and its goods go back.

Offers `service` (plan_wave and its three parts prepare_wave, solve, apply_plan; begin_batch, assign_tote, pick,
short_pick, skip_stop, finish_batch; pick_direct; stop_picking, restock), `queries` and the dialogues of
`dialogue.DIALOGUES`. Every pick's movement has the reference "order:<id>".
"""
