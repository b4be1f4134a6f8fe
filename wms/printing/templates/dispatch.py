"""What is printed at dispatch besides the waybill: the packing list in the parcel and the tag on the bag."""

from __future__ import annotations

from wms.printing.raster import Align, Box, Type
from wms.printing.symbols import Kind
from wms.printing.templates.elements import HAIR, THICK, Across, Code, Down, Fill, Rows, Template, Words

_CENTRE, _RIGHT = Align.CENTRE, Align.RIGHT
_CAPTION = Type(3, 2.2)

BAG_TAG_100X100 = Template(
    "bag_tag_100x100",
    100,
    100,
    (
        Words(Box(4, 2, 55, 8.6), "{courier}", Type(6.6, 3, bold=True)),
        Words(Box(60, 2, 36, 8.6), "{product}", Type(4.6, 2.6, align=_RIGHT)),
        Fill(Box(0, 12, 100, 27)),
        Words(Box(3, 13.5, 94, 24), "{hub}", Type(22, 7, bold=True, align=_CENTRE, white=True, on_ink=True)),
        Words(Box(4, 40.6, 62, 6.4), "{line_haul}", Type(4.6, 2.4, bold=True)),
        Words(Box(66, 40.6, 30, 6.4), "格口 {chute}", Type(4.6, 2.4, bold=True, align=_RIGHT)),
        Across(2, 48.4, 96),
        Words(Box(4, 49.2, 20, 3.8), "件数", _CAPTION),
        Words(Box(4, 53, 30, 11), "{parcels}", Type(13, 6, bold=True, on_ink=True)),
        Down(35, 48.4, 17),
        Words(Box(38, 49.2, 20, 3.8), "毛重", _CAPTION),
        Words(Box(38, 53.6, 34, 9.4), "{gross}", Type(7, 3.4, bold=True)),
        Down(73, 48.4, 17),
        Words(Box(75, 49.2, 22, 3.8), "封袋", _CAPTION),
        Words(Box(75, 53.4, 22, 5), "{closed_time}", Type(5, 3, bold=True)),
        Words(Box(75, 58.8, 22, 4.2), "{closed_on}", Type(3.4, 2.4)),
        Across(2, 65.4, 96, THICK),
        Code(Box(2, 67.2, 74, 17), Kind.CODE_128, "barcode"),
        Words(Box(2, 84.6, 74, 5.4), "{code}", Type(5, 3, bold=True, align=_CENTRE)),
        Code(Box(77, 67, 21, 21), Kind.QR, "barcode"),
        Across(2, 91, 96),
        Words(Box(4, 92, 40, 6), "{from_branch}", Type(3.4, 2.2)),
        Words(Box(44, 92, 30, 6), "封签 {seal}", Type(3.4, 2.2), needs="seal"),
        Words(Box(74, 92, 22, 6), "工号 {worker_no}", Type(3.4, 2.2, align=_RIGHT)),
        Words(Box(75, 88, 22, 3), "{reprint}", Type(2.6, 2, bold=True, align=_RIGHT), needs="reprint"),
    ),
)

_LIST_TOP = 42.0
_ROW = 8.0

PACKING_LIST_100X150 = Template(
    "packing_list_100x150",
    100,
    150,
    (
        Words(Box(4, 3, 60, 9), "{shop}", Type(6.4, 3, bold=True)),
        Words(Box(64, 3, 32, 9), "装箱单", Type(6.4, bold=True, align=_RIGHT)),
        Across(3, 13.4, 94, THICK),
        Words(Box(4, 15, 10, 4.6), "订单", _CAPTION),
        Words(Box(14, 15, 60, 4.6), "{order_no}", Type(3.8, 2.2, bold=True)),
        Words(Box(4, 20.4, 10, 4.6), "收件", _CAPTION),
        Words(Box(14, 20.4, 60, 4.6), "{receiver_name}  {receiver_phone}", Type(3.4, 2.2)),
        Words(Box(4, 25.8, 10, 4.6), "包裹", _CAPTION),
        Words(Box(14, 25.8, 60, 4.6), "{parcel}    {packed_at}", Type(3.4, 2.2)),
        Code(Box(76, 14.4, 21, 19), Kind.QR, "order_no"),
        Across(3, 34.6, 94),
        Words(Box(4, 35.2, 7, 5), "#", _CAPTION),
        Words(Box(11, 35.2, 40, 5), "商品", _CAPTION),
        Words(Box(78, 35.2, 18, 5), "数量", Type(3, align=_RIGHT)),
        Across(3, 40.8, 94),
        Across(3, 133, 94, THICK),
        Words(Box(4, 134, 60, 5), "合计 {quantity_total} 件", Type(4.2, 2.6, bold=True)),
        Words(Box(64, 134, 32, 5), "第 {page} 页", Type(3.2, 2.2, align=_RIGHT)),
        Words(Box(4, 140.6, 68, 7.6), "{note}", Type(3.2, 2.1, lines=2, top=True)),
        Words(Box(74, 139.4, 22, 4.2), "复核 {packer_no}", Type(3, 2, align=_RIGHT)),
    ),
    rows=Rows(
        step=_ROW,
        rows_max=11,
        elements=(
            Words(Box(4, _LIST_TOP, 7, 6.4), "{no}", Type(2.8, 2)),
            Words(Box(11, _LIST_TOP - 0.2, 68, 3.9), "{name}", Type(3.4, 2.2)),
            Words(Box(11, _LIST_TOP + 3.8, 68, 2.8), "{sku_code}", Type(2.3, 1.8)),
            Words(Box(80, _LIST_TOP, 16, 6.4), "{quantity} {unit}", Type(4, 2.2, bold=True, align=_RIGHT)),
            Across(4, _LIST_TOP + 7, 92, HAIR, dash=0.5),
        ),
    ),
)
