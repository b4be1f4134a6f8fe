"""The choice of slots: where goods should lie, and why.

Putaway proposals with their reasons, re-slotting plans, racks divided anew to fit the goods, and pick faces
refilled from reserve.
"""
