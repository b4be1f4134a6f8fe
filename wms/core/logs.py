"""How the house writes its log: one line of JSON on stderr for each event, errors with where they happened.

A trace tells files and lines, never the values in them: names, addresses and keys stay out of logs.
"""

from __future__ import annotations

import json
import re
import sys
from typing import Any

import structlog


def set_up() -> None:
    """From here on every logger writes this way. Safe to call again."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.ExceptionRenderer(structlog.tracebacks.ExceptionDictTransformer(show_locals=False)),
            structlog.processors.JSONRenderer(serializer=_written),
        ],
        logger_factory=lambda *_named: structlog.PrintLogger(sys.stderr),
        cache_logger_on_first_use=False,
    )


# What a terminal would obey or a reader of lines would break at, beyond what JSON escapes by itself: C1 controls, line
# separators, bidirectional controls, halves of characters.
_OBEYED = re.compile("[\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def _written(event: Any, **_given: Any) -> str:
    line = json.dumps(event, ensure_ascii=False, default=str)
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", line)
