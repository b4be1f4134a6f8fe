"""Ids that nobody else makes."""

from __future__ import annotations

import secrets


def new_id() -> str:
    """32 hex digits from the system's randomness: a request id of our own."""
    return secrets.token_hex(16)
