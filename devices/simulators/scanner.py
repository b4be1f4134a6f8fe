"""A simulated serial scanner: `wms-devices simulate scanner --port /tmp/scanner`.

Controls: `{"scan": "6901234567892", "aim": "]E0"}`, `{"noread": true}`, `{"raw": "hex bytes"}`, `{"unplug": seconds}`.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from devices.framing.lines import SUFFIXES
from devices.simulators.bench import Answer, Cable, add_common_arguments, chosen_faults, make_end, parse, stay


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="wms-devices simulate scanner", description=__doc__)
    add_common_arguments(parser, baud=9600)
    parser.add_argument("--prefix", default="", help="sent before each code")
    parser.add_argument("--suffix", default="CRLF", choices=sorted(SUFFIXES))
    parser.add_argument("--noread", default="NOREAD", help="the text for no code found")
    chosen = parse(parser, argv)
    cable = Cable(make_end(chosen), _deaf, baud=chosen.baud, faults=chosen_faults(chosen), seed=chosen.seed)

    def handle(asked: dict[str, Any]) -> Answer:
        cable.say(telegram(asked, chosen.prefix, chosen.suffix, chosen.noread))
        return {"ok": True}

    return stay("scanner", cable, handle, chosen.control)


def telegram(asked: dict[str, Any], prefix: str, suffix: str, noread: str) -> bytes:
    """What the scanner sends for one control. Raises ValueError or KeyError if the control is none."""
    if "raw" in asked:
        return bytes.fromhex(str(asked["raw"]))
    text = noread if asked.get("noread") else f"{prefix}{asked.get('aim', '')}{asked['scan']}"
    return text.encode("utf-8") + SUFFIXES[suffix]


def _deaf(content: bytes) -> None:
    """A scanner hears nothing that matters here."""
