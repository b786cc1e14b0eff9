"""Campaign API: campaigns and their what-if, segments, strategies, risk, and cases given to people."""

from __future__ import annotations

from typing import Annotated

import structlog
from fastapi import APIRouter, HTTPException, Query, Request

from voicebot.console.api_values import DoneOut
from voicebot.console.campaign_values import (
    CampaignIn,
    CampaignOut,
    PolicyIn,
    PolicyOut,
    PortraitOut,
    RiskOut,
    SegmentOut,
    SharedOut,
    SharingIn,
    VersionOut,
    WhatIfOut,
    campaign_out,
    portrait_out,
    risk_out,
    segment_out,
    what_if_out,
)
from voicebot.console.gate import account_of
from voicebot.console.queries import ConsoleData
from voicebot.console.refusals import refusals
from voicebot.domain.segment import NamedSegment
from voicebot.strategy.policies import Kind, Policies
from voicebot.strategy.strategies import parse_strategy

log = structlog.get_logger(__name__)
KINDS = {"segments": Kind.SEGMENT, "strategies": Kind.STRATEGY, "scorecard": Kind.SCORECARD, "stages": Kind.STAGES}
KindName = Annotated[str, "segments, strategies, scorecard or stages"]


def campaign_routes(data: ConsoleData) -> APIRouter:
    """All routes of this trade below /api."""
    router = APIRouter(prefix="/api", tags=["campaigns"])
    _campaign_routes(router, data)
    _segment_routes(router, data)
    _policy_routes(router, data)
    return router


def _campaign_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/campaigns")
    async def campaigns() -> list[CampaignOut]:
        """All campaigns and how far they are."""
        return [campaign_out(row) for row in await data.campaigning.all()]

    @router.post("/campaigns", status_code=201)
    async def add(wanted: CampaignIn, request: Request) -> CampaignOut:
        """Add a campaign; it dials once it is started."""
        with refusals():
            row = await data.campaigning.add(wanted.wish())
        _log(request, "add campaign", row.campaign_id)
        return campaign_out(row)

    @router.post("/campaigns/what-if")
    async def what_if(wanted: CampaignIn) -> WhatIfOut:
        """How the rest of today would go if this campaign began now. Nothing is saved, nobody is rung."""
        with refusals():
            return what_if_out(await data.campaigning.what_if(wanted.wish()))

    @router.get("/campaigns/{campaign_id}/what-if")
    async def what_if_started(campaign_id: str) -> WhatIfOut:
        """The same of a campaign that is there."""
        with refusals():
            return what_if_out(await data.campaigning.what_if_started(campaign_id))

    @router.post("/campaigns/{campaign_id}/start")
    async def start(campaign_id: str, request: Request) -> DoneOut:
        """Start dialling."""
        with refusals():
            await data.campaigning.start(campaign_id)
        _log(request, "start", campaign_id)
        return DoneOut()

    @router.post("/campaigns/{campaign_id}/stop")
    async def stop(campaign_id: str, request: Request) -> DoneOut:
        """Stop dialling; running calls end normally."""
        with refusals():
            await data.campaigning.stop(campaign_id)
        _log(request, "stop", campaign_id)
        return DoneOut()


def _segment_routes(router: APIRouter, data: ConsoleData) -> None:
    async def named(segment_id: str) -> NamedSegment:
        found = (await data.campaigning.policies()).segments.get(segment_id)
        if found is None:
            raise HTTPException(404, f"there is no segment {segment_id}")
        return found

    @router.get("/segments")
    async def segments() -> list[SegmentOut]:
        """Named segments and how much is in each now."""
        with refusals():
            return [segment_out(row) for row in await data.campaigning.segments()]

    @router.get("/segments/{segment_id}/portrait")
    async def portrait(segment_id: str) -> PortraitOut:
        """A segment parted by stage, amount, risk tier and creditor."""
        with refusals():
            return portrait_out(await data.campaigning.portrait((await named(segment_id)).segment))

    @router.post("/segments/{segment_id}/share-out")
    async def share_out(segment_id: str, wanted: SharingIn, request: Request) -> SharedOut:
        """Give the segment's free cases to people: who has least, or by shares; by skill where one is named."""
        who = account_of(request.scope).username
        segment = (await named(segment_id)).segment
        with refusals():
            given = await data.campaigning.share_out(segment, wanted.rule(), who, dry=wanted.dry)
        by_agent: dict[str, list[str]] = {}
        for case_id, agent_id in sorted(given.items()):
            by_agent.setdefault(agent_id, []).append(case_id)
        if not wanted.dry:
            _log(request, f"share out {len(given)} cases", segment_id)
        return SharedOut(given=by_agent, cases=len(given), dry=wanted.dry)

    @router.get("/cases/{case_id:path}/risk")
    async def risk(case_id: str) -> RiskOut:
        """A case's score with its reasons, what its calls made of it, and whose it was."""
        return risk_out(await data.campaigning.risk(case_id))

    @router.get("/backtest")
    async def backtest(
        days: Annotated[int, Query(ge=1, le=730)] = 30, most: Annotated[int, Query(ge=1, le=1_000_000)] = 20_000
    ) -> dict[str, object]:
        """How well today's scorecard would have told, so many days ago, who had not paid by today."""
        with refusals():
            return (await data.campaigning.backtest(days, most)).to_json()


def _policy_routes(router: APIRouter, data: ConsoleData) -> None:
    @router.get("/policies/{kind}")
    async def policies(kind: KindName) -> list[PolicyOut]:
        """The YAML of every policy of a kind, as it counts now."""
        found = await data.campaigning.policies()
        return [_policy(found, _kind(kind), name) for (of, name) in sorted(found.sources) if of == _kind(kind)]

    @router.get("/policies/{kind}/{name}")
    async def policy(kind: KindName, name: str) -> PolicyOut:
        """The YAML of one policy, and what a strategy names that is not there."""
        found = await data.campaigning.policies()
        if (_kind(kind), name) not in found.sources:
            raise HTTPException(404, f"there is no {kind} {name}")
        answer = _policy(found, _kind(kind), name)
        if _kind(kind) is Kind.STRATEGY:
            answer.problems = list(await data.campaigning.proof(found.strategies[name]))
        return answer

    @router.get("/policies/{kind}/{name}/versions")
    async def versions(kind: KindName, name: str) -> list[VersionOut]:
        """Who saved which version when, the newest first."""
        return [
            VersionOut(version=one.version, saved_by=one.saved_by, saved_at=one.saved_at)
            for one in await data.campaigning.history(_kind(kind), name)
        ]

    @router.post("/policies/{kind}/{name}/check")
    async def check(kind: KindName, name: str, wanted: PolicyIn) -> PolicyOut:
        """Whether a strategy could be saved, and what it names that is not there. Nothing is saved."""
        if _kind(kind) is not Kind.STRATEGY:
            raise HTTPException(404, "only strategies are checked before they are saved")
        with refusals():
            strategy = parse_strategy(wanted.source, f"{name}.yaml")
        problems = list(await data.campaigning.proof(strategy))
        return PolicyOut(name=name, version=wanted.based_on or 0, source=wanted.source, problems=problems)

    @router.post("/policies/{kind}/{name}")
    async def save(kind: KindName, name: str, wanted: PolicyIn, request: Request) -> PolicyOut:
        """Save a further version; it counts from the next round of planning on."""
        who = account_of(request.scope).username
        with refusals():
            version = await data.campaigning.save(_kind(kind), name, wanted.source, who, wanted.based_on)
        _log(request, f"save {kind} version {version}", name)
        return PolicyOut(name=name, version=version, source=wanted.source)


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise HTTPException(404, f"there are {', '.join(KINDS)}, not {name!r}")
    return KINDS[name]


def _policy(found: Policies, kind: Kind, name: str) -> PolicyOut:
    return PolicyOut(name=name, version=found.versions.get((kind, name), 0), source=found.sources[kind, name])


def _log(request: Request, verb: str, target: str) -> None:
    log.info("command", verb=verb, target=target, by_pii=account_of(request.scope).username)
