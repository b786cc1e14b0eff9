"""Cadence: every day the running campaigns that follow a strategy get the calls and messages of that day."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Final

from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.message import MessageChannel, PlannedMessage
from voicebot.domain.strategy import Hand, Means, Step, Strategy, beginning
from voicebot.messages.planning import notice_message
from voicebot.store import DatabaseError, Store
from voicebot.store.cadence import CaseToday
from voicebot.store.cohorts import Entry

EVERY_S: Final = 300.0
MESSAGES_UNTIL: Final = dt.time(18, 0)
"""A message of the day that could not leave by then does not leave any more."""

Strategies = Mapping[str, Strategy] | Callable[[], Awaitable[Mapping[str, Strategy]]]
"""The strategies by id, or how to ask for them as they are now."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Planned:
    """What one round planned; `held_out` cases had something due and got nothing on purpose; `persons`: calls that
    people are asked to make."""

    calls: int = 0
    messages: int = 0
    held_out: int = 0
    persons: int = 0


class CadencePlanner:
    """Plans the day again and again; each step for each case once. Without `in_writing` messages are left out.

    `gateways`: the channels that messages can leave by.
    """

    def __init__(
        self,
        store: Store,
        strategies: Strategies,
        clock: Clock,
        *,
        in_writing: bool = False,
        gateways: Collection[str] = (MessageChannel.SMS,),
    ) -> None:
        self._store, self._strategies, self._clock = store, strategies, clock
        self._gateways = frozenset(map(str, gateways)) if in_writing else frozenset[str]()
        self._day, self._seen = dt.date.min, set[tuple[str, str, str]]()

    async def run(self) -> None:
        """Plan now and every few minutes, until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.once()
            except (DatabaseError, OSError, ValueError) as error:
                _log.error("the day can't be planned: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> Planned:
        """One round over all running campaigns."""
        planned, today = Planned(), self._clock.now().astimezone(SHANGHAI).date()
        if today != self._day:  # what was looked at today need not be asked about again
            self._day, self._seen = today, set()
        strategies = await self._strategies() if callable(self._strategies) else self._strategies
        for progress in await self._store.campaigns.all():
            campaign = progress.campaign
            if campaign.state is not CampaignState.RUNNING or campaign.strategy is None:
                continue
            strategy = strategies.get(campaign.strategy)
            if strategy is None:
                _log.error("campaign %s follows strategy %s, which is not there", campaign.id, campaign.strategy)
                continue
            await self._plan(campaign, strategy, planned)
        if planned.calls or planned.messages or planned.persons:
            _log.info("cadence: %s calls, %s messages planned", planned.calls, planned.messages)
        return planned

    async def _plan(self, campaign: Campaign, strategy: Strategy, planned: Planned) -> None:
        due = await self._store.cadence.cases(campaign, self._day, strategy.days)
        fresh = [(case, self._key(campaign, case, strategy)) for case in due]
        fresh = [(case, key) for case, key in fresh if key not in self._seen]
        sides = {case.case_id: strategy.holds_out(case.case_id) for case, _ in fresh}
        entries = [Entry(case.case_id, sides[case.case_id], case.overdue_days, case.amount_fen) for case, _ in fresh]
        await self._store.cadence.enter(campaign, strategy.id, entries, self._clock.now())
        for case, key in fresh:
            if sides[case.case_id]:
                planned.held_out += 1
            else:
                for step in strategy.due(case.overdue_days):
                    await self._do(campaign, strategy, case, step, planned)
            self._seen.add(key)

    def _key(self, campaign: Campaign, case: CaseToday, strategy: Strategy) -> tuple[str, str, str]:
        """A strategy that was changed during the day is gone through again."""
        return campaign.id, case.case_id, repr(strategy.due(case.overdue_days))

    async def _do(self, campaign: Campaign, strategy: Strategy, case: CaseToday, step: Step, planned: Planned) -> None:
        day, now = self._day, self._clock.now()
        at = max(beginning(step, day, SHANGHAI), now)
        if step.means is Means.CALL and step.by is Hand.HUMAN:
            reason = f"策略「{strategy.title}」第 {case.overdue_days} 天：请人工致电（话术 {step.words}）"
            made = await self._store.cadence.person(campaign, case.case_id, day, step, at, reason, now)
            planned.persons += made
        elif step.means is Means.CALL:
            await self._call(campaign, strategy, case, step, at, planned)
        else:
            await self._message(campaign, strategy, case, step, at, planned)

    async def _call(
        self, campaign: Campaign, strategy: Strategy, case: CaseToday, step: Step, at: dt.datetime, planned: Planned
    ) -> None:
        made = await self._store.cadence.call(
            campaign,
            case.case_id,
            self._day,
            step,
            at,
            self._clock.now(),
            forward=strategy.priority(case.risk),
            notice=self._notice(case, step, at),
        )
        planned.calls += made

    def _notice(self, case: CaseToday, step: Step, at: dt.datetime) -> PlannedMessage | None:
        if step.notice is None or MessageChannel.SMS not in self._gateways or case.number is None:
            return None
        return notice_message(step.notice, case.number, at, self._clock.now())

    async def _message(
        self, campaign: Campaign, strategy: Strategy, case: CaseToday, step: Step, at: dt.datetime, planned: Planned
    ) -> None:
        channels = self._open_channels(case, step)
        if channels is None:
            if step.otherwise is not None:
                call = Step(step.days, Means.CALL, step.otherwise, step.hours)
                await self._call(campaign, strategy, case, call, at, planned)
            return
        until = dt.datetime.combine(self._day, step.hours[1] if step.hours else MESSAGES_UNTIL, SHANGHAI)
        if at >= until:
            return
        message = PlannedMessage(step.words, case.number or "", at, until, channels)
        made = await self._store.cadence.message(campaign, case.case_id, self._day, step, message, self._clock.now())
        planned.messages += made

    def _open_channels(self, case: CaseToday, step: Step) -> tuple[str, ...] | None:
        """Of the step's channels those that lead to this debtor, in order; None where none does."""
        reached = {name for name in case.channels if name in self._gateways}
        if MessageChannel.SMS in self._gateways and _has_sms(case):
            reached.add(MessageChannel.SMS)
        if not step.channels:
            return () if reached else None
        return tuple(name for name in step.channels if name in reached) or None


def _has_sms(case: CaseToday) -> bool:
    return case.number is not None and case.number.startswith("+")
