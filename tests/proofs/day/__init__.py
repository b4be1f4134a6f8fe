"""A whole day of a park in one process: virtual time, seeded chance, the real application, and a world of its own.

`time` moves the day, `faults` lists what goes wrong, `house` is the server with its wires, `world` remembers where the
goods physically are (it learns only from what hands were told on their screens), the others are those who work.
"""
