"""One filled label of every template, with made-up people: for previews, the guide's pictures and the tests."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from wms.printing import templates
from wms.printing.templates.elements import Template
from wms.printing.values import (
    Badge,
    BagTag,
    CartLabel,
    ContainerLabel,
    ExpressWaybill,
    LabelValues,
    PackedLine,
    PackingList,
    Party,
    SkuLabel,
    SlotLabel,
    ToteLabel,
)

_AT = datetime(2026, 11, 11, 15, 42, 7)  # noqa: DTZ001 - printed wall time of the warehouse, zone already applied
_RECEIVER = Party("张三丰", "13800000000", "浙江省杭州市西湖区文三路 199 号创业大厦 B 座 1203 室")
_SENDER = Party("云岭茶铺", "0563-8150000", "安徽省宣城市绩溪县华阳镇生态工业园区 8 号园区仓")


@dataclass(frozen=True, slots=True)
class Sample:
    template: Template
    values: LabelValues


def samples() -> tuple[Sample, ...]:
    return (
        Sample(templates.WAYBILL_100X180, waybill()),
        Sample(templates.WAYBILL_76X130, waybill(number="4312345678901")),
        Sample(templates.CONTAINER_100X100, _container(sscc="369012345000012343")),
        Sample(templates.CONTAINER_100X60, _container()),
        Sample(templates.SLOT_100X40, SlotLabel("B12-07-3", "B 区 · 轻型货架", 3, 5, 120, "up")),
        Sample(templates.TOTE_80X50, ToteLabel("T-0418", "绩溪园区仓")),
        Sample(templates.CART_100X60, CartLabel("C-07", "绩溪园区仓", 8)),
        Sample(templates.BADGE_86X54, Badge("0231", "章强", "拣货 · 复核", "绩溪园区仓", "0231")),
        Sample(templates.SKU_60X40, _sku()),
        Sample(templates.BAG_TAG_100X100, _bag()),
        Sample(templates.PACKING_LIST_100X150, _packing_list()),
    )


def sample_of(name: str) -> Sample:
    """The filled label of one template."""
    return next(sample for sample in samples() if sample.template.name == name)


def waybill(number: str = "YT1234567890123", reprint: int = 0) -> ExpressWaybill:
    return ExpressWaybill(
        courier="圆通速递" if number.startswith("YT") else "韵达快递",
        product="标准快递",
        number=number,
        route_code="342-081-00 052",
        bag_hub="杭州分拨中心",
        bag_hub_mark="杭 08",
        receiver=_RECEIVER,
        sender=_SENDER,
        contents="高山贡菊 50 g 罐装 ×2，徽墨酥 ×1",
        order_no="TB-20261111-004182",
        parcel_no=1,
        parcels=2,
        weight_g=1240,
        printed_at=_AT,
        merchant_area="云岭茶铺感谢您的购买！茶叶请密封、避光、干燥保存。"
        "如有破损，请在签收后 48 小时内联系店铺客服，我们免费补发。",
        reprint=reprint,
        nonce="7K2M9Q",
    )


def _container(sscc: str = "") -> ContainerLabel:
    return ContainerLabel(
        code="P2611110042",
        merchant="云岭茶铺",
        sku_code="YL-GJ-050",
        sku_name="高山贡菊 50 g 罐装",
        lot="260903",
        expires_on=date(2027, 9, 2),
        quantity=480,
        unit="罐",
        received_at=_AT,
        source="ASN 1111-031",
        sscc=sscc,
    )


def _sku() -> SkuLabel:
    return SkuLabel(
        barcode="6901234567892",
        name="高山贡菊 50 g 罐装",
        specification="50 g × 1 罐",
        merchant="云岭茶铺",
        sku_code="YL-GJ-050",
        lot="260903",
        expires_on=date(2027, 9, 2),
        gtin="6901234567892",
    )


def _bag() -> BagTag:
    return BagTag(
        code="2611110017",
        courier="韵达快递",
        product="标准快递",
        hub="杭州分拨",
        line_haul="绩溪 → 杭州  18:30",
        chute="17",
        parcels=42,
        gross_g=18_640,
        closed_at=_AT,
        worker_no="0231",
        seal="S884120",
        from_branch="安徽绩溪公司",
    )


def _packing_list() -> PackingList:
    return PackingList(
        order_no="TB-20261111-004182",
        shop="云岭茶铺",
        receiver=_RECEIVER,
        lines=(
            PackedLine("YL-GJ-050", "高山贡菊 50 g 罐装", 2, "罐"),
            PackedLine("YL-HMS-300", "徽墨酥 300 g 传统糕点礼盒装", 1, "盒"),
            PackedLine("YL-TPHK-100", "太平猴魁 2026 春茶 100 g 铁听", 1, "听"),
            PackedLine("YL-SZ-500", "山核桃仁原味 500 g 自封袋", 3, "袋"),
        ),
        packed_at=_AT,
        packer_no="0231",
        parcel_no=1,
        parcels=2,
        note="感谢您的购买，如有问题请联系店铺客服。",
    )
