"""The examples of the written page, read from the page itself."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "wsp.md"
_EXAMPLE = re.compile(r"^<02>.*<0D>$", re.MULTILINE)


def examples_of_the_page() -> list[bytes]:
    """Every example frame of docs/reference/wsp.md as bytes; ``<02>`` stands for one byte."""
    return [frame_of(line) for line in _EXAMPLE.findall(PAGE.read_text(encoding="utf-8"))]


def frame_of(line: str) -> bytes:
    """The bytes of one written example."""
    return re.sub(rb"<([0-9A-F]{2})>", lambda found: bytes.fromhex(found[1].decode()), line.encode("ascii"))
