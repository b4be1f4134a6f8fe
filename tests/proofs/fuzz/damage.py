"""Bytes as a bad cable, a broken peer or a hostile one would send them, made from sound ones, cheaply."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

CHUNK_BYTES_MAX = 400
Damage = Callable[[Random, bytes, Sequence[bytes]], bytes]


def flipped(chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """One to three bits are others."""
    broken = bytearray(sound)
    for _ in range(chance.randint(1, 3)):
        broken[chance.randrange(len(broken))] ^= 1 << chance.randrange(8)
    return bytes(broken)


def lost(chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """A piece of up to 16 bytes is missing."""
    at = chance.randrange(len(sound))
    return sound[:at] + sound[at + chance.randint(1, 16) :]


def doubled(chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """A piece of up to 16 bytes came twice."""
    at = chance.randrange(len(sound))
    return sound[:at] + sound[at : at + chance.randint(1, 16)] + sound[at:]


def spliced(chance: Random, sound: bytes, pool: Sequence[bytes]) -> bytes:
    """The beginning of one and the end of another."""
    other = chance.choice(pool)
    return sound[: chance.randrange(len(sound))] + other[chance.randrange(len(other)) :]


def noise(chance: Random, _sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """Any bytes at all."""
    return chance.randbytes(chance.randint(1, 64))


def stuffed(chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """Noise, then the sound one."""
    return chance.randbytes(chance.randint(1, 8)) + sound


def endless(chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    """One byte again and again after a sound beginning."""
    return sound[: chance.randrange(len(sound))] + bytes([chance.randrange(256)]) * chance.randint(1, CHUNK_BYTES_MAX)


def untouched(_chance: Random, sound: bytes, _pool: Sequence[bytes]) -> bytes:
    return sound


KINDS: tuple[Damage, ...] = (flipped, flipped, lost, doubled, spliced, noise, stuffed, endless, untouched)


def one(chance: Random, pool: Sequence[bytes]) -> bytes:
    """One input: a sound telegram of the pool with one kind of damage, never empty."""
    broken = KINDS[int(chance.random() * len(KINDS))](chance, pool[int(chance.random() * len(pool))], pool)
    return broken or b"\x00"
