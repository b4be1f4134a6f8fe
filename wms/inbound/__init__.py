"""The receiving dock: goods expected, received, measured, checked and put away.

A delivery comes with an ASN or unannounced; each line gets its lot, its dates and a container, and the container
ends in a slot.
"""
