"""The count: what really lies in a slot, counted without looking at the book.

Differences become adjustments, and adjustments need a second pair of eyes.
"""
