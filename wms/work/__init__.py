"""The task board: what has to be done, by whom, since when.

Tasks are created by the rooms that need a hand, claimed by a worker, resumed after a break, handed over, done.
"""
