"""The express waybill on its two papers: 100 x 180 mm (cut at 110) and 76 x 130 mm.

The order of zones is the couriers' own: courier, bar code, route code, hub, receiver, sender, second bar code,
contents. What a person looks for from two metres away - the route code - is the largest thing on the paper.
"""

from __future__ import annotations

from wms.printing.raster import Align, Box, Type
from wms.printing.symbols import Kind
from wms.printing.templates.elements import HAIR, THICK, THIN, Across, Code, Disc, Down, Fill, Frame, Template, Words

_CENTRE, _RIGHT = Align.CENTRE, Align.RIGHT

_FIRST_PART_100 = (
    # 0-13: whose parcel, which service, when printed
    Words(Box(3, 1.5, 42, 10), "{courier}", Type(8, 4, bold=True)),
    Fill(Box(46, 3, 20, 7)),
    Words(Box(46.5, 3, 19, 7), "{product}", Type(4.4, 2.4, bold=True, align=_CENTRE, white=True)),
    Words(Box(67, 1.8, 30, 3.4), "{printed_on} {printed_time}", Type(2.7, 2.2, align=_RIGHT)),
    Fill(Box(67.5, 6, 15, 5.4), needs="reprint"),
    Words(Box(67.5, 6, 15, 5.4), "{reprint}", Type(3.6, 2.4, bold=True, align=_CENTRE, white=True), needs="reprint"),
    Words(Box(83, 5.6, 14, 6), "{parcel} 件", Type(4.4, 2.6, bold=True, align=_RIGHT)),
    Across(2, 13, 96),
    # 13-30: the number
    Code(Box(4, 14.6, 92, 10.4), Kind.CODE_128, "number"),
    Words(Box(4, 25.2, 92, 4.4), "{number_spaced}", Type(4.4, 3, bold=True, align=_CENTRE)),
    Across(2, 30.2, 96, THICK),
    # 30-44: the route code
    Words(Box(3, 31.2, 94, 12), "{route_code}", Type(15, 5, bold=True, align=_CENTRE, on_ink=True)),
    Across(2, 44, 96, THICK),
    # 44-52: the hub the bag goes to
    Fill(Box(2, 44, 9, 8.2)),
    Words(Box(2, 44, 9, 8.2), "集", Type(6, bold=True, align=_CENTRE, white=True, on_ink=True)),
    Words(Box(13, 44.6, 60, 7), "{bag_hub}", Type(6.4, 3, bold=True)),
    Words(Box(75.5, 44.6, 21.5, 7), "{bag_hub_mark}", Type(6.4, 3, bold=True, align=_CENTRE)),
    Down(75, 44, 28.2),
    Across(2, 52.2, 96),
    # 52-72: receiver; the code that tells one print from another
    Disc(Box(3, 54, 7.4, 7.4)),
    Words(Box(3, 54, 7.4, 7.4), "收", Type(4.8, bold=True, align=_CENTRE, white=True, on_ink=True)),
    Words(Box(13, 53.2, 61, 6), "{receiver_name}  {receiver_phone}", Type(5, 3.2, bold=True)),
    Words(Box(13, 59.6, 61, 12), "{receiver_address}", Type(4.2, 2.1, lines=5, bold=True, top=True)),
    Code(Box(76.2, 52.8, 21, 19), Kind.QR, "trace_code"),
    Across(2, 72.2, 96),
    # 72-82: sender
    Disc(Box(3.6, 73.8, 6.2, 6.2), 0.3),
    Words(Box(3.6, 73.8, 6.2, 6.2), "寄", Type(3.8, align=_CENTRE, on_ink=True)),
    Words(Box(13, 73, 84, 4), "{sender_name}  {sender_phone}", Type(3.3, 2.4)),
    Words(Box(13, 77, 84, 4.9), "{sender_address}", Type(3.1, 1.9, lines=2)),
    Across(2, 82.2, 96),
    # 82-95: signature and the number once more
    Words(Box(3, 83, 29, 3), "签收人", Type(2.6)),
    Words(Box(3, 90.6, 29, 3), "签收时间        年    月    日", Type(2.6, 2)),
    Down(33, 82.2, 12.6),
    Code(Box(34, 83.2, 63.6, 7.6), Kind.CODE_128, "number"),
    Words(Box(34, 91, 63.6, 3.4), "{number_spaced}", Type(3.2, 2.4, align=_CENTRE)),
    Across(2, 94.8, 96),
    # 95-110: contents
    Words(Box(3, 95.8, 70, 4), "物品  {contents}", Type(3.2, 2.2)),
    Words(Box(3, 100.2, 70, 4), "订单  {order_no}", Type(3.2, 2.2)),
    Words(Box(3, 104.6, 70, 4), "重量  {weight}    第 {parcel} 件", Type(3.2, 2.2)),
    Frame(Box(76.5, 97, 20.5, 10.5), THICK),
    Words(Box(76.5, 97, 20.5, 10.5), "已验视", Type(5.4, bold=True, align=_CENTRE, on_ink=True)),
)

_SECOND_PART_100 = (
    Across(0, 110, 100, HAIR, dash=2),
    Words(Box(3, 111.8, 30, 6), "{courier}", Type(5.2, 3, bold=True)),
    Words(Box(3, 118.2, 30, 4.6), "{product}  {parcel} 件", Type(3.2, 2.2)),
    Code(Box(34, 111.6, 63.6, 7.6), Kind.CODE_128, "number"),
    Words(Box(34, 119.4, 63.6, 3.6), "{number_spaced}", Type(3.4, 2.4, bold=True, align=_CENTRE)),
    Across(2, 123.8, 96),
    Words(Box(3, 125, 8, 4), "收件", Type(3)),
    Words(Box(12, 125, 85, 4), "{receiver_name}  {receiver_phone}", Type(3.2, 2.4, bold=True)),
    Words(Box(12, 129.2, 85, 6.4), "{receiver_address}", Type(3, 2, lines=2, top=True)),
    Words(Box(3, 136, 8, 4), "寄件", Type(3)),
    Words(Box(12, 136, 85, 4), "{sender_name}  {sender_phone}", Type(3, 2.2)),
    Across(2, 141, 96),
    Words(Box(3, 141.8, 94, 3.6), "物品  {contents}", Type(3, 2)),
    Words(Box(3, 145.8, 60, 3.6), "订单  {order_no}", Type(3, 2)),
    Words(Box(64, 145.8, 33, 3.6), "{weight}", Type(3, 2, align=_RIGHT)),
    Across(2, 150.2, 96),
    # the merchant's own area
    Words(Box(5, 152, 90, 26), "{merchant_area}", Type(4.2, 2.4, lines=7, top=True)),
)

WAYBILL_100X180 = Template("express_waybill_100x180", 100, 180, _FIRST_PART_100 + _SECOND_PART_100)

WAYBILL_76X130 = Template(
    "express_waybill_76x130",
    76,
    130,
    (
        # 0-13
        Words(Box(2.5, 1.5, 31, 10), "{courier}", Type(6.6, 3.4, bold=True)),
        Fill(Box(34.5, 3.2, 15.5, 6)),
        Words(Box(35, 3.2, 14.5, 6), "{product}", Type(3.6, 2.2, bold=True, align=_CENTRE, white=True)),
        Words(Box(51, 1.8, 23, 3), "{printed_on} {printed_time}", Type(2.4, 1.9, align=_RIGHT)),
        Fill(Box(51, 6, 12, 4.8), needs="reprint"),
        Words(Box(51, 6, 12, 4.8), "{reprint}", Type(3, 2.2, bold=True, align=_CENTRE, white=True), needs="reprint"),
        Words(Box(63.4, 5.6, 10.6, 5.4), "{parcel} 件", Type(3.6, 2.2, bold=True, align=_RIGHT)),
        Across(1.5, 13, 73),
        # 13-28
        Code(Box(2, 14, 72, 9), Kind.CODE_128, "number"),
        Words(Box(2, 23.3, 72, 4.2), "{number_spaced}", Type(4, 2.6, bold=True, align=_CENTRE)),
        Across(1.5, 28, 73, THICK),
        # 28-35.5
        Words(Box(2, 28.5, 72, 6.9), "{route_code}", Type(9.6, 4, bold=True, align=_CENTRE, on_ink=True)),
        Across(1.5, 35.5, 73, THICK),
        # 35.5-41.6
        Fill(Box(1.5, 35.5, 7, 6.3)),
        Words(Box(1.5, 35.5, 7, 6.3), "集", Type(4.6, bold=True, align=_CENTRE, white=True, on_ink=True)),
        Words(Box(10, 35.9, 45, 5.4), "{bag_hub}", Type(4.8, 2.6, bold=True)),
        Words(Box(56.5, 35.9, 17.5, 5.4), "{bag_hub_mark}", Type(4.8, 2.6, bold=True, align=_CENTRE)),
        Down(56, 35.5, 23.5),
        Across(1.5, 41.6, 73),
        # 41.6-59
        Disc(Box(2.2, 43, 5.8, 5.8)),
        Words(Box(2.2, 43, 5.8, 5.8), "收", Type(3.8, bold=True, align=_CENTRE, white=True, on_ink=True)),
        Words(Box(10, 42.3, 45, 5), "{receiver_name}  {receiver_phone}", Type(4, 2.6, bold=True)),
        Words(Box(10, 47.4, 45, 11.2), "{receiver_address}", Type(3.6, 1.9, lines=5, bold=True, top=True)),
        Code(Box(56.5, 41.9, 18, 17), Kind.QR, "trace_code"),
        Across(1.5, 59, 73),
        # 59-68
        Disc(Box(2.6, 60.4, 5, 5), THIN),
        Words(Box(2.6, 60.4, 5, 5), "寄", Type(3.1, align=_CENTRE, on_ink=True)),
        Words(Box(10, 59.6, 64, 3.4), "{sender_name}  {sender_phone}", Type(2.8, 2.1)),
        Words(Box(10, 63.1, 64, 4.7), "{sender_address}", Type(2.7, 1.8, lines=2)),
        Across(1.5, 68, 73),
        # 68-80
        Words(Box(2, 68.6, 19, 2.8), "签收人", Type(2.3)),
        Words(Box(2, 76.6, 19, 2.8), "时间   年  月  日", Type(2.3, 1.8)),
        Down(21.4, 68, 12),
        # 13 digits get bars of three dots here; longer numbers fall to two and lean on the upper code.
        Code(Box(22, 69, 54, 7), Kind.CODE_128, "number"),
        Words(Box(22, 76.3, 54, 3.2), "{number_spaced}", Type(2.9, 2, align=_CENTRE)),
        Across(1.5, 80, 73),
        # 80-90
        Words(Box(2, 80.6, 72, 3), "物品  {contents}", Type(2.6, 1.9)),
        Words(Box(2, 83.6, 72, 3), "订单  {order_no}", Type(2.6, 1.9)),
        Words(Box(2, 86.6, 72, 3), "重量  {weight}    第 {parcel} 件", Type(2.6, 1.9)),
        Across(1.5, 90, 73, HAIR, dash=1.5),
        # 90-120: the merchant's own area, 65.6 x 30
        Words(Box(6, 91.5, 65.6, 27), "{merchant_area}", Type(3.8, 2.2, lines=8, top=True)),
        # 120-130
        Across(1.5, 120, 73),
        Frame(Box(2.5, 121.6, 16, 6.6), THIN),
        Words(Box(2.5, 121.6, 16, 6.6), "已验视", Type(4, bold=True, align=_CENTRE, on_ink=True)),
        Words(Box(40, 121.6, 34, 6.6), "第 {parcel} 件", Type(3.4, 2.2, align=_RIGHT)),
    ),
)
