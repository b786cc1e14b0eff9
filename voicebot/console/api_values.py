"""What the REST API answers, as its OpenAPI description tells it."""

from __future__ import annotations

import datetime as dt

from pydantic import BaseModel

from voicebot.console.masking import name_shown
from voicebot.console.queries import CallRow, PromiseView
from voicebot.domain.outcome import Disposition


class PromiseOut(BaseModel):
    """A promise to pay `amount_fen` by `date`."""

    date: dt.date
    amount_fen: int
    confirmed: bool


class CallOut(BaseModel):
    """One call; `disposition` is null while it runs."""

    call_id: str
    case_id: str | None
    debtor_name: str
    number_masked: str
    direction: str
    script: str
    campaign: str | None
    started_at: dt.datetime
    answered_at: dt.datetime | None
    ended_at: dt.datetime | None
    duration_s: float
    disposition: Disposition | None
    verified: bool
    handoff: bool
    emotion: str | None
    promise: PromiseOut | None
    has_bundle: bool


class LineOut(BaseModel):
    """One utterance; times are milliseconds of recorded audio."""

    speaker: str
    text: str
    start_ms: int
    end_ms: int
    node: str
    intents: list[str]
    emotion: str | None


class CallDetailOut(CallOut):
    transcript: list[LineOut]


class CallsOut(BaseModel):
    total: int
    page: int
    calls: list[CallOut]


class PeaksOut(BaseModel):
    duration_ms: int
    left: list[int]
    right: list[int]


class FailureOut(BaseModel):
    code: str
    what: str


class VerdictOut(BaseModel):
    valid: bool
    failures: list[FailureOut]


class DoneOut(BaseModel):
    done: bool = True


def call_out(row: CallRow) -> CallOut:
    """A call as the API tells it."""
    return CallOut(
        call_id=row.call_id,
        case_id=row.case_id,
        debtor_name=name_shown(row.debtor_name),
        number_masked=row.number_masked,
        direction=row.direction,
        script=row.script,
        campaign=row.campaign,
        started_at=row.started_at,
        answered_at=row.answered_at,
        ended_at=row.ended_at,
        duration_s=row.duration_s,
        disposition=row.disposition,
        verified=row.verified,
        handoff=row.handoff,
        emotion=row.emotion,
        promise=_promise_out(row.promise),
        has_bundle=bool(row.bundle),
    )


def _promise_out(promise: PromiseView | None) -> PromiseOut | None:
    if promise is None:
        return None
    return PromiseOut(date=promise.date, amount_fen=promise.amount_fen, confirmed=promise.confirmed)
