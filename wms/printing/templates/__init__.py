"""Every label of the house as data, by the name that print jobs carry."""

from __future__ import annotations

from wms.printing.templates.dispatch import BAG_TAG_100X100, PACKING_LIST_100X150
from wms.printing.templates.elements import Template
from wms.printing.templates.goods import CONTAINER_100X60, CONTAINER_100X100, SKU_60X40
from wms.printing.templates.places import BADGE_86X54, CART_100X60, SLOT_100X40, TOTE_80X50
from wms.printing.templates.waybill import WAYBILL_76X130, WAYBILL_100X180

TEMPLATES: dict[str, Template] = {
    template.name: template
    for template in (
        WAYBILL_100X180,
        WAYBILL_76X130,
        CONTAINER_100X100,
        CONTAINER_100X60,
        SLOT_100X40,
        TOTE_80X50,
        CART_100X60,
        BADGE_86X54,
        SKU_60X40,
        BAG_TAG_100X100,
        PACKING_LIST_100X150,
    )
}

__all__ = [
    "BADGE_86X54",
    "BAG_TAG_100X100",
    "CART_100X60",
    "CONTAINER_100X60",
    "CONTAINER_100X100",
    "PACKING_LIST_100X150",
    "SKU_60X40",
    "SLOT_100X40",
    "TEMPLATES",
    "TOTE_80X50",
    "WAYBILL_76X130",
    "WAYBILL_100X180",
    "Template",
]
