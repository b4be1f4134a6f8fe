"""Labels that travel with goods: the container's licence plate and the SKU's own label."""

from __future__ import annotations

from wms.printing.raster import Align, Box, Type
from wms.printing.symbols import Kind
from wms.printing.templates.elements import THICK, Across, Code, Down, Fill, Template, Words

_CENTRE, _RIGHT = Align.CENTRE, Align.RIGHT
_CAPTION = Type(3, 2.2)

CONTAINER_100X100 = Template(
    "container_100x100",
    100,
    100,
    (
        Fill(Box(0, 0, 100, 10)),
        Words(Box(4, 1, 60, 8), "{merchant}", Type(5.4, 3, bold=True, white=True)),
        Words(Box(66, 1, 30, 8), "容器", Type(5, bold=True, align=_RIGHT, white=True), needs="code"),
        Words(Box(3, 11.6, 94, 10.6), "{code}", Type(13, 6, bold=True, align=_CENTRE, on_ink=True)),
        Code(Box(2, 23.6, 96, 16.4), Kind.CODE_128, "barcode"),
        Across(2, 42, 96, THICK),
        Words(Box(4, 43.4, 72, 12), "{sku_name}", Type(5.2, 2.8, lines=2, bold=True)),
        Words(Box(4, 56, 72, 5), "{sku_code}", Type(4, 2.6)),
        Code(Box(78, 43, 20, 18.6), Kind.QR, "barcode"),
        Across(2, 62.4, 96),
        Words(Box(4, 63.2, 43, 4), "数量 · {unit}", _CAPTION),
        Words(Box(4, 67.4, 43, 13), "{quantity}", Type(15, 7, bold=True, on_ink=True)),
        Down(49, 62.4, 19),
        Words(Box(52, 63.6, 11, 5), "批次", _CAPTION),
        Words(Box(63, 63.6, 34, 5), "{lot}", Type(4.2, 2.4, bold=True)),
        Words(Box(52, 69.4, 11, 5), "到期", _CAPTION),
        Words(Box(63, 69.4, 34, 5), "{expires_on}", Type(4.2, 2.4, bold=True)),
        Words(Box(52, 75.2, 11, 5), "收货", _CAPTION),
        Words(Box(63, 75.2, 34, 5), "{received_at}", Type(4.2, 2.4)),
        Across(2, 81.4, 96),
        Code(Box(2, 82.8, 96, 10.6), Kind.GS1_128, "sscc_element", needs="sscc"),
        Words(Box(4, 94, 62, 4), "(00) {sscc}", Type(3.4, 2.4), needs="sscc"),
        Words(Box(67, 94, 30, 4), "{source}", Type(3.2, 2, align=_RIGHT)),
        Words(Box(4, 94, 62, 4), "{reprint}", Type(3.4, 2.4, bold=True, align=_RIGHT), needs="reprint"),
    ),
)

CONTAINER_100X60 = Template(
    "container_100x60",
    100,
    60,
    (
        Fill(Box(0, 0, 100, 8)),
        Words(Box(4, 0.5, 62, 7), "{merchant}", Type(4.6, 2.6, bold=True, white=True)),
        Words(Box(66, 0.5, 30, 7), "收货 {received_at}", Type(3.2, 2.2, align=_RIGHT, white=True)),
        Words(Box(3, 9, 94, 8.6), "{code}", Type(10.5, 5, bold=True, align=_CENTRE, on_ink=True)),
        Code(Box(2, 18.6, 96, 13.4), Kind.CODE_128, "barcode"),
        Across(2, 33.4, 96, THICK),
        Words(Box(4, 34.4, 58, 9.6), "{sku_name}", Type(4.2, 2.4, lines=2, bold=True)),
        Words(Box(4, 44.4, 58, 4), "{sku_code}", Type(3.2, 2.2)),
        Words(Box(4, 49.2, 58, 4.2), "批次 {lot}", Type(3.4, 2.2), needs="lot"),
        Words(Box(4, 53.8, 58, 4.2), "到期 {expires_on}", Type(3.4, 2.2), needs="expires_on"),
        Down(63, 33.4, 25.6),
        Words(Box(65, 34.6, 32, 4), "数量 · {unit}", _CAPTION),
        Words(Box(65, 39.6, 32, 12.4), "{quantity}", Type(14, 6, bold=True, align=_CENTRE, on_ink=True)),
        Words(Box(65, 54, 32, 4), "{reprint}", Type(3.4, 2.4, bold=True, align=_RIGHT), needs="reprint"),
    ),
)

SKU_60X40 = Template(
    "sku_60x40",
    60,
    40,
    (
        Words(Box(2, 1.4, 56, 8.2), "{name}", Type(3.9, 2.2, lines=2, bold=True)),
        Words(Box(2, 9.8, 40, 3.4), "{specification}", Type(2.9, 2)),
        Words(Box(2, 13.3, 40, 3.2), "{merchant}  {sku_code}", Type(2.5, 1.9)),
        Words(Box(2, 16.6, 40, 3.2), "批次 {lot}", Type(2.5, 1.9), needs="lot"),
        Words(Box(2, 19.9, 40, 3.4), "到期 {expires_on}", Type(2.9, 1.9, bold=True), needs="expires_on"),
        Code(Box(43, 9.6, 15, 14), Kind.GS1_DATA_MATRIX, "gs1_element", needs="gs1_element"),
        Code(Box(1, 24.4, 58, 10.4), Kind.CODE_128, "barcode"),
        Words(Box(1, 35.1, 58, 3.6), "{barcode}", Type(3.4, 2.2, align=_CENTRE)),
    ),
)
