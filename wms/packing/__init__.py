"""The packing tables: what goes into the parcel is scanned, packed, weighed and labelled.

The last scan closes the parcel and asks for its waybill.
"""
