"""Millions of texts into the one place that understands bar codes: read or refused, never anything else.

A label of ours with a damaged sign is refused; what is believed as ours, or as a GTIN, has its check recomputed here by
other code (ISO 7064 MOD 37,36 and GS1's modulo 10, both from their published definitions).
"""

from __future__ import annotations

import time
from datetime import date
from random import Random

from tests.proofs.frame import SQLITE, Ground, Outcome, proof, twin
from tests.proofs.fuzz.hostile import STRINGS
from tests.proofs.sabotage import replaced
from wms.core import codes
from wms.core.codes import GS, LENGTH_MAX, Kind, Read
from wms.core.refusal import Reason, Refused

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
OURS = tuple(kind for kind in Kind if len(kind.value) == 2)
AIMS = (None, None, None, "]C1", "]d2", "]Q3", "]e0", "]J1", "]E0", "]C0", "", "]")
ELEMENTS = ("01", "02", "10", "11", "15", "17", "21", "30", "37", "310", "00", "99", "8005")
SIGNS = "0123456789ABCXYZ.-] \x1d\x00\x1b\t\r\n²٣é储\u200b\u202e\ud800"
BROKEN_TOLD_MAX = 5
LABELS = 2_000
MAY_REFUSE = {Reason.BARCODE_UNREADABLE, Reason.BARCODE_CHECK_WRONG}


def check_of(text: str) -> str:
    """The check character of ISO 7064 MOD 37,36."""
    product = 36
    for sign in text:
        product = ((product + ALPHABET.index(sign)) % 36 or 36) * 2 % 37
    return ALPHABET[(37 - product) % 36]


def gtin_is_sound(digits: str) -> bool:
    """GS1 General Specifications 7.9: weights 3 and 1 from the right."""
    if len(digits) != 14 or not (digits.isascii() and digits.isdigit()):
        return False
    return sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(digits)) % 10 == 0


def text_of(chance: Random, labels: list[str]) -> tuple[str, bool]:
    """One text, and whether it is one of our labels with one sign changed for another of its kind."""
    turn = int(chance.random() * 8)
    if turn == 0:
        label = labels[int(chance.random() * len(labels))]
        at = chance.randrange(3, len(label))
        other = ALPHABET[int(chance.random() * 36)]
        if label[at] in ".-" or label[at] == other:
            return label, False
        return label[:at] + other + label[at + 1 :], True
    if turn in (1, 2):
        return "".join(chance.choices(SIGNS, k=chance.randint(0, 30))), False
    if turn == 3:
        return STRINGS[int(chance.random() * len(STRINGS))], False
    if turn == 4:
        return chance.choice(labels)[: chance.randint(0, 12)] + chance.choice(STRINGS)[:150], False
    return _elements(chance), False


def _elements(chance: Random) -> str:
    """Something like a GS1 element string."""
    said = ""
    for _ in range(chance.randint(1, 4)):
        said += chance.choice(ELEMENTS) + "".join(chance.choices("0123456789", k=chance.choice((6, 6, 14, 14, 3, 9))))
        said += chance.choice(("", "", GS))
    if chance.random() < 0.2:
        at = chance.randrange(len(said))
        said = said[:at] + chance.choice(SIGNS) + said[at + 1 :]
    return said


def wrong_with(text: str, aim: str | None, damaged: bool) -> tuple[str, bool]:
    """What is wrong with how a text was read, and whether it was read at all."""
    try:
        found = codes.read(text, aim)
    except Refused as no:
        return ("" if no.reason in MAY_REFUSE else f"refused as {no.reason}"), False
    if damaged:
        return "a damaged label was believed", True
    return _believed(found), True


def _believed(found: Read) -> str:
    if not 1 <= len(found.raw) <= LENGTH_MAX:
        return f"{len(found.raw)} signs were read"
    if any(not sign.isprintable() and sign != GS for sign in found.raw):
        return "what cannot be printed was read"
    if found.kind in OURS:
        sound = found.raw == f"{found.kind}.{found.body}.{check_of(found.kind + found.body.replace('-', ''))}"
        return "" if sound else "a wrong check character was believed"
    facts = found.gs1
    if facts is None:
        return ""
    if facts.gtin is not None and not gtin_is_sound(facts.gtin):
        return f"the GTIN {facts.gtin} was believed"
    days = (facts.produced_on, facts.expires_on)
    return "" if all(day is None or isinstance(day, date) for day in days) else f"{days} are no days"


def labels_of(chance: Random) -> list[str]:
    """Some labels of ours."""
    return [codes.make(chance.choice(OURS), _body(chance)) for _ in range(LABELS)]


def bombard(ground: Ground, inputs: int, labels: list[str]) -> Outcome:
    """Read `inputs` texts."""
    chance, broken, read, began_s = ground.random(), [], 0, time.monotonic()
    for _ in range(inputs):
        text, damaged = text_of(chance, labels)
        aim = AIMS[int(chance.random() * len(AIMS))]
        try:
            wrong, was_read = wrong_with(text, aim, damaged)
        except Exception as error:  # noqa: BLE001 - whatever it is, the promise is that there is none
            wrong, was_read = f"{type(error).__name__}: {error}", False
        read += was_read
        if wrong:
            broken.append(f"{text[:80]!r} {aim}: {wrong}")
            if len(broken) >= BROKEN_TOLD_MAX:
                break
    rate = inputs / max(0.001, time.monotonic() - began_s)
    return Outcome(f"{inputs:,} inputs", tuple(broken), rate, "inputs/s", {"read": read})


def _body(chance: Random) -> str:
    return "".join(chance.choices(ALPHABET + "-", k=chance.randint(1, 20)))


@proof(
    name="scanned_codes",
    promises=(10, 12),
    on=(SQLITE,),
    small={"inputs": 30_000},
    full={"inputs": 3_000_000},
    goal="no exception, no wrong accept",
)
def scanned_codes(ground: Ground, *, inputs: int) -> Outcome:
    return bombard(ground, inputs, labels_of(ground.random()))


@twin(of="scanned_codes", sabotage="the check character of our labels is not compared")
def any_check_character(ground: Ground, *, inputs: int) -> Outcome:
    class Any(str):
        def __ne__(self, other: object) -> bool:
            return False

        __eq__ = str.__eq__
        __hash__ = str.__hash__

    labels = labels_of(ground.random())
    with replaced(codes, _check=lambda kind, body: Any()):
        return bombard(ground, inputs, labels)


@twin(of="scanned_codes", sabotage="the check digit of a GTIN is not compared")
def any_gtin(ground: Ground, *, inputs: int) -> Outcome:
    class Trusting:
        @staticmethod
        def is_valid(_gtin: str) -> bool:
            return True

    with replaced(codes, ean=Trusting):
        return bombard(ground, inputs, labels_of(ground.random()))
