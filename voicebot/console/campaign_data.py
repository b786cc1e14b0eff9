"""Campaigns and what they are made of, for pages and API: segments, strategies, risk, hold-outs, what-if, sharing."""

from __future__ import annotations

import asyncio
import datetime as dt
import secrets
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from voicebot.campaign.permission import judge_by
from voicebot.campaign.redial import RedialPolicy
from voicebot.config import scripts_dir
from voicebot.console.queries import CampaignRow
from voicebot.domain.attempt import AttemptState
from voicebot.domain.campaign import Campaign, CampaignProgress, CampaignState, Hours, Segment
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.outcome import Disposition
from voicebot.domain.pace import CampaignMode
from voicebot.domain.permission import Judge
from voicebot.domain.risk import RiskRecord
from voicebot.domain.segment import NamedSegment, Portrait
from voicebot.domain.strategy import Strategy
from voicebot.messages.templates import shipped_templates
from voicebot.store import Store
from voicebot.store.assignments import Assignment, FreeCase, Holder
from voicebot.store.escalations import Escalation
from voicebot.store.policies import SavedPolicy
from voicebot.strategy.backtest import Backtest, backtest
from voicebot.strategy.policies import Kind, Policies, PolicyShelf
from voicebot.strategy.scoring import past_cases
from voicebot.strategy.sharing import Parcel, Seat, SharingRule, share_out
from voicebot.strategy.strategy_proof import prove
from voicebot.strategy.what_if import Setup, WhatIf, what_if

_KNOWN = frozenset(item.value for item in Disposition)
RATES_FROM = dt.timedelta(days=30)
"""How far back answer rates are taken from."""


@dataclass(frozen=True, slots=True)
class CampaignWish:
    """A campaign that somebody would like. `segment_id` names a segment; `segment` narrows it, or stands alone."""

    name: str
    script: str
    segment: Segment = field(default_factory=Segment)
    segment_id: str | None = None
    max_concurrency: int = 5
    priority: int = 0
    hours: Hours | None = None
    strategy: str | None = None
    mode: CampaignMode = CampaignMode.ROBOT
    most_abandoned: float = 0.03
    callers: tuple[str, ...] = ()
    calls_per_caller: int | None = None


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A named segment and how much is in it now."""

    named: NamedSegment
    cases: int
    amount_fen: int
    version: int


@dataclass(frozen=True, slots=True)
class RiskView:
    """What is known of how hard a case will be, and what its calls and people made of it."""

    risk: RiskRecord | None
    escalations: Sequence[Escalation]
    assignments: Sequence[Assignment]


class CampaignData:
    """Reads and commands. PolicyError (a ValueError) for what is wrong with a policy, LookupError for unknown ids."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        home: Path | None,
        model: str | None = None,
        judge: Callable[[], Judge] = judge_by,
        templates: Collection[str] = (),
        redial: RedialPolicy | None = None,
    ) -> None:
        self._store, self._clock, self._model, self._judge = store, clock, model, judge
        self._redial = redial
        self._templates = frozenset(templates) or frozenset(shipped_templates())
        self.shelf = PolicyShelf(store, home)

    # --- campaigns

    async def all(self) -> Sequence[CampaignRow]:
        sides = await self._store.cohorts.counts()
        return [_row(progress, sides.get(progress.campaign.id)) for progress in await self._store.campaigns.all()]

    async def scripts(self) -> Sequence[str]:
        """Names of the call scripts a campaign can use."""
        files = await asyncio.to_thread(lambda: {path.stem for path in scripts_dir().glob("*.yaml")})
        on_air = {entry.version.script for entry in await self._store.script_versions.on_air()}
        return sorted(files | on_air)

    async def add(self, wish: CampaignWish) -> CampaignRow:
        """Add a campaign that is not started yet. ValueError for a script, segment or strategy that is not there."""
        now = self._clock.now()
        campaign = await self._campaign(wish, f"{now.astimezone(SHANGHAI):%m%d-%H%M}-{secrets.token_hex(2)}", now)
        await self._store.campaigns.save(campaign)
        return _row(await self._store.campaigns.progress(campaign.id), None)

    async def start(self, campaign_id: str) -> None:
        await self._store.campaigns.start(campaign_id, self._clock.now())

    async def stop(self, campaign_id: str) -> None:
        await self._store.campaigns.stop(campaign_id, self._clock.now())

    async def what_if(self, wish: CampaignWish) -> WhatIf:
        """The rest of today as it would go if this campaign began now. ValueError as for `add`."""
        return await self._played(await self._campaign(wish, "", self._clock.now()))

    async def what_if_started(self, campaign_id: str) -> WhatIf:
        """The same of a campaign that is there. LookupError."""
        campaign = await self._store.campaigns.find(campaign_id)
        if campaign is None:
            raise LookupError(f"there is no campaign {campaign_id}")
        return await self._played(campaign)

    async def _played(self, campaign: Campaign) -> WhatIf:
        now = self._clock.now()
        strategy = None
        if campaign.strategy is not None:
            strategy = (await self.shelf.strategies()).get(campaign.strategy)
        rates = await self._store.forecasts.rates(now - RATES_FROM)
        setup = Setup(now, campaign.max_concurrency, strategy, campaign.hours, redial=self._redial)
        found = self._store.forecasts.prospects(campaign.segment, campaign.script, now)
        prospects = [prospect async for batch in found for prospect in batch]
        return await asyncio.to_thread(what_if, prospects, setup, self._judge(), rates)

    async def _campaign(self, wish: CampaignWish, campaign_id: str, now: dt.datetime) -> Campaign:
        policies = await self.shelf.current()
        if wish.script not in await self.scripts():
            raise ValueError(f"there is no call script {wish.script!r} on the air or in {scripts_dir()}")
        if wish.strategy is not None and wish.strategy not in policies.strategies:
            raise ValueError(f"there is no strategy {wish.strategy!r}")
        segment, hours = wish.segment, wish.hours
        if wish.segment_id is not None:
            named = policies.segments.get(wish.segment_id)
            if named is None:
                raise ValueError(f"there is no segment {wish.segment_id!r}")
            segment, hours = narrowed(named.segment, wish.segment), wish.hours or named.hours
        return Campaign(
            id=campaign_id, name=wish.name, script=wish.script, state=CampaignState.DRAFT, created_at=now,
            segment=segment, segment_id=wish.segment_id, max_concurrency=wish.max_concurrency, priority=wish.priority,
            hours=hours, strategy=wish.strategy, mode=wish.mode, most_abandoned=wish.most_abandoned,
            callers=wish.callers, calls_per_caller=wish.calls_per_caller,
        )  # fmt: skip

    # --- policies

    async def policies(self) -> Policies:
        return await self.shelf.current()

    async def history(self, kind: Kind, name: str) -> Sequence[SavedPolicy]:
        """Saved versions, the newest first."""
        return await self._store.policies.history(kind.value, name)

    async def save(self, kind: Kind, name: str, source: str, by: str, based_on: int | None = None) -> int:
        """Save a further version. PolicyError; voicebot.store.policies.VersionConflict."""
        return await self.shelf.save(kind, name, source, by, self._clock.now(), based_on)

    async def proof(self, strategy: Strategy) -> Sequence[str]:
        """What a strategy names that is not there."""
        return prove(strategy, await self.scripts(), self._templates)

    # --- segments and risk

    async def segments(self) -> Sequence[SegmentRow]:
        policies, today = await self.shelf.current(), self._today()
        rows = []
        for name, named in policies.segments.items():
            count, fen = await self._store.segments.count(named.segment, today)
            rows.append(SegmentRow(named, count, fen, policies.versions.get((Kind.SEGMENT, name), 0)))
        return rows

    async def portrait(self, segment: Segment) -> Portrait:
        policies = await self.shelf.current()
        return await self._store.segments.portrait(segment, self._today(), policies.ladder)

    async def risk(self, case_id: str) -> RiskView:
        return RiskView(
            await self._store.risks.of_case(case_id),
            await self._store.escalations.of_case(case_id),
            await self._store.assignments.of_case(case_id),
        )

    async def backtest(self, days: int, most: int | None = None) -> Backtest:
        """How well today's card would have told, `days` ago, who had not paid by today; by `most` cases at most."""
        policies = await self.shelf.current()
        at = self._clock.now() - dt.timedelta(days=days)
        past = await past_cases(self._store, at, self._today(), most)
        return await asyncio.to_thread(backtest, policies.scorer(self._model), past)

    # --- people

    async def holders(self) -> Sequence[Holder]:
        return await self._store.assignments.holders()

    async def share_out(self, segment: Segment, rule: SharingRule, by: str, *, dry: bool) -> Mapping[str, str]:
        """Give free cases of a segment to people; who gets which, by case id. `dry`: only say it."""

        def choose(free: Sequence[FreeCase], people: Sequence[Holder]) -> Mapping[str, str]:
            seats = [Seat(one.agent_id, one.has, rule.cap, one.skills, one.owed_fen) for one in people]
            return share_out([Parcel(one.case_id, one.amount_fen) for one in free], seats, rule)

        return await self._store.assignments.push(segment, self._clock.now(), choose, by, most=rule.most, dry=dry)

    def _today(self) -> dt.date:
        return self._clock.now().astimezone(SHANGHAI).date()


def narrowed(named: Segment, further: Segment) -> Segment:
    """The named segment with what else was asked for; of two bounds the tighter one counts."""

    def highest(*bounds: int | None) -> int | None:
        return max((bound for bound in bounds if bound is not None), default=None)

    def lowest(*bounds: int | None) -> int | None:
        return min((bound for bound in bounds if bound is not None), default=None)

    return replace(
        named,
        min_overdue_days=highest(named.min_overdue_days, further.min_overdue_days),
        max_overdue_days=lowest(named.max_overdue_days, further.max_overdue_days),
        min_amount_fen=highest(named.min_amount_fen, further.min_amount_fen),
        max_amount_fen=lowest(named.max_amount_fen, further.max_amount_fen),
        case_ids=named.case_ids if further.case_ids is None else further.case_ids,
    )


def _row(progress: CampaignProgress, sides: tuple[int, int] | None) -> CampaignRow:
    campaign, attempts = progress.campaign, progress.attempts
    reached, held_out = sides or (0, 0)
    return CampaignRow(
        campaign_id=campaign.id,
        name=campaign.name,
        script=campaign.script,
        active=campaign.state is CampaignState.RUNNING,
        total=progress.cases,
        done=progress.cases_done,
        running=attempts.get(AttemptState.LEASED, 0) + attempts.get(AttemptState.PLACED, 0),
        dispositions={Disposition(n): count for n, count in progress.dispositions.items() if n in _KNOWN},
        hours=campaign.hours,
        strategy=campaign.strategy,
        segment_id=campaign.segment_id,
        state=campaign.state,
        mode=campaign.mode,
        reached=reached,
        held_out=held_out,
    )
