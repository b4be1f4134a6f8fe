"""The bytes that docs/reference/devices.md shows are what the framing reads."""

from __future__ import annotations

import re

from devices.framing import stx_etx, zpl_status
from devices.framing.scales import YAOHUA_CONTENT_BYTES, Reading, read_cas, read_sics, read_yaohua
from tests.devices.processes import ROOT

PAGE = (ROOT / "docs" / "reference" / "devices.md").read_text(encoding="utf-8")


def bytes_of(shown: str) -> bytes:
    """`<02>` is one byte."""
    return re.sub(rb"<([0-9A-F]{2})>", lambda found: bytes.fromhex(found[1].decode()), shown.encode("ascii"))


def test_the_scales_lines_are_read() -> None:
    shown = {
        word: re.search(rf"`({pattern})`", PAGE)
        for word, pattern in {
            "cas": r"ST,GS,[^`]*kg",
            "yaohua": r"<02>[^`]*<03>",
            "sics": r"S S [^`]*kg",
        }.items()
    }
    texts = {word: found[1] for word, found in shown.items() if found is not None}
    assert read_cas(texts["cas"].encode()) == Reading(1235, True)
    used, frame = stx_etx.decode(bytes_of(texts["yaohua"]), YAOHUA_CONTENT_BYTES)
    assert used == YAOHUA_CONTENT_BYTES + 2
    assert frame is not None
    assert read_yaohua(frame) == Reading(1235, None)
    assert read_sics(texts["sics"].encode()) == Reading(1235, True)


def test_a_sics_scale_that_cannot_weigh_says_why() -> None:
    faults = [reading.fault for line in (b"S +", b"S -", b"S I", b"ES") if (reading := read_sics(line)) is not None]
    assert faults == ["overload", "underload", "scale_cannot", "scale_error"]
    assert all(f"`{fault}`" in PAGE for fault in faults)


def test_the_zpl_answer_is_one_of_a_printer_in_which_all_is_well() -> None:
    found = re.search(r"^(<02>030,.*)$", PAGE, re.MULTILINE)
    assert found is not None
    answer = bytes_of(found[1])
    used, lines = zpl_status.decode(answer)
    assert used == len(answer)
    assert lines is not None
    state = zpl_status.zpl_state(lines)
    assert (state.can_print, state.reason, state.busy) == (True, "", False)
