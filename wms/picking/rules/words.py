"""What a voice says: digits one by one, and 2 as people say it."""

from __future__ import annotations

_ZH_DIGITS = dict(zip("0123456789", "零一二三四五六七八九", strict=True))


def digits(text: str, language: str) -> str:
    """A code's digits one by one: "4417" -> 四四一七, or 4 4 1 7."""
    if language == "zh":
        return "".join(_ZH_DIGITS.get(sign, sign) for sign in text)
    return " ".join(text)


def amount(quantity: int, language: str) -> str:
    """A number before a unit: 2 is 两 in Chinese."""
    return "两" if language == "zh" and quantity == 2 else str(quantity)


def place(slot_code: str, language: str) -> str:
    """A slot's code in breaths: the aisle, the bay, the level."""
    aisle, *rest = slot_code.split("-")
    stop = "，" if language == "zh" else ", "
    return stop.join([f"{aisle[:1]} {aisle[1:]}", *rest])


def tail(code: str) -> str:
    """The last four signs: what people compare."""
    return code[-4:]
