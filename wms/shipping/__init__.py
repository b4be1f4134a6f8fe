"""The dispatch dock: couriers, waybill numbers, routing codes, bags, manifests and the handover.

An order is shipped when all of its parcels are in a courier's hands.
"""
