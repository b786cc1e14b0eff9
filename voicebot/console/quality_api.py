"""Quality API: reviews, findings, comments, appeals, agreement and the search in all that was said."""

from __future__ import annotations

from typing import Literal

import structlog
from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from voicebot.console.api_values import DoneOut
from voicebot.console.gate import account_of
from voicebot.console.masking import lines_shown
from voicebot.console.quality_data import OwnReview
from voicebot.console.queries import ConsoleData
from voicebot.console.refusals import refusals
from voicebot.console.speech_search import read_search, search_page

log = structlog.get_logger(__name__)
STANDARD = "standard"


class DrawIn(BaseModel):
    """`of`: whose calls, or which script, where they are drawn so."""

    scorecard: str = STANDARD
    sampling: Literal["random", "risk", "agent", "script"] = "risk"
    count: int = 10
    of: str = Field("", max_length=100)


class CountIn(BaseModel):
    count: int = Field(5, ge=1, le=500)


class CalibrateIn(BaseModel):
    call_id: str = Field(max_length=100)
    scorecard: str = STANDARD
    reviewers: int = 3


class ReviewIn(BaseModel):
    """`answers`: yes, no or na by question."""

    answers: dict[str, Literal["yes", "no", "na"]]
    note: str = Field("", max_length=4000)


class VerdictIn(BaseModel):
    seq: int
    rule: str = Field(max_length=20)
    verdict: Literal["confirmed", "false"]


class CommentIn(BaseModel):
    ms: int = 0
    text: str = Field(max_length=2000)


class AppealIn(BaseModel):
    text: str = Field(max_length=2000)


class DecisionIn(BaseModel):
    """`score` empty: the review stands."""

    answer: str = Field("", max_length=2000)
    score: float | None = None


class FoundOut(BaseModel):
    """How many calls were drawn."""

    count: int


class ScoreOut(BaseModel):
    score: float


class LineHit(BaseModel):
    ms: int
    speaker: str
    text: str


class HitOut(BaseModel):
    call_id: str
    started_at: str
    script: str
    disposition: str | None
    risk: int
    lines: list[LineHit]


class HitsOut(BaseModel):
    total: int
    page: int
    calls: list[HitOut]


class AgreementOut(BaseModel):
    """`question` empty: all together. `kappa`: Cohen's."""

    question: str
    answered: int
    alike: int
    kappa: float | None


class AppealOut(BaseModel):
    """`state`: open, upheld (the review stands) or changed."""

    at: str
    text: str
    state: str
    answer: str
    score_before: float | None
    score_after: float | None


class OwnReviewOut(BaseModel):
    """A review of one's own call; who reviewed is not told."""

    id: int
    call_id: str
    done_at: str
    score: float | None
    passed: bool
    fatal: bool
    wrong: list[str]
    findings: list[str]
    note: str
    may_appeal: bool
    appeals: list[AppealOut]


class QualityOut(BaseModel):
    agreement: list[AgreementOut]
    calibration: dict[str, float]


def quality_routes(data: ConsoleData) -> APIRouter:
    """All routes below /api/quality."""
    router = APIRouter(prefix="/api/quality", tags=["quality"])
    _review_routes(router, data)
    _call_routes(router, data)

    @router.get("/search")
    async def search(request: Request) -> HitsOut:
        """Calls in which all words were said; filters as in the page's address."""
        page = search_page(request.query_params)
        hits, total = await data.quality.search(read_search(request.query_params), page)
        return HitsOut(
            total=total,
            page=page,
            calls=[
                HitOut(
                    call_id=hit.call_id,
                    started_at=hit.started_at.isoformat(),
                    script=hit.script,
                    disposition=hit.disposition,
                    risk=hit.risk,
                    lines=[LineHit(ms=line.ms, speaker=line.speaker, text=line.text) for line in lines_shown(hit)],
                )
                for hit in hits
            ],
        )

    @router.get("/mine")
    async def mine(request: Request) -> list[OwnReviewOut]:
        """Reviews of one's own calls, with one's appeals and what became of them."""
        agent = account_of(request.scope).agent_id
        return [_own(one) for one in await data.quality.mine(agent)] if agent else []

    @router.get("/agreement")
    async def agree() -> QualityOut:
        """Cohen's kappa of blind second reviews, and how far reviewers lie off each other."""
        found = [
            AgreementOut(question=a.question, answered=a.answered, alike=a.alike, kappa=a.kappa)
            for a in await data.quality.agreement()
        ]
        return QualityOut(agreement=found, calibration=dict(await data.quality.calibration()))

    return router


def _own(one: OwnReview) -> OwnReviewOut:
    review = one.review
    return OwnReviewOut(
        id=review.id,
        call_id=review.call_id,
        done_at=review.done_at.isoformat() if review.done_at else "",
        score=review.score,
        passed=one.passed,
        fatal=review.fatal,
        wrong=list(one.wrong),
        findings=list(one.findings),
        note=review.note,
        may_appeal=one.may_appeal,
        appeals=[
            AppealOut(at=a.at.isoformat(), text=a.text, state=a.state, answer=a.answer, score_before=a.score_before,
                      score_after=a.score_after)
            for a in one.appeals
        ],
    )  # fmt: skip


def _review_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/draw")
    async def draw(wanted: DrawIn, request: Request) -> FoundOut:
        """Draw calls for review: at random, riskiest first, per agent or per script."""
        with refusals():
            count = await data.quality.draw(wanted.scorecard, wanted.sampling, wanted.count, wanted.of)
        log.info("calls drawn", sampling=wanted.sampling, count=count, by_pii=account_of(request.scope).username)
        return FoundOut(count=count)

    @router.post("/second")
    async def second(wanted: CountIn) -> FoundOut:
        """Have finished reviews looked at blind by somebody else."""
        return FoundOut(count=await data.quality.second(wanted.count))

    @router.post("/calibrate")
    async def calibrate(wanted: CalibrateIn) -> FoundOut:
        """Put one call before several reviewers."""
        with refusals():
            return FoundOut(
                count=await data.quality.calibrate(wanted.call_id, wanted.scorecard, wanted.reviewers)
            )

    @router.post("/reviews/{review_id}")
    async def review(review_id: int, wanted: ReviewIn, request: Request) -> ScoreOut:
        """Finish a review."""
        by = account_of(request.scope).username
        with refusals():
            score = await data.quality.review(review_id, by, wanted.answers, wanted.note)
        log.info("call reviewed", review=review_id, score=score, by_pii=by)
        return ScoreOut(score=score)

    @router.post("/reviews/{review_id}/appeal")
    async def appeal(review_id: int, wanted: AppealIn, request: Request) -> DoneOut:
        """Object to a review of one's own call."""
        account = account_of(request.scope)
        with refusals():
            await data.quality.appeal(review_id, account.username, account.agent_id, wanted.text)
        return DoneOut()

    @router.post("/appeals/{appeal_id}")
    async def decide(appeal_id: int, wanted: DecisionIn, request: Request) -> DoneOut:
        """Decide an appeal."""
        by = account_of(request.scope).username
        with refusals():
            await data.quality.decide(appeal_id, by, wanted.answer, wanted.score)
        log.info("appeal decided", appeal=appeal_id, by_pii=by)
        return DoneOut()


def _call_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.post("/calls/{call_id}/verdict")
    async def verdict(call_id: str, wanted: VerdictIn, request: Request) -> DoneOut:
        """Say of a finding that it is confirmed or false."""
        by = account_of(request.scope).username
        with refusals():
            await data.quality.judge(call_id, wanted.seq, wanted.rule, wanted.verdict, by)
        log.info("finding judged", call_id=call_id, rule=wanted.rule, verdict=wanted.verdict, by_pii=by)
        return DoneOut()

    @router.post("/calls/{call_id}/comment")
    async def comment(call_id: str, wanted: CommentIn, request: Request) -> DoneOut:
        """Note something at a moment of a call."""
        with refusals():
            await data.quality.comment(call_id, wanted.ms, wanted.text, account_of(request.scope).username)
        return DoneOut()
