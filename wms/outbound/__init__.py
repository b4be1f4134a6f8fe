"""The order desk: orders arrive, stock is promised to them, waves are released.

Orders with the same content go together, courier cut-offs decide what is urgent, and an order the buyer cancels
is caught wherever it is.
"""
