"""The order desk: orders arrive, stock is promised to them, waves are released.

Orders with the same content go together, courier cut-offs decide what is urgent, and an order the buyer cancels
is caught wherever it is.

Offers `service` (create_order, allocate, allocate_waiting, make_waves, begin_planning, release_wave, cancel_wave,
cancel_order) and `queries` (order_by_no, stages, waves, explained). The stages of an order are in `values.OrderState`.
"""
