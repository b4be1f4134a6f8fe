"""What became of the day: fates of orders, walking, labels, the line, the faults and how they ended, and whether
every promise holds.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from wms.core.codes import Kind, make
from wms.core.db import Database
from wms.demo.build import Credentials
from wms.demo.day import Day
from wms.demo.evening import Left
from wms.ledger.tables import Stock
from wms.outbound.tables import Order, OrderLine
from wms.packing.tables import Parcel
from wms.picking.tables import Batch
from wms.printing.tables import PrintJob
from wms.shipping.tables import Manifest
from wms.site.tables import Slot
from wms.sorting.tables import DivertRow
from wms.sorting.values import REJECT, Finding

# One of each trade is enough to look around. A packer names his table before the PIN (F2).
WHO_DOES_WHAT = (
    ("W01", "收货 上架 拣货 receives, puts away, picks"),
    ("P01", "打包 packs (F2: PK-01)"),
    ("L01", "线体 交接 sorts, hands over"),
)
FINAL = frozenset({"shipped", "cancelled", "short"})
SHORT = "short"


@dataclass(slots=True)
class Told:
    """The figures of a day. Lengths in m, times in s."""

    orders: int
    lines: int
    parcels: int
    shipped: int
    explained: int
    open: dict[str, int]
    reasons: Counter[str]
    wrong_diverts: int
    walk_m: int
    walk_sshape_m: int
    slots_used: int
    slots: int
    labels: int
    manifests: int
    batches: int
    scans: int
    scan_ms: tuple[float, float]
    line_ms: tuple[float, float]
    happened: dict[str, str]
    troubles: list[str]
    sample: Path | None
    made_up: tuple[str, ...]
    audit_ok: bool = False
    seconds: dict[str, float] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    @property
    def holds(self) -> bool:
        """Every order shipped or explained, nothing sorted wrongly, every promise kept."""
        return self.shipped + self.explained == self.orders and self.wrong_diverts == 0 and self.audit_ok

    def to_json(self) -> dict[str, Any]:
        return {
            "orders": self.orders,
            "lines": self.lines,
            "parcels": self.parcels,
            "shipped": self.shipped,
            "explained": self.explained,
            "wrong_diverts": self.wrong_diverts,
            "audit_ok": self.audit_ok,
            "walk_m": self.walk_m,
            "walk_sshape_m": self.walk_sshape_m,
            "seconds": round(sum(self.seconds.values()), 1),
            "seconds_of": {part: round(seconds, 1) for part, seconds in self.seconds.items()},
            "reasons": dict(self.reasons),
            "faults": self.happened,
            "troubles": self.troubles,
        }


def open_orders(db: Database, warehouse_id: int) -> int:
    """Orders that still go on."""
    waiting = (
        select(func.count()).select_from(Order).where(Order.warehouse_id == warehouse_id, Order.state.not_in(FINAL))
    )
    return int(db.read(lambda session: session.execute(waiting).scalar_one()))


class Stopwatch:
    """How long each part took, in s: opening (park, stock, processes), day, closing (report, processes, audit)."""

    def __init__(self) -> None:
        self.parts_s: dict[str, float] = {}
        self._since_s = time.monotonic()

    def done(self, part: str) -> None:
        now_s = time.monotonic()
        self.parts_s[part], self._since_s = now_s - self._since_s, now_s


def gather(db: Database, warehouse_id: int, day: Day) -> Told:
    """Read the day out of the rows."""
    return db.read(lambda session: _gather(session, warehouse_id, day))


def _gather(session: Session, warehouse_id: int, day: Day) -> Told:
    whole, explained, still, reasons = _fates(session, warehouse_id)
    walk = session.execute(
        select(func.sum(Batch.walk_mm), func.sum(Batch.s_shape_mm), func.count()).where(
            Batch.warehouse_id == warehouse_id
        )
    ).one()
    slots = session.scalar(select(func.count()).select_from(Slot).where(Slot.warehouse_id == warehouse_id)) or 0
    used = session.scalar(
        select(func.count(func.distinct(Stock.place_id)))
        .join(Slot, Slot.place_id == Stock.place_id)
        .where(Stock.warehouse_id == warehouse_id, Stock.on_hand > 0)
    )
    return Told(
        orders=len(day.plan.orders),
        lines=session.scalar(select(func.count()).select_from(OrderLine)) or 0,
        parcels=session.scalar(select(func.count()).select_from(Parcel).where(Parcel.waybill.is_not(None))) or 0,
        shipped=whole,
        explained=explained,
        open=still,
        reasons=reasons,
        wrong_diverts=_wrong_diverts(session, warehouse_id),
        walk_m=int(walk[0] or 0) // 1000,
        walk_sshape_m=int(walk[1] or 0) // 1000,
        slots_used=int(used or 0),
        slots=int(slots),
        labels=session.scalar(
            select(func.count()).select_from(PrintJob).where(PrintJob.state.in_(("sent", "verified")))
        )
        or 0,
        manifests=session.scalar(select(func.count()).select_from(Manifest)) or 0,
        batches=int(walk[2]),
        scans=len(day.scan_s),
        scan_ms=_quantiles_ms(day.scan_s),
        line_ms=_quantiles_ms([one / 1000 for one in day.line_ms]),
        happened=dict(day.happened.lines),
        troubles=list(day.troubles),
        sample=_sample(day),
        made_up=day.plan.made_up,
        counts=dict(day.counts),
    )


def _fates(session: Session, warehouse_id: int) -> tuple[int, int, dict[str, int], Counter[str]]:
    """Shipped whole; not whole, with a reason; still open by state; and the reasons."""
    rows = session.execute(
        select(
            Order.no, Order.state, Order.short_reason, func.sum(OrderLine.quantity - OrderLine.shipped).label("lacking")
        )
        .join(OrderLine, OrderLine.order_id == Order.id)
        .where(Order.warehouse_id == warehouse_id)
        .group_by(Order.id, Order.no, Order.state, Order.short_reason)
    )
    whole = explained = 0
    still: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    for row in rows:
        if row.state == "shipped" and not row.lacking:
            whole += 1
        elif row.state == "cancelled":
            explained += 1
            reasons["cancelled by the buyer"] += 1
        elif row.state in FINAL and row.short_reason:
            explained += 1
            reasons[row.short_reason] += 1
        else:
            still[row.state] += 1
    return whole, explained, dict(still), reasons


def _wrong_diverts(session: Session, warehouse_id: int) -> int:
    """Parcels that fell into a chute they were not told, or that is not their hub's."""
    rows = session.execute(
        select(DivertRow.chute, DivertRow.finding).where(
            DivertRow.warehouse_id == warehouse_id, DivertRow.chute.is_not(None), DivertRow.chute != REJECT
        )
    )
    return sum(row.finding in (Finding.MISSORT, Finding.UNKNOWN) for row in rows)


def _quantiles_ms(seconds: list[float]) -> tuple[float, float]:
    """Median and 99th percentile in ms; zeros for none."""
    if not seconds:
        return 0.0, 0.0
    ordered = sorted(seconds)
    return ordered[len(ordered) // 2] * 1000, ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000


def _sample(day: Day) -> Path | None:
    """A label as the simulated printer put it on paper."""
    found = sorted(path for table in day.floor.tables.values() for path in table.labels.glob("*.png"))
    return found[0] if found else None


def show(told: Told, screen: Console, *, as_json: bool) -> None:
    """The report for a person, and as JSON for a program."""
    table = Table(title="储位 · 一天 a day in the park", show_header=False, title_justify="left")
    table.add_column(style="dim")
    table.add_column()
    for label, value in _rows(told):
        table.add_row(label, value)
    screen.print(table)
    for fault, ended in told.happened.items():
        screen.print(f"  ! {fault}: {ended}", highlight=False)
    for trouble in told.troubles:
        screen.print(f"  ? {trouble}", highlight=False, style="red")
    if as_json:
        print(json.dumps(told.to_json(), ensure_ascii=False), flush=True)
    else:
        sys.stdout.flush()


def _rows(told: Told) -> list[tuple[str, str]]:
    saved = 100 * (1 - told.walk_m / told.walk_sshape_m) if told.walk_sshape_m else 0.0
    pace = told.counts.get("picks", 0) / max(1.0, told.seconds.get("day", 0.0)) * 3600
    rows = [
        ("订单 orders", f"{told.orders:,} · {told.lines:,} lines"),
        ("发出 shipped whole", f"{told.shipped:,} ({100 * told.shipped / max(1, told.orders):.1f} %)"),
        ("说明 explained", f"{told.explained:,} · " + ", ".join(f"{why} {n}" for why, n in told.reasons.items())),
        ("包裹 parcels", f"{told.parcels:,} in {told.manifests} manifests"),
        (
            "拣货 picking",
            f"{told.counts.get('picks', 0):,} picks in {told.batches} batches, {pace:,.0f} an hour of real time",
        ),
        ("走路 walking", f"{told.walk_m:,} m, S-shape {told.walk_sshape_m:,} m ({saved:.0f} % saved)"),
        ("储位 slots", f"{told.slots_used:,} of {told.slots:,} in use"),
        ("面单 labels", f"{told.labels:,} printed" + (f" · {told.sample}" if told.sample else "")),
        (
            "分拣 sorting",
            f"{told.wrong_diverts} wrong diverts · answer {_ms(told.line_ms)}",
        ),
        ("扫描 scans", f"{told.scans:,} by PDA · answer {_ms(told.scan_ms)}"),
        ("审计 audit", "every promise holds" if told.audit_ok else "A PROMISE IS BROKEN: run wms audit"),
        ("用时 took", _took(told.seconds)),
    ]
    if told.open:
        rows.insert(3, ("未完 still open", ", ".join(f"{state} {n}" for state, n in told.open.items())))
    if told.made_up:
        rows.append(("编造 made from the seed", ", ".join(told.made_up)))
    return rows


def _took(seconds: dict[str, float]) -> str:
    parts = " · ".join(f"{part} {took:.0f}" for part, took in seconds.items())
    return f"{sum(seconds.values()):.0f} s ({parts})"


def _ms(quantiles: tuple[float, float]) -> str:
    return f"p50 {quantiles[0]:.1f} ms, p99 {quantiles[1]:.1f} ms"


def show_addresses(screen: Console, port: int, credentials: Credentials, left: Left) -> None:
    """Where to look, who to be, and what there is to do."""
    home = f"http://127.0.0.1:{port}"
    table = Table(title="打开 open", show_header=False, title_justify="left")
    table.add_row("控制台 terminal", f"{home}/terminal/")
    table.add_row("  登录 log in", f"{credentials.supervisor_login} / {credentials.supervisor_password}")
    table.add_row("PDA", f"{home}/pda/?device=PDA-01")
    for badge, does in WHO_DOES_WHAT:
        code = make(Kind.BADGE, badge)
        table.add_row(f"  工牌 badge {badge}", f"{code} · PIN {credentials.pins[badge]} · {does}")
    table.add_row("API", f"{home}/api/openapi.json")
    table.add_row("  密钥 key", credentials.api_key)
    table.add_row("试试 try: 收货 receive", f"PDA: ASN {left.asn}, 商品 goods {', '.join(left.barcodes)}")
    table.add_row(
        "试试 try: 发货 ship", f"{len(left.orders)} 单 orders {left.orders[0]} … · 控制台 terminal: 波次 waves; PDA"
    )
    screen.print(table)
    screen.print(
        "没有扫描枪：粘贴条码 Ctrl+V，或按 F4 手输 · no scanner: paste codes with Ctrl+V, or type under F4", style="dim"
    )
    screen.print("Ctrl+C 结束 ends it", style="dim")
