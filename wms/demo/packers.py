"""Packers at their tables and the one who minds the line: scanners, scales and parcels in their hands, PDAs beside
them.
"""

from __future__ import annotations

import json
import random
import threading
import time
from typing import Any

from wms.core.codes import Kind, make
from wms.demo.day import Day, RestRefused
from wms.demo.hands import card, must
from wms.demo.people import Worker, take
from wms.demo.processes import Processes
from wms.demo.stations import Line, Table, await_devices
from wms.packing.rules import TARE_G

WAIT_S = 15.0
MOVE_S = 45.0  # a busy machine is no reason to give a scan up for lost
PRINTED_S = 60.0
PAPER_SEEN_S = 2.5
HOLD_REACHES_LINE_S = 2.0
BOX_G_MAX = 25_000  # couriers take 30 kg and more, but nobody lifts it twice; the scales end at 30 kg
BOX_MM3_MAX = 110_000_000  # 600 x 450 x 400 mm, the largest carton at the tables
BOXES_MAX = 500


class Packer(Worker):
    """Scans with the table's own scanner; the scale and the printer work by themselves."""

    def __init__(self, day: Day, device: str, badge: str, pin: str, table: Table, processes: Processes) -> None:
        super().__init__(day, device, badge, pin, make(Kind.STATION, table.code))
        self._table = table
        self._processes = processes
        self._dice = random.Random(f"{day.plan.seed} {badge}")
        self._parcels = 0
        self._number = sorted(day.floor.tables).index(table.code)

    def work(self) -> bool:
        tote = take(self.day.to_pack)
        if tote is None:
            return False
        if self.at[0] == "menu":
            self.pda.act("choose", "pack")
        self._pull(self.day.tote_label(tote))
        if self.at[1] != "scan_item":
            self._put_aside(tote)
            return True
        self._pack(tote)
        return True

    def _pull(self, code: str) -> None:
        """One pull of the table's trigger; the screen answers."""
        before = self.pda.envelope["work"]
        self._table.scanner.ask(scan=code)
        until_s = time.monotonic() + MOVE_S
        while not self._answered(before):
            if time.monotonic() > until_s:
                raise TimeoutError(f"the scan of {code} at {self._table.code} never arrived")
            self.pda.wait(int(self.pda.envelope["work"]["version"]), WAIT_S)

    def _answered(self, before: dict[str, Any]) -> bool:
        """The work moved on, or the scan was refused. A screen drawn anew by the printer is no answer."""
        work = self.pda.envelope["work"]
        return work["moved"] > before["moved"] or (work["version"] > before["version"] and bool(self.refused()))

    def _put_aside(self, tote: str) -> None:
        """Empty (all short), or its order was stopped on the way: not for the table."""
        reason = self.refused()
        if reason not in ("container_empty", "order_intercepted", "order_not_ready"):
            self.day.trouble(self.name, f"tote {tote}: {reason or self.at}")
        self.leave()
        self.day.free_totes.put(tote)
        self.day.count("put_aside")

    def _pack(self, tote: str) -> None:
        """Box after box until the tote is empty; nearly always that is one."""
        order = str(self.screen["status"][0]["value"])  # the order's number is the first thing in the status bar
        for _box in range(BOXES_MAX):
            weight_g, whole = self._fill_box()
            if whole:
                self.day.free_totes.put(tote)
            self._weigh(weight_g)
            if self.at[1] != "scan_label":
                self.day.trouble(self.name, f"order {order}: {self.pda.envelope.get('message')}")
                self.leave()
                return
            waybill = self._label()
            self._send_off(order, waybill)
            if self.at[1] != "scan_item":
                return

    def _fill_box(self) -> tuple[int, bool]:
        """Goods into the box until the order is whole or the box is full: what it weighs then in g, and which."""
        weight_g, room_mm3, whole = TARE_G, BOX_MM3_MAX, True
        while self.at[1] == "scan_item":
            shown = must(self.screen, "item")
            sku, wanted = self.day.sku_named(str(shown["name"])), int(shown["quantity"])
            length, width, height = sku.sizes_mm
            fits = min((BOX_G_MAX - weight_g) // sku.weight_g, room_mm3 // (length * width * height))
            if weight_g == TARE_G:
                fits = max(1, fits)  # a single piece that is too big goes alone
            quantity = min(wanted, fits)
            if quantity:
                weight_g += sku.weight_g * quantity
                room_mm3 -= length * width * height * quantity
                self._pack_alike(sku.barcode, quantity)
            if quantity < wanted:
                whole = False
                self.pda.act("next_parcel")
        return weight_g, whole

    def _pack_alike(self, barcode: str, quantity: int) -> None:
        """Scan one and type how many more: the scanner takes the same code twice within 400 ms for one scan."""
        self._pull(barcode)
        if quantity > 1:
            self.pda.act("quantity", str(quantity - 1))

    def _weigh(self, weight_g: int) -> None:
        """The closed box goes onto the scale: a few grams of filling more or less."""
        faults = self.day.plan.faults
        self._parcels += 1
        if self._number == 1 and self._parcels == faults.paper_out_after and self.day.once("paper_out"):
            self._table.printer.ask(paper="out")
        if self.at[1] != "weigh":
            return
        version = int(self.pda.envelope["work"]["version"])
        self._table.scale.ask(put=weight_g + self._dice.randint(0, 15))
        until = time.monotonic() + MOVE_S
        while self.at[1] == "weigh" and time.monotonic() < until:
            self.pda.wait(version, 2.0)
            version = int(self.pda.envelope["work"]["version"])

    def _label(self) -> str:
        """Wait until the label is printed, take the box off the scale, stick the label on, scan it; its number."""
        waybill = str(must(self.screen, "facts")["rows"][0]["value"])
        self._wait_for_print(waybill)
        self._table.scale.ask(remove=True)
        self._pull(waybill)
        self.day.count("packed")
        return waybill

    def _send_off(self, order: str, waybill: str) -> None:
        """Onto the line, after whatever goes wrong just then."""
        cancelled = order == self.day.plan.faults.cancelled_order
        if cancelled and self.day.once("cancelled"):
            self._cancel(order, waybill)
        if self._number == 2 and self._parcels == self.day.plan.faults.gateway_killed_after and self.day.once("killed"):
            self._kill_gateway()
        if self.refused():
            self.day.trouble(self.name, f"label {waybill}: {self.refused()}")
            self.leave()
            return
        self._onto_line(order, waybill)

    def _wait_for_print(self, waybill: str) -> None:
        """Until the screen says that the label came out. It is drawn again when the printer reports."""
        began = time.monotonic()
        while time.monotonic() - began < PRINTED_S:
            rows = card(self.screen, "facts")
            if rows is not None and str(rows["rows"][1]["value"]) in PRINTED:
                self.day.count("labels")
                return
            if time.monotonic() - began > PAPER_SEEN_S:
                self._refill(waybill)
            self.pda.wait(int(self.pda.envelope["work"]["version"]), PAPER_SEEN_S)
        self.day.trouble(self.name, f"label {waybill} was not printed within {PRINTED_S:.0f} s")

    def _refill(self, waybill: str) -> None:
        """The red lamp is on: a new roll."""
        if "paper_out" in self.day.fired and self._number == 1 and self.day.once("refilled"):
            self._table.printer.ask(mend=True)
            self.day.happened.note(
                "printer out of paper", f"{self._table.code}: label {waybill} waited and printed once"
            )

    def _cancel(self, order: str, waybill: str) -> None:
        """The buyer cancels although the label is on the box."""
        try:
            answer = self.day.rest.post(f"/api/v1/orders/{order}/cancel")
        except RestRefused as no:
            self.day.trouble("integrator", str(no))
            return
        self.day.happened.note("cancelled after its label", f"order {order}: {answer['outcome']}")
        self.day.stopped.add(waybill)
        time.sleep(HOLD_REACHES_LINE_S)  # the line's table learns of it long before a parcel could reach the camera

    def _kill_gateway(self) -> None:
        self._table.gateway.kill()
        self._table.gateway = self._processes.start_again(self._table.gateway)
        await_devices(self._table.gateway)
        self.day.happened.note("gateway killed", f"{self._table.code}: started again, nothing lost")

    def _onto_line(self, order: str, waybill: str) -> None:
        line = self.day.floor.line
        assert line is not None
        unread = order == self.day.plan.faults.no_read_order and self.day.once("no_read")
        codes = [] if unread else [waybill]
        answer = line.control.ask(do="offer", codes=codes, weight_g=500)
        self.day.waybill_of_pid[int(answer["pid"])] = waybill
        if unread:
            self.day.happened.note("no-read", f"parcel {waybill}: to reject, then sorted by hand")
        self.day.count("on_line")


PRINTED = frozenset({"已打好", "printed"})  # the printer's last word on a label: nothing moves the screen after it


class LineWatcher(threading.Thread):
    """Eyes at the line's exits: what fell where. Rejects go to the one who minds the line."""

    def __init__(self, day: Day, line: Line) -> None:
        super().__init__(name="line", daemon=True)
        self._day, self._line = day, line

    def run(self) -> None:
        while not self._day.over.is_set():
            text = self._line.watch.read_line()
            if not text:
                return
            told: dict[str, Any] = json.loads(text)
            if told.get("event") == "discharged":
                self._discharged(told)

    def _discharged(self, told: dict[str, Any]) -> None:
        self._day.count("discharged")
        if told.get("latency_ms") is not None:
            self._day.line_ms.append(float(told["latency_ms"]))
        waybill = self._day.waybill_of_pid.get(int(told["pid"]), "")
        # A stopped parcel that was faster than the news lies in a chute: the terminal names it, somebody takes it out.
        if told["chute"] in (0, None) or waybill in self._day.stopped:
            self._day.rejected.put(waybill)
        elif self._day.counts["discharged"] >= self._day.plan.faults.full_chute_after and self._day.once("full_chute"):
            self._fill(int(told["chute"]))

    def _fill(self, chute: int) -> None:
        """The bag at a chute is full: its parcels go elsewhere until somebody changes it."""
        self._line.control.ask(do="chute", chute=chute, state="FULL")
        self._day.happened.note("full chute", f"chute {chute} was full; its bag is changed")
        threading.Timer(2.0, self._change_bag, (chute,)).start()

    def _change_bag(self, chute: int) -> None:
        try:
            self._day.rest.post(f"/api/v1/chutes/{chute}/empty")
        except RestRefused as no:
            self._day.trouble("supervisor", str(no))


class LineMinder(Worker):
    """Minds the line: rejects are sorted by hand or put back, bags and parcels are handed to the couriers."""

    def work(self) -> bool:
        waybill = take(self.day.rejected)
        if waybill is None:
            return self._couriers()
        self.leave()
        self.pda.act("choose", "line_assist")
        self.pda.scan(waybill)
        if self.refused() == "order_intercepted":
            self._put_back(waybill)
        elif self.at[1] == "put_in_chute":
            self.pda.act("done")
            self.day.count("by_hand")
        else:
            self.day.trouble(self.name, f"reject {waybill}: {self.refused()}")
        self.leave()
        return True

    def _put_back(self, waybill: str) -> None:
        """The goods of a stopped order go back to their slots."""
        self.leave()
        self.pda.act("choose", "stopped_order")
        code = str(self.day.rest.get(f"/api/v1/codes/{waybill}")["code"])
        self.pda.scan(make(Kind.PARCEL, code))
        for _ in range(20):
            rows = card(self.screen, "facts")
            if self.at[1] != "scan_slot" or rows is None or self.refused():
                break
            self.pda.scan(make(Kind.SLOT, str(rows["rows"][0]["label"])))
        if self.refused():
            self.day.trouble(self.name, f"put back {waybill}: {self.pda.envelope['message']['title']}")
        else:
            self.day.happened.note("cancelled after its label", f"parcel {waybill}: caught, goods back in their slots")
        self.day.count("put_back")

    def _couriers(self) -> bool:
        """The trucks are at the dock: everything ready goes."""
        if not self.day.couriers_wait.is_set():
            return False
        self.day.couriers_wait.clear()
        self._hand_over_all()
        return True

    def _hand_over_all(self) -> None:
        bags = self.day.rest.get("/api/v1/bags")["bags"]
        for courier in sorted({bag["courier"] for bag in bags}):
            self.leave()
            self.pda.act("choose", "handover")
            self.pda.act("choose", courier)
            for bag in (one for one in bags if one["courier"] == courier):
                self.pda.scan(make(Kind.BAG, bag["code"]))
                if self.refused():
                    self.day.trouble(self.name, f"bag {bag['code']}: {self.pda.envelope['message']['title']}")
                else:
                    self.day.count("bags")
                    self.day.count("handed_over", int(bag["parcels"]))
            self._sign()
        self.leave()

    def _sign(self) -> None:
        self.pda.act("sign")
        if self.screen["input"] and self.screen["input"]["action"] == "reason":
            self.pda.act("reason", "下一趟")
        self.pda.act("driver", "王师傅")
