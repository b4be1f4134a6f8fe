"""On the roof: builds a park and lives a day in it, through the doors that people and machines use.

Nothing here is called by the house. Goods, orders, faults and the fate of each order come from one seed.
"""
