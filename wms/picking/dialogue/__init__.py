"""The dialogues of the aisles: the cluster pick (S7) and the goods of stopped orders (S14)."""

from wms.picking.dialogue.cluster import CLUSTER_PICK
from wms.picking.dialogue.stopped import STOPPED_ORDER

DIALOGUES = (CLUSTER_PICK, STOPPED_ORDER)

__all__ = ["CLUSTER_PICK", "DIALOGUES", "STOPPED_ORDER"]
