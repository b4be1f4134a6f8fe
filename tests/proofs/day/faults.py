"""What goes wrong on a simulated day: one row each, dealt like cards, so that every kind comes up again and again.

`python -m tests.proofs.day.faults` lists them.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fault:
    """`where` it strikes: wire (a PDA's request), hand (what is scanned), walk (a person's way of working), gateway,
    rest (the merchant's program), house (the server and its database).
    """

    name: str
    where: str
    what: str


FAULTS = (
    Fault("lost_request", "wire", "the request never arrives; the PDA sends it again"),
    Fault("lost_answer", "wire", "the answer is lost after the commit; the same request comes again"),
    Fault("duplicate", "wire", "the network delivers the request twice at once"),
    Fault("late_duplicate", "wire", "a copy of the request arrives when the hand is long further on"),
    Fault("slow_network", "wire", "the request takes half a minute; the others go on"),
    Fault("server_restarts_before", "wire", "the server is restarted while the request is on its way"),
    Fault("server_restarts_after", "wire", "the server is restarted after the commit, before the answer arrives"),
    Fault("device_reboots", "wire", "the PDA forgets its screen after the scan and asks where it stands"),
    Fault("device_clock_ahead", "wire", "the PDA's clock runs two hours ahead"),
    Fault("device_clock_behind", "wire", "the PDA's clock runs two days behind"),
    Fault("id_used_again", "wire", "another scan comes under an id that was used"),
    Fault("page_mark_missing", "wire", "a request without the page's mark, as a foreign page would send it"),
    Fault("database_busy", "wire", "another process holds the database while the request comes"),
    Fault("disk_full", "wire", "the disk is full while the request comes"),
    Fault("wrong_code", "hand", "goods of another merchant are scanned"),
    Fault("wrong_place", "hand", "the neighbouring slot is scanned"),
    Fault("foreign_code", "hand", "a code that nobody here knows is scanned"),
    Fault("broken_code", "hand", "the scanner reads garbage"),
    Fault("badge_scanned", "hand", "a badge is scanned in the middle of the work"),
    Fault("double_tap", "hand", "the trigger is pulled twice"),
    Fault("key_of_another_screen", "hand", "a key is pressed that this screen does not have"),
    Fault("offline_walk", "walk", "no network for a few scans; the PDA goes on and replays them"),
    Fault("offline_lost_answer", "walk", "no network, and an answer of the replay is lost"),
    Fault("offline_reboot", "walk", "no network, the battery dies, the replay comes after the restart"),
    Fault("offline_moved_on", "walk", "no network, and the same person goes on at another PDA before the replay"),
    Fault("offline_cancelled", "walk", "no network, and an order of the cart is cancelled before the replay"),
    Fault("left_and_resumed", "walk", "the work is left in the middle and taken up again"),
    Fault("logged_out", "walk", "somebody logs out in the middle of the work and comes back"),
    Fault("session_expired", "walk", "a long pause: the PDA asks for the PIN again"),
    Fault("wrong_pin", "walk", "the PIN is mistyped at the next log-in"),
    Fault("other_device", "walk", "the work is taken to another PDA; the old one is shut out"),
    Fault("skipped_stop", "walk", "a stop is put off to the end of the walk"),
    Fault("undone", "walk", "the last scan is taken back"),
    Fault("short", "walk", "a piece is not found; somebody counts the slot"),
    Fault("language", "walk", "the language is changed in the middle of the work"),
    Fault("proposed_slot_blocked", "walk", "the slot somebody walks to is blocked"),
    Fault("lease_expired", "walk", "the goods stand on the trolley for half an hour; the slot's lease is over"),
    Fault("order_cancelled", "rest", "the buyer cancels, wherever the order is"),
    Fault("order_sent_twice", "rest", "the merchant's program sends an order twice under one key"),
    Fault("order_key_reused", "rest", "another order comes under a used key"),
    Fault("order_number_reused", "rest", "an order comes again under a new key"),
    Fault("order_answer_lost", "rest", "the merchant's program never hears that the order was taken"),
    Fault("order_of_nothing", "rest", "an order for goods that do not exist"),
    Fault("events_answer_lost", "gateway", "the gateway never hears that its events were taken and sends them again"),
    Fault("events_replayed", "gateway", "the gateway sends everything it remembers once more"),
    Fault("events_gap", "gateway", "events arrive with one missing before them"),
    Fault("events_reordered", "gateway", "the events of one call stand in the wrong order"),
    Fault("gateway_restarts", "gateway", "the gateway starts anew with its journal"),
    Fault("gateway_clock_wrong", "gateway", "the gateway's clock is ten minutes off"),
    Fault("nonce_used_again", "gateway", "a recorded call of the gateway is played back"),
    Fault("signature_wrong", "gateway", "somebody without the key pretends to be the gateway"),
    Fault("poison_event", "gateway", "a device sends nonsense"),
    Fault("printer_paper", "gateway", "the printer is out of paper; the label waits"),
    Fault("print_uncertain", "gateway", "the printer falls silent with a label half out"),
    Fault("print_offered_twice", "gateway", "the gateway fetches its commands again before it reported the claim"),
    Fault("chute_full", "gateway", "a chute is full until somebody changes its bag"),
    Fault("no_read", "gateway", "the camera reads nothing; the parcel goes to reject"),
    Fault("double_read", "gateway", "two labels are read on one parcel"),
    Fault("confirmed_twice", "gateway", "the line confirms a parcel twice"),
    Fault("confirmed_first", "gateway", "the confirmation overtakes the telling"),
    Fault("wrong_chute", "gateway", "a parcel falls into another chute than told"),
    Fault("parcel_lost", "gateway", "a parcel never reaches its chute"),
    Fault("weight_wrong", "gateway", "somebody leans on the scale"),
    Fault("weight_repeated", "gateway", "the scale tells the same weight again"),
    Fault("deliverer_dies", "house", "the worker dies with the announcements in its hands"),
    Fault("reaction_fails", "house", "what should follow a commit fails a few times"),
    Fault("server_restarts", "house", "the server is restarted"),
)


class Deck:
    """Deals faults: each kind of a place comes up once before any comes up again, in the seed's order."""

    def __init__(self, seed: int, one_in: int) -> None:
        self._dice = random.Random(f"faults of {seed}")
        self._one_in = one_in
        self._left: dict[str, list[str]] = {}
        self.happened: Counter[str] = Counter()
        self.closed = False

    def draw(self, where: str, possible: Collection[str] = ()) -> str | None:
        """What goes wrong here and now, mostly nothing. `possible` bounds it to what can happen here."""
        if self.closed or self._dice.randrange(self._one_in):
            return None
        left = self._left.setdefault(where, [])
        if not left:
            left += [each.name for each in FAULTS if each.where == where]
            self._dice.shuffle(left)
        found = next((name for name in left if not possible or name in possible), None)
        if found is not None:
            left.remove(found)
            self.happened[found] += 1
        return found


if __name__ == "__main__":
    print("\n".join(f"{each.where:8} {each.name:24} {each.what}" for each in FAULTS))
