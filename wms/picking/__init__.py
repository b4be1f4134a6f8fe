"""The aisles: batches are walked and goods are picked.

Straight into the orders' totes on a cart, or in bulk and then sorted into the cells of the put wall. Short picks
are said at the slot, not discovered at packing.
"""
