"""The building: warehouses, halls, zones, aisles, racks, bays and slots, stations and chutes.

Keeps the map that is drawn on the terminal and the graph that people walk on.
"""
