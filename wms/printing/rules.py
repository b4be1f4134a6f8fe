"""What may become of a print job, and how one print of a label is told from another. Pure."""

from __future__ import annotations

import hashlib
import re

from wms.printing.values import JobState, Trace

S = JobState

# What a gateway may report in which state. Any other report is old news and changes nothing: events arrive in order,
# but a repeated or late one must not turn a printed label back into a waiting one.
REPORTS: dict[JobState, frozenset[JobState]] = {
    S.QUEUED: frozenset({S.CLAIMED, S.SENDING, S.SENT, S.VERIFIED, S.UNCERTAIN, S.FAILED}),
    S.CLAIMED: frozenset({S.SENDING, S.SENT, S.VERIFIED, S.UNCERTAIN, S.FAILED}),
    S.SENDING: frozenset({S.SENT, S.VERIFIED, S.UNCERTAIN, S.FAILED}),
    S.SENT: frozenset({S.VERIFIED, S.UNCERTAIN}),
    # The printer may still prove a label the gateway had given up; only a person may say it is not there.
    S.UNCERTAIN: frozenset({S.VERIFIED}),
    # A gateway may try a failed job again by itself: failed means that no byte had left.
    S.FAILED: frozenset({S.CLAIMED, S.SENDING, S.SENT, S.VERIFIED, S.UNCERTAIN}),
    # Cancelled while the gateway was already fetching it: paper is the truth.
    S.CANCELLED: frozenset({S.SENDING, S.SENT, S.VERIFIED, S.UNCERTAIN}),
    S.VERIFIED: frozenset(),
}

# A job in one of these is not known to lie on paper: somebody waits for the label.
DUE = frozenset({S.QUEUED, S.CLAIMED, S.SENDING, S.UNCERTAIN, S.FAILED})
# From these a person may order the same paper again without the mark of a reprint: no gateway has told that it holds
# the job and may still send it. (One that fetched it at the last moment tells when it comes back; both papers show.)
NEVER_SENT = frozenset({S.QUEUED, S.FAILED, S.CANCELLED})

NONCE_LENGTH = 6
_NONCE_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread
_TRACE = re.compile(rf"([0-9A-Z][0-9A-Z-]*)-(\d{{1,3}})-([{_NONCE_SIGNS}]{{{NONCE_LENGTH}}})")


def after_report(state: JobState, reported: JobState) -> JobState:
    """The state after a gateway's report; the same one if the report is old news."""
    return reported if reported in REPORTS[state] else state


def nonce_for(request_id: str, key: str) -> str:
    """The mark of one print: the same for a repeated request, another for every other."""
    digest = hashlib.sha256(f"{request_id}\n{key}".encode()).digest()
    return "".join(_NONCE_SIGNS[byte % len(_NONCE_SIGNS)] for byte in digest[:NONCE_LENGTH])


def read_trace(body: str) -> Trace | None:
    """The parts of a label's trace code (its body, as `codes.read` gives it); None if it is none."""
    parts = _TRACE.fullmatch(body)
    return Trace(parts[1], int(parts[2]), parts[3]) if parts else None
