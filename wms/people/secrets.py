"""Tokens, keys and the hashing of what people remember.

PINs and passwords are hashed slowly (argon2id, 19 MiB, two passes: OWASP's first choice), at most two at once so that
a rush at the gate does not eat the server's memory. Tokens and keys are random enough for a plain SHA-256.
"""

from __future__ import annotations

import hashlib
import secrets
import threading

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

MEMORY_KIB = 19 * 1024
PASSES = 2
HASHES_AT_ONCE_MAX = 2
TOKEN_BYTES = 32
KEY_MARK = "cw"
PREFIX_LENGTH = 8
SECRET_LENGTH = 43
_PREFIX_SIGNS = "abcdefghijkmnpqrstuvwxyz23456789"

_hasher = PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=1)
at_once = threading.BoundedSemaphore(HASHES_AT_ONCE_MAX)
_decoys: dict[str, str] = {}


def slow_hash(secret: str) -> str:
    """The hash of a PIN or password, with salt and costs in it."""
    with at_once:
        return _hasher.hash(secret)


def matches(slow: str | None, secret: str) -> bool:
    """Whether `secret` was hashed to `slow`. Without a hash it takes as long and says no."""
    with at_once:
        try:
            _hasher.verify(slow or _decoy(), secret)
        except VerifyMismatchError:
            return False
        return slow is not None


def _decoy() -> str:
    if "decoy" not in _decoys:
        _decoys["decoy"] = _hasher.hash(secrets.token_hex(16))
    return _decoys["decoy"]


def new_token() -> str:
    """256 random bits, as text for a cookie."""
    return secrets.token_urlsafe(TOKEN_BYTES)


def fast_hash(token: str) -> str:
    """SHA-256 of something random."""
    return hashlib.sha256(token.encode()).hexdigest()


def new_key() -> tuple[str, str]:
    """An API key `cw_<prefix>_<secret>` and its prefix, which lists show."""
    prefix = "".join(secrets.choice(_PREFIX_SIGNS) for _ in range(PREFIX_LENGTH))
    return f"{KEY_MARK}_{prefix}_{new_token()}", prefix


def looks_like_a_key(key: str) -> bool:
    """Whether it is worth asking the database."""
    return len(key) == len(KEY_MARK) + PREFIX_LENGTH + SECRET_LENGTH + 2 and key.startswith(f"{KEY_MARK}_")
