"""How the house writes its log: one line of JSON on stderr for each event, errors with where they happened.

A trace tells files and lines, never the values in them: names, addresses and keys stay out of logs.
"""

from __future__ import annotations

import json
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


def _written(event: Any, **_given: Any) -> str:
    return json.dumps(event, ensure_ascii=False, default=str)
