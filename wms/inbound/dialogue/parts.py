"""What the dock's dialogues share: their step names."""

from __future__ import annotations

ASN, ITEM, LOT = "scan_asn", "scan_item", "type_lot"
EXPIRY, CONTAINER, SLOT = "type_expiry", "scan_container", "scan_slot"
QUANTITY = "type_quantity"
