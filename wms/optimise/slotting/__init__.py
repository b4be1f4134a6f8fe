"""Where goods should lie so that people walk least: forecasts, bands of slots, the ideal layout, and the few moves
towards it that pay.

Plain arrays in, plans out; the standard experiment and the warehouse use the same functions. SKUs and slots are
numbers from 0; a layout is one slot per SKU.
"""
