"""Chuwei (储位): a warehouse management system for e-commerce fulfilment parks.

The rooms of this package are the rooms of a warehouse, in the order in which goods pass: see ARCHITECTURE.md.
Each room opens with a paragraph that says what happens in it.
"""
