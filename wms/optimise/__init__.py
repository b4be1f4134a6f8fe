"""The planning office: numbers in, plans out.

Walking routes, batches, slot assignment and sort plans are computed here from plain arrays, with a bound on how
good any plan could be. No database, no clock, no randomness without a seed.
"""
