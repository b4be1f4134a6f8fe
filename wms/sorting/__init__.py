"""The sorting line: which parcel falls into which chute.

Sort plans made from courier routes, the decision for each parcel, the line's confirmations and what to do when
the two do not agree.
"""
