"""What the REST API answers, as its OpenAPI description tells it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from voicebot.console.queries import CallRow, CampaignRow, PromiseView
from voicebot.domain.campaign import Hours, Segment
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


class CaseOut(BaseModel):
    """One case; only masked numbers leave the console."""

    case_id: str
    debtor_name: str
    creditor: str
    product: str
    amount_fen: int
    overdue_days: int
    numbers_masked: list[str]
    attempts: int
    last_disposition: Disposition | None
    status: str


class CasesOut(BaseModel):
    total: int
    page: int
    cases: list[CaseOut]


class CampaignOut(BaseModel):
    campaign_id: str
    name: str
    script: str
    active: bool
    total: int
    done: int
    running: int
    promises: int
    dispositions: dict[Disposition, int]
    hours_from: str | None = None
    hours_to: str | None = None
    strategy: str | None = None


CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class CampaignIn(BaseModel):
    """A new campaign and which open cases it takes; bounds are inclusive, null does not restrict."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    script: str
    min_overdue_days: Annotated[int | None, Field(ge=0, le=10_000)] = None
    max_overdue_days: Annotated[int | None, Field(ge=0, le=10_000)] = None
    min_amount_fen: Annotated[int | None, Field(ge=0)] = None
    max_amount_fen: Annotated[int | None, Field(ge=0)] = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    hours_from: Annotated[str | None, Field(pattern=CLOCK, description="HH:MM in Shanghai")] = None
    hours_to: Annotated[str | None, Field(pattern=CLOCK, description="HH:MM in Shanghai, later")] = None
    strategy: Annotated[str | None, Field(description="Cases are reached on its days; null: all at the start")] = None

    @model_validator(mode="after")
    def _hours_in_order(self) -> Self:
        if (self.hours_from is None) != (self.hours_to is None):
            raise ValueError("hours need both a beginning and an end")
        if self.hours_from is not None and self.hours_to is not None and self.hours_from >= self.hours_to:
            raise ValueError("the hours end before they begin")
        return self

    @model_validator(mode="after")
    def _bounds_in_order(self) -> Self:
        bounds = ((self.min_overdue_days, self.max_overdue_days), (self.min_amount_fen, self.max_amount_fen))
        if any(low is not None and high is not None and low > high for low, high in bounds):
            raise ValueError("a lower bound is above its upper bound")
        return self

    def segment(self) -> Segment:
        return Segment(
            min_overdue_days=self.min_overdue_days,
            max_overdue_days=self.max_overdue_days,
            min_amount_fen=self.min_amount_fen,
            max_amount_fen=self.max_amount_fen,
        )

    def hours(self) -> Hours | None:
        if self.hours_from is None or self.hours_to is None:
            return None
        return dt.time.fromisoformat(self.hours_from), dt.time.fromisoformat(self.hours_to)


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


class RejectedOut(BaseModel):
    row: int
    column: str
    value: str
    reason: str


class ImportOut(BaseModel):
    imported: int
    updated: int
    duplicates: int
    rejected: list[RejectedOut]


class DoneOut(BaseModel):
    done: bool = True


def call_out(row: CallRow) -> CallOut:
    """A call as the API tells it."""
    return CallOut(
        call_id=row.call_id,
        case_id=row.case_id,
        debtor_name=row.debtor_name,
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


def campaign_out(row: CampaignRow) -> CampaignOut:
    """A campaign as the API tells it."""
    return CampaignOut(
        campaign_id=row.campaign_id,
        name=row.name,
        script=row.script,
        active=row.active,
        total=row.total,
        done=row.done,
        running=row.running,
        promises=row.promises,
        dispositions=dict(row.dispositions),
        hours_from=f"{row.hours[0]:%H:%M}" if row.hours else None,
        hours_to=f"{row.hours[1]:%H:%M}" if row.hours else None,
        strategy=row.strategy,
    )
