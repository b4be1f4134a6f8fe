"""Print jobs as other rooms know them: what is asked for, how far it got, what the gateway is handed."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

COPIES = 1  # always: a second label is a reprint, marked and counted

TAKEN_OVER = "print.taken_over"  # in the trail: one printer stands in for another


class JobState(StrEnum):
    """How far a job got. `sending` is on record before the first byte leaves, so `uncertain` is never guessed away."""

    QUEUED = "queued"
    CLAIMED = "claimed"
    SENDING = "sending"
    SENT = "sent"
    VERIFIED = "verified"
    UNCERTAIN = "uncertain"
    FAILED = "failed"
    CANCELLED = "cancelled"


UNDER_WAY = frozenset({JobState.CLAIMED, JobState.SENDING})  # for who waits for the label these are one and the same


@dataclass(frozen=True, slots=True)
class PrintRequest:
    """One document for one station, already in the printer's bytes.

    `key` names the business fact ("parcel:17/waybill"): asked twice, printed once. `document` is the template's name,
    `subject` the number on it, by which its labels are found again.
    """

    key: str
    station_id: int
    document: str
    subject: str
    media: str
    language: str
    content: bytes
    merchant_id: int | None = None
    reprint: int = 0
    nonce: str = ""


@dataclass(frozen=True, slots=True)
class PrintFacts:
    """A job as lists show it: everything but its bytes."""

    id: int
    key: str
    station_id: int
    document: str
    subject: str
    media: str
    language: str
    reprint: int
    nonce: str
    state: JobState
    trouble: str | None
    printer: str | None
    made_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True)
class Offered:
    """A job as its gateway fetches it."""

    id: int
    document: str
    media: str
    language: str
    content: bytes
    sha256: str
    reprint: int

    def to_json(self) -> dict[str, Any]:
        """The facts of the gateway contract's `print` command."""
        return {
            "job": self.id,
            "document": self.document,
            "media": self.media,
            "language": self.language,
            "bytes_b64": base64.b64encode(self.content).decode("ascii"),
            "sha256": self.sha256,
            "copies": COPIES,
            "reprint": self.reprint,
        }


@dataclass(frozen=True, slots=True)
class Trace:
    """What the small code on a label says: whose number it carries and which of its prints this is."""

    number: str
    reprint: int
    nonce: str
