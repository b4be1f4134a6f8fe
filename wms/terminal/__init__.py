"""The control terminal: the supervisor's screens.

The shell with its navigation, the overview, the live stream, the line, the phone and portal pages. Pages that
belong to one room stay in that room's pages.py.
"""
