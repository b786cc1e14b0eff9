"""What the API of campaigns, segments and strategies takes and answers, as its OpenAPI description tells it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator

from voicebot.console.campaign_data import CampaignWish, RiskView, SegmentRow
from voicebot.console.queries import CampaignRow
from voicebot.domain.campaign import Hours, Segment
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import CampaignMode
from voicebot.domain.segment import Portrait, Share
from voicebot.strategy.sharing import By, SharingRule
from voicebot.strategy.what_if import WhatIf

CLOCK = r"^([01]\d|2[0-3]):[0-5]\d$"


class CampaignOut(BaseModel):
    campaign_id: str
    name: str
    script: str
    active: bool
    state: str
    mode: CampaignMode
    total: int
    done: int
    running: int
    promises: int
    dispositions: dict[Disposition, int]
    hours_from: str | None = None
    hours_to: str | None = None
    strategy: str | None = None
    segment: str | None = None
    reached: int = 0
    held_out: int = 0


class CampaignIn(BaseModel):
    """A new campaign and which open cases it takes; bounds are inclusive, null does not restrict."""

    name: Annotated[str, Field(min_length=1, max_length=60)]
    script: str
    segment: Annotated[str | None, Field(description="A named segment; the bounds below narrow it further")] = None
    min_overdue_days: Annotated[int | None, Field(ge=0, le=10_000)] = None
    max_overdue_days: Annotated[int | None, Field(ge=0, le=10_000)] = None
    min_amount_fen: Annotated[int | None, Field(ge=0)] = None
    max_amount_fen: Annotated[int | None, Field(ge=0)] = None
    max_concurrency: Annotated[int, Field(ge=1, le=1000)] = 5
    priority: Annotated[int, Field(ge=-1000, le=1000)] = 0
    hours_from: Annotated[str | None, Field(pattern=CLOCK, description="HH:MM in Shanghai")] = None
    hours_to: Annotated[str | None, Field(pattern=CLOCK, description="HH:MM in Shanghai, later")] = None
    strategy: Annotated[str | None, Field(description="Cases are reached on its days; null: all at the start")] = None
    mode: CampaignMode = CampaignMode.ROBOT
    most_abandoned: Annotated[float, Field(ge=0, le=0.03, description="Ceiling of the predictive mode")] = 0.03
    callers: Annotated[list[str], Field(description="Numbers of ours that are shown in turn", max_length=50)] = []
    calls_per_caller: Annotated[int | None, Field(ge=1, le=10_000, description="A day")] = None

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

    def wish(self) -> CampaignWish:
        segment = Segment(
            min_overdue_days=self.min_overdue_days,
            max_overdue_days=self.max_overdue_days,
            min_amount_fen=self.min_amount_fen,
            max_amount_fen=self.max_amount_fen,
        )
        return CampaignWish(
            self.name.strip(), self.script, segment, self.segment, self.max_concurrency, self.priority, self._hours(),
            self.strategy, self.mode, self.most_abandoned, tuple(self.callers), self.calls_per_caller,
        )  # fmt: skip

    def _hours(self) -> Hours | None:
        if self.hours_from is None or self.hours_to is None:
            return None
        return dt.time.fromisoformat(self.hours_from), dt.time.fromisoformat(self.hours_to)


class RefusalOut(BaseModel):
    """`rule` forbade these cases for the rest of the day."""

    rule: str
    reason: str
    cases: int
    first_allowed: dt.datetime | None


class WhatIfOut(BaseModel):
    """A campaign's day as it would go: cases = due + not_due + held_out + unreachable + pulled."""

    day: dt.date
    cases: int
    due: int
    not_due: int
    held_out: int
    unreachable: int
    pulled: int
    messages: int
    persons: int
    calls: int
    cases_rung: int
    conversations: int
    answer_rate: float
    refused: int
    left_over: int
    first_call: dt.datetime | None
    last_end: dt.datetime | None
    most_at_once: int
    refusals: list[RefusalOut]
    put_off: dict[str, int]
    by_hour: dict[int, int]


class SegmentOut(BaseModel):
    """A named segment; `version` 0: as its file says, nobody saved it on the page."""

    segment_id: str
    title: str
    cases: int
    amount_fen: int
    hours_from: str | None
    hours_to: str | None
    version: int


class ShareOut(BaseModel):
    id: str
    cases: int
    amount_fen: int


class PortraitOut(BaseModel):
    """A segment in figures, parted four ways."""

    cases: int
    amount_fen: int
    debtors: int
    by_stage: list[ShareOut]
    by_amount: list[ShareOut]
    by_tier: list[ShareOut]
    by_creditor: list[ShareOut]


class PolicyIn(BaseModel):
    """The YAML of a policy; `based_on`: the version it was made from, so that nobody's work is overwritten."""

    source: Annotated[str, Field(max_length=200_000)]
    based_on: Annotated[int | None, Field(ge=0)] = None


class PolicyOut(BaseModel):
    name: str
    version: int
    source: str
    problems: list[str] = []


class VersionOut(BaseModel):
    version: int
    saved_by: str
    saved_at: dt.datetime


class SharingIn(BaseModel):
    """How free cases of a segment are given to people. `dry`: only say who would get what."""

    by: By = By.BALANCE
    cap: Annotated[int, Field(ge=1, le=1000, description="Cases a person may hold")] = 20
    skill: str | None = None
    shares: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = {}
    most: Annotated[int, Field(ge=1, le=100_000)] = 10_000
    dry: bool = False

    def rule(self) -> SharingRule:
        return SharingRule(self.by, self.cap, self.skill or None, self.shares, self.most)


class SharedOut(BaseModel):
    given: dict[str, list[str]]
    cases: int
    dry: bool


class ReasonOut(BaseModel):
    words: str
    points: float


class EscalationOut(BaseModel):
    rule: str
    risk: int
    then: str
    follow_up_at: dt.datetime | None
    at: dt.datetime


class AssignmentOut(BaseModel):
    agent_id: str
    mode: str
    by: str
    at: dt.datetime


class RiskOut(BaseModel):
    """`tier` with what calls have shifted it by already in it; null before the first scoring."""

    score: int | None
    tier: str | None
    shift: int
    reasons: list[ReasonOut]
    scored_at: dt.datetime | None
    escalations: list[EscalationOut]
    assignments: list[AssignmentOut]


def campaign_out(row: CampaignRow) -> CampaignOut:
    """A campaign as the API tells it."""
    return CampaignOut(
        campaign_id=row.campaign_id,
        name=row.name,
        script=row.script,
        active=row.active,
        state=row.state.value,
        mode=row.mode,
        total=row.total,
        done=row.done,
        running=row.running,
        promises=row.promises,
        dispositions=dict(row.dispositions),
        hours_from=clock_of(row.hours, 0),
        hours_to=clock_of(row.hours, 1),
        strategy=row.strategy,
        segment=row.segment_id,
        reached=row.reached,
        held_out=row.held_out,
    )


def what_if_out(seen: WhatIf) -> WhatIfOut:
    return WhatIfOut.model_validate(seen, from_attributes=True)


def segment_out(row: SegmentRow) -> SegmentOut:
    named = row.named
    return SegmentOut(
        segment_id=named.id,
        title=named.title,
        cases=row.cases,
        amount_fen=row.amount_fen,
        hours_from=clock_of(named.hours, 0),
        hours_to=clock_of(named.hours, 1),
        version=row.version,
    )


def portrait_out(portrait: Portrait) -> PortraitOut:
    def shares(parts: tuple[Share, ...]) -> list[ShareOut]:
        return [ShareOut(id=part.id, cases=part.cases, amount_fen=part.amount_fen) for part in parts]

    return PortraitOut(
        cases=portrait.cases,
        amount_fen=portrait.amount_fen,
        debtors=portrait.debtors,
        by_stage=shares(portrait.by_stage),
        by_amount=shares(portrait.by_amount),
        by_tier=shares(portrait.by_tier),
        by_creditor=shares(portrait.by_creditor),
    )


def risk_out(view: RiskView) -> RiskOut:
    risk = view.risk
    return RiskOut(
        score=risk.score if risk else None,
        tier=risk.tier if risk else None,
        shift=risk.shift if risk else 0,
        reasons=[ReasonOut(words=one.words, points=one.points) for one in (risk.reasons if risk else ())],
        scored_at=risk.scored_at if risk else None,
        escalations=[EscalationOut.model_validate(one, from_attributes=True) for one in view.escalations],
        assignments=[AssignmentOut.model_validate(one, from_attributes=True) for one in view.assignments],
    )


def clock_of(hours: Hours | None, end: int) -> str | None:
    return None if hours is None else f"{hours[end]:%H:%M}"
