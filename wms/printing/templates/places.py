"""Labels that stay in the house: slots, totes, carts and the badges of the people."""

from __future__ import annotations

from wms.printing.raster import Align, Box, Type
from wms.printing.symbols import Kind
from wms.printing.templates.elements import Across, Code, Fill, Template, Words

_CENTRE, _RIGHT = Align.CENTRE, Align.RIGHT

SLOT_100X40 = Template(
    "slot_100x40",
    100,
    40,
    (
        Words(Box(3, 2, 70, 15), "{code}", Type(19, 8, bold=True, align=_CENTRE, on_ink=True)),
        Code(Box(0.5, 19, 76, 15.4), Kind.CODE_128, "barcode"),
        Words(Box(3, 35, 34, 3.8), "{zone}", Type(3.2, 2.2)),
        Words(Box(38, 35, 35, 3.8), "限载 {load}", Type(3.2, 2.2, align=_RIGHT)),
        # the black end tells the level from afar
        Fill(Box(77, 0, 23, 40)),
        Words(
            Box(78, 2, 21, 10), "{arrow}", Type(14, bold=True, align=_CENTRE, white=True, on_ink=True), needs="arrow"
        ),
        Words(Box(78, 12.5, 21, 17), "{level}", Type(20, 10, bold=True, align=_CENTRE, white=True, on_ink=True)),
        Words(Box(78, 31, 21, 6), "层 / 共 {levels} 层", Type(3.4, 2.4, align=_CENTRE, white=True)),
    ),
)

TOTE_80X50 = Template(
    "tote_80x50",
    80,
    50,
    (
        Words(Box(3, 3, 52, 15), "{code}", Type(15, 6, bold=True, on_ink=True)),
        Words(Box(3, 19.4, 52, 4.4), "周转箱 · {warehouse}", Type(3.4, 2.2)),
        Code(Box(57, 2, 22, 22), Kind.QR, "barcode"),
        Across(2, 25.6, 76),
        Code(Box(1, 27.4, 78, 16), Kind.CODE_128, "barcode"),
        Words(Box(3, 44.4, 74, 4), "{barcode}", Type(3.2, 2.2, align=_CENTRE)),
    ),
)

CART_100X60 = Template(
    "cart_100x60",
    100,
    60,
    (
        Fill(Box(0, 0, 100, 9)),
        Words(Box(4, 1, 40, 7), "拣货车", Type(5.4, bold=True, white=True)),
        Words(Box(46, 1, 50, 7), "{warehouse}", Type(4, 2.4, align=_RIGHT, white=True)),
        Words(Box(3, 11, 66, 20), "{code}", Type(24, 9, bold=True, on_ink=True)),
        Words(Box(3, 32, 66, 4.6), "{positions} 个箱位", Type(3.8, 2.4)),
        Code(Box(73, 11, 25, 25), Kind.QR, "barcode"),
        Code(Box(2, 38.6, 96, 15), Kind.CODE_128, "barcode"),
        Words(Box(3, 54.4, 94, 4), "{barcode}", Type(3.2, 2.2, align=_CENTRE)),
    ),
)

BADGE_86X54 = Template(
    "badge_86x54",
    86,
    54,
    (
        Fill(Box(0, 0, 86, 10)),
        Words(Box(4, 1, 50, 8), "{warehouse}", Type(4.8, 2.6, bold=True, white=True)),
        Words(Box(54, 1, 28, 8), "工牌", Type(4.4, bold=True, align=_RIGHT, white=True)),
        Words(Box(4, 12, 53, 12), "{name}", Type(10, 4, bold=True)),
        Words(Box(4, 24.6, 53, 5.4), "{role}", Type(4.4, 2.6)),
        Words(Box(4, 30.4, 53, 4.6), "工号 {employee_no}", Type(3.8, 2.4)),
        Code(Box(59, 11.4, 25, 24), Kind.QR, "barcode"),
        Code(Box(2, 37, 82, 12), Kind.CODE_128, "barcode"),
        Words(Box(2, 49.4, 82, 3.6), "{barcode}", Type(3, 2.2, align=_CENTRE)),
    ),
)
