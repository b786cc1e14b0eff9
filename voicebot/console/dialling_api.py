"""Dialling API: the live board as data, and halt, go on, pause and resume."""

from __future__ import annotations

import datetime as dt
from collections.abc import Awaitable

import structlog
from fastapi import APIRouter, HTTPException, Request
from pydantic import BaseModel, Field

from voicebot.console.api_values import DoneOut
from voicebot.console.dialling_board import HasDialling
from voicebot.console.dialling_data import CampaignView, DiallingView
from voicebot.console.gate import account_of

log = structlog.get_logger(__name__)


class HaltIn(BaseModel):
    why: str = Field(default="", max_length=200, description="For whoever sees that nothing is dialled")


class HaltOut(BaseModel):
    since: dt.datetime
    by: str
    why: str


class CampaignPulseOut(BaseModel):
    """`room`: how many more calls its pace allows now, null without a limit; shares are of the latest calls."""

    campaign_id: str
    name: str
    state: str
    mode: str
    ringing: int
    talking: int
    waiting: int
    with_people: int
    room: int | None
    answered: int
    made: int
    wanted_a_person: int
    abandoned: int
    breaker: str
    breaker_until: dt.datetime | None


class TrunkOut(BaseModel):
    name: str
    state: str
    used: int
    channels: int
    per_second: float
    last_failure: str


class DiallingOut(BaseModel):
    at: dt.datetime
    halted: HaltOut | None
    calls: int
    due: int
    later: int
    agents: dict[str, int]
    waiting_for_people: int
    waiting_longest_s: int
    campaigns: list[CampaignPulseOut]
    trunks: list[TrunkOut]


def dialling_routes(data: HasDialling) -> APIRouter:
    """All routes below /api/dialling."""
    router = APIRouter(prefix="/api/dialling", tags=["dialling"])

    @router.get("")
    async def dialling() -> DiallingOut:
        """What is dialled at this moment and what holds it back."""
        return _out(await data.dialling.view())

    @router.post("/halt")
    async def halt(request: Request, wanted: HaltIn | None = None) -> DoneOut:
        """Begin no further call anywhere; calls under way go on."""
        who = account_of(request.scope).username
        return await _command(data.dialling.halt(who, wanted.why if wanted else ""), "halt", "all", who)

    @router.post("/go-on")
    async def go_on(request: Request) -> DoneOut:
        """Dial again."""
        return await _command(data.dialling.go_on(), "go on", "all", account_of(request.scope).username)

    @router.post("/campaigns/{campaign_id}/pause")
    async def pause(campaign_id: str, request: Request) -> DoneOut:
        """Begin no further call of a campaign; within a second."""
        who = account_of(request.scope).username
        return await _command(data.dialling.pause(campaign_id), "pause", campaign_id, who)

    @router.post("/campaigns/{campaign_id}/resume")
    async def resume(campaign_id: str, request: Request) -> DoneOut:
        """Go on with what waited."""
        who = account_of(request.scope).username
        return await _command(data.dialling.resume(campaign_id), "resume", campaign_id, who)

    return router


async def _command(doing: Awaitable[None], verb: str, target: str, who: str) -> DoneOut:
    try:
        await doing
    except LookupError as unknown:
        raise HTTPException(404, str(unknown)) from unknown
    log.info("command", verb=verb, target=target, by_pii=who)
    return DoneOut()


def _out(view: DiallingView) -> DiallingOut:
    halt = view.halt
    return DiallingOut(
        at=view.at,
        halted=HaltOut(since=halt.since, by=halt.by, why=halt.why) if halt else None,
        calls=view.load.calls_running,
        due=view.load.attempts_due,
        later=view.load.attempts_later,
        agents=dict(view.load.agents),
        waiting_for_people=view.waiting,
        waiting_longest_s=view.waiting_s,
        campaigns=[_campaign(one) for one in view.campaigns],
        trunks=[
            TrunkOut(
                name=trunk.name,
                state=trunk.state,
                used=trunk.used,
                channels=trunk.channels,
                per_second=trunk.per_second,
                last_failure=trunk.last_failure,
            )
            for trunk in view.trunks
        ],
    )


def _campaign(one: CampaignView) -> CampaignPulseOut:
    pulse, flow = one.pulse, one.pulse.flow
    return CampaignPulseOut(
        campaign_id=pulse.campaign_id,
        name=pulse.name,
        state=pulse.state.value,
        mode=flow.mode.value,
        ringing=flow.ringing,
        talking=flow.talking,
        waiting=flow.waiting,
        with_people=flow.with_people,
        room=one.room,
        answered=flow.answered.count,
        made=flow.answered.of,
        wanted_a_person=flow.abandoned.of,
        abandoned=flow.abandoned.count,
        breaker=pulse.breaker.state.value,
        breaker_until=pulse.breaker.until,
    )
