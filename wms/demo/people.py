"""The people of a demonstration: each a thread with a PDA, doing what the screen says and nothing else."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from typing import Any

from wms.core.codes import Kind, make
from wms.demo.day import WORK, Day
from wms.demo.hands import card, must, next_pick_scan, slot_code
from wms.demo.pda import Envelope, Pda
from wms.demo.plan import PlannedLot, PlannedSku, portions

IDLE_S = 0.25
LOOK_AGAIN_S = 2.0
STEPS_MAX = 20_000
LANE = "SG-01"


class Worker(threading.Thread):
    """Somebody with a PDA. `work` is what he does until the day is over; what nobody planned is kept as a trouble."""

    def __init__(self, day: Day, device: str, badge: str, pin: str, station: str = "") -> None:
        super().__init__(name=badge, daemon=True)
        self.day = day
        self.pda = Pda(day.url, device)
        self._login = (badge, pin, station)

    def run(self) -> None:
        try:
            self.pda.log_in(*self._login)
            while not self.day.over.is_set():
                if not self.work():
                    self.rest()
        except Exception as error:  # noqa: BLE001 - a person who stumbles is reported; the others go on
            self.day.trouble(self.name, f"{type(error).__name__}: {error}")
        finally:
            self.day.scan_s.extend(self.pda.latencies_s)

    def work(self) -> bool:
        """One piece of work; False when there was none."""
        raise NotImplementedError

    def rest(self) -> None:
        """Between two looks for work. Who waits for goods at his place has waited there."""

    @property
    def screen(self) -> dict[str, Any]:
        shown: dict[str, Any] = self.pda.envelope["screen"]
        return shown

    @property
    def at(self) -> tuple[str, str]:
        return self.screen["dialogue"], self.screen["step"]

    def leave(self) -> None:
        """Back to the menu, from wherever one is."""
        for _ in range(4):
            if self.at[0] == "menu":
                return
            keys = {key["action"] for key in self.screen["keys"]}
            self.pda.act("leave" if "leave" in keys else "back")

    def refused(self) -> str:
        """The reason of a red or violet message, else nothing."""
        message = self.pda.envelope.get("message") or {}
        return str(message.get("code", "")) if message.get("level") in ("wrong", "intercepted") else ""


class Picker(Worker):
    """Gets work and does it: putaways, refills, counts, and cluster picks with a cart of his own."""

    def __init__(self, day: Day, device: str, badge: str, pin: str, cart: str, *, loses_network: bool = False) -> None:
        super().__init__(day, device, badge, pin)
        self.cart = cart
        self._loses_network = loses_network
        self._totes: list[str] = []
        self._picks = 0
        self._kept = 0
        self._heard = 0

    def rest(self) -> None:
        """Until the supervisor calls; what others leave to be done is found by looking now and then."""
        self.day.calls.wait(WORK, self._heard, LOOK_AGAIN_S)

    def work(self) -> bool:
        self._heard = self.day.calls.seen(WORK)
        if self.at[0] == "menu":
            self.pda.act("get_work")
        if self.at[0] == "menu":
            return False
        for _ in range(STEPS_MAX):
            if self.at[0] == "menu":
                break
            self._step()
        return True

    def _step(self) -> None:
        dialogue, step = self.at
        do: dict[str, Callable[[str], Envelope]] = {
            "cluster_pick": self._pick,
            "putaway": self._put_away,
            "count": self._count,
            "replenish": self._refill,
        }
        do[dialogue](step)
        if self.refused() in ASK_AGAIN:
            self.leave()
        elif self.refused() and self.refused() not in EXPECTED:
            self.day.trouble(self.name, f"{dialogue}.{step}: {self.pda.envelope['message']['title']}")
            self.leave()

    def _put_away(self, step: str) -> Envelope:
        answer = self.pda.scan(slot_code(self.screen))
        if not self.refused():
            self.day.count("put_away")
        return answer

    def _count(self, step: str) -> Envelope:
        """The slot is empty: that is why it was short."""
        self.day.count("counted")
        return self.pda.act("done")

    def _refill(self, step: str) -> Envelope:
        """From reserve to the pick face, all that is asked for."""
        if step == "type_quantity":
            self.day.count("refills")
            return self.pda.act("quantity", str(self.screen["input"]["max"]))
        if step == "scan_item":
            return self.pda.scan(self.day.goods.barcodes[str(must(self.screen, "item")["name"])])
        return self.pda.scan(slot_code(self.screen))

    def _pick(self, step: str) -> Envelope:
        if self._kept and (step not in WALKING or self._kept > OFFLINE_SCANS or not self.pda.can_go_on()):
            return self._find_network()
        if step == "scan_cart":
            self._totes = []
            return self.pda.scan(make(Kind.CART, self.cart))
        if step == "scan_new_tote":
            return self._load_tote()
        if step == "scan_lane":
            return self._to_lane()
        if step == "short":
            return self._say_short()
        return self._walk(step)

    def _load_tote(self) -> Envelope:
        tote = self._free_tote()
        order = str(must(self.screen, "big")["tail"]).split()[-1]
        answer = self.pda.scan(self.day.tote_label(tote))
        if not self.refused():
            self.day.order_of_tote[tote] = order
            self._totes.append(tote)
        return answer

    def _free_tote(self) -> str:
        """From the pile. When all are under way one waits for the packing tables."""
        while not self.day.over.is_set():
            tote = take(self.day.free_totes)
            if tote is not None:
                return tote
        raise TimeoutError("the day ended while a tote was waited for")

    def _walk(self, step: str) -> Envelope:
        if step in ("scan_slot", "scan_sku") and self._is_missing() and self._online and self.day.once("short_pick"):
            return self.pda.act("short")
        self._lose_network()
        answer = self.pda.scan(next_pick_scan(self.screen, self.day.goods))
        if step in ("scan_tote", "quantity") and not self.refused():
            self._picks += 1
            self.day.count("picks")
        return answer

    def _is_missing(self) -> bool:
        """The goods on the screen are those that are not in their slot today."""
        faults, item = self.day.plan.faults, card(self.screen, "item")
        wanted = must(self.screen, "tote")["text"] if card(self.screen, "tote") else ""
        tote = next((one for one in self._totes if one in wanted), "")
        if item is None or self.day.order_of_tote.get(tote) != faults.short_order:
            return False
        return any(sku.code == faults.short_sku and sku.name == item["name"] for sku in self.day.plan.skus)

    @property
    def _online(self) -> bool:
        return self._kept == 0

    def _lose_network(self) -> None:
        """Once in the day the radio is gone for a dozen scans: the walk goes on by what the PDA knows."""
        if self._kept:
            self._kept += 1
            return
        faults = self.day.plan.faults
        too_early = self._picks < faults.offline_from_pick
        # The short pick needs the server: not in the same walk, or that order's fate hung on who was faster.
        busy = any(self.day.order_of_tote[tote] == faults.short_order for tote in self._totes)
        if not self._loses_network or too_early or busy or self.pda.look_ahead() < AHEAD_WANTED:
            return
        self._loses_network = False
        if self.day.once("offline"):
            self.pda.lose_network()
            self._kept = 1

    def _find_network(self) -> Envelope:
        """Back: everything arrives in its order, and the server's screen counts again."""
        sent = self.pda.find_network()
        self._kept = 0
        told = f"{sent} scans kept and sent in order, {self.pda.conflicts} conflicts"
        self.day.happened.note("PDA without network", told)
        return self.pda.envelope

    def _say_short(self) -> Envelope:
        """Nothing is there, whatever the book says."""
        answer = self.pda.act("missing", str(self.screen["input"]["max"]))
        told = self.pda.envelope.get("message") or {}
        self.day.happened.note("short pick", f"order {self.day.plan.faults.short_order}: {told.get('title', '')}")
        return answer

    def _to_lane(self) -> Envelope:
        answer = self.pda.scan(make(Kind.STATION, LANE))
        if not self.refused():
            for tote in self._totes:
                self.day.to_pack.put(tote)
            self.day.count("batches")
            self._totes = []
        return answer


EXPECTED = frozenset({"no_work", "S7-21", "S7-31", "S7-32", "S7-33"})
# The slot was kept for him for twenty minutes of the day, which fly: he takes the task again and is sent elsewhere.
ASK_AGAIN = frozenset({"slot_kept"})
WALKING = frozenset({"scan_slot", "scan_sku", "scan_tote", "quantity"})
OFFLINE_SCANS = 12
AHEAD_WANTED = 8


class Receiver(Worker):
    """Takes the morning's deliveries in: ASN, each SKU counted, lot and date typed where asked, a new box."""

    def __init__(self, day: Day, device: str, badge: str, pin: str, asns: list[str]) -> None:
        super().__init__(day, device, badge, pin)
        self._asns = asns

    def receive_all(self) -> None:
        """Before the others begin: who receives goes picking afterwards, on the same PDA."""
        self.pda.log_in(*self._login)
        for asn in self._asns:
            self._receive(asn)

    def _receive(self, asn: str) -> None:
        self.pda.act("choose", "receive")
        self.pda.scan(make(Kind.ASN, asn))
        for lot in (one for one in self.day.plan.lots if one.asn == asn):
            sku = next(one for one in self.day.plan.skus if one.code == lot.sku)
            for quantity in portions(lot.quantity, sku.sizes_mm, sku.weight_g):
                self._one_box(lot, sku, quantity)
        self.pda.act("close")
        self.leave()

    def _one_box(self, lot: PlannedLot, sku: PlannedSku, quantity: int) -> None:
        self.pda.scan(sku.barcode)
        self.pda.act("quantity", str(quantity))
        self.pda.act("put")
        if self.at[1] == "type_lot":
            self.pda.act("lot", lot.lot)
        if self.at[1] == "type_expiry":
            self.pda.act("expiry", lot.expires_on.isoformat() if lot.expires_on else "")
        self.pda.act("new_container")
        if self.refused():
            self.day.trouble(self.name, f"receive {lot.sku}: {self.pda.envelope['message']['title']}")
        self.day.count("received")


def take(waiting: queue.Queue[str], wait_s: float = IDLE_S) -> str | None:
    """The next of a queue, or None after a moment."""
    try:
        return waiting.get(timeout=wait_s)
    except queue.Empty:
        return None
