"""Cures that several troubles share."""

from __future__ import annotations

from datetime import datetime

from wms.terminal.values import Deed, Words


def look_after(key: str) -> Deed:
    """Nothing can be done from a desk: somebody goes there, and the row says who."""
    return Deed("acknowledge", Words("terminal.deed.acknowledge"), {"key": key})


def release(courier: str, at: datetime, orders: int) -> Deed:
    """Gather what is not in a wave yet and send all waves of the cut-off to the floor."""
    words = Words("terminal.deed.release", {"orders": f"{orders:,}"})
    return Deed("release_cut_off", words, {"courier": courier, "at": at.isoformat()})
