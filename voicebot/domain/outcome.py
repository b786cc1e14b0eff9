"""Disposition: how a call ended, in the one vocabulary that reports, scripts and outside checks share."""

from __future__ import annotations

from enum import StrEnum


class Disposition(StrEnum):
    """Outcome of a call. The first group needs a conversation, the second means that nobody talked."""

    PROMISE_TO_PAY = "promise_to_pay"
    PARTIAL_PROMISE = "partial_promise"
    ALREADY_PAID = "already_paid"
    HARDSHIP = "hardship"
    DISPUTE = "dispute"
    REFUSAL = "refusal"
    CALLBACK = "callback"
    WRONG_NUMBER = "wrong_number"
    THIRD_PARTY = "third_party"
    DO_NOT_CALL = "do_not_call"
    COMPLAINT = "complaint"
    HUMAN_REQUESTED = "human_requested"
    VULNERABLE = "vulnerable"
    VOICEMAIL = "voicemail"
    NO_INPUT = "no_input"
    ABUSIVE = "abusive"

    NO_ANSWER = "no_answer"
    BUSY = "busy"
    REJECTED = "rejected"
    UNREACHABLE = "unreachable"
    FAILED = "failed"

    @property
    def talked(self) -> bool:
        """True when somebody (or a voicemail) was on the line."""
        return self not in _NOBODY


_NOBODY = frozenset(
    {
        Disposition.NO_ANSWER,
        Disposition.BUSY,
        Disposition.REJECTED,
        Disposition.UNREACHABLE,
        Disposition.FAILED,
    }
)
