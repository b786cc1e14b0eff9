"""Cadence: every day the running campaigns that follow a strategy get the calls and messages of that day."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from voicebot.domain.campaign import Campaign, CampaignState
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.message import PlannedMessage
from voicebot.domain.strategy import Means, Step, Strategy, beginning
from voicebot.store import DatabaseError, Store
from voicebot.store.cadence import CaseToday

EVERY_S: Final = 300.0
MESSAGES_UNTIL: Final = dt.time(18, 0)
"""A message of the day that could not leave by then does not leave any more."""

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class Planned:
    """What one round planned; `held_out` cases had something due and got nothing on purpose."""

    calls: int = 0
    messages: int = 0
    held_out: int = 0


class CadencePlanner:
    """Plans the day again and again; each step for each case once. Without `in_writing` messages are left out."""

    def __init__(
        self, store: Store, strategies: Mapping[str, Strategy], clock: Clock, *, in_writing: bool = False
    ) -> None:
        self._store, self._strategies, self._clock, self._in_writing = store, strategies, clock, in_writing
        self._day, self._seen = dt.date.min, set[tuple[str, str]]()

    async def run(self) -> None:
        """Plan now and every few minutes, until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.once()
            except (DatabaseError, OSError) as error:
                _log.error("the database does not answer: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> Planned:
        """One round over all running campaigns."""
        planned, today = Planned(), self._clock.now().astimezone(SHANGHAI).date()
        if today != self._day:  # what was looked at today need not be asked about again
            self._day, self._seen = today, set()
        for progress in await self._store.campaigns.all():
            campaign = progress.campaign
            if campaign.state is not CampaignState.RUNNING or campaign.strategy is None:
                continue
            strategy = self._strategies.get(campaign.strategy)
            if strategy is None:
                _log.error("campaign %s follows strategy %s, which is not there", campaign.id, campaign.strategy)
                continue
            await self._plan(campaign, strategy, planned)
        if planned.calls or planned.messages:
            _log.info("cadence: %s calls, %s messages planned", planned.calls, planned.messages)
        return planned

    async def _plan(self, campaign: Campaign, strategy: Strategy, planned: Planned) -> None:
        for case in await self._store.cadence.cases(campaign, self._day, strategy.days):
            if (campaign.id, case.case_id) in self._seen:
                continue
            if strategy.holds_out(case.case_id):
                planned.held_out += 1
            else:
                for step in strategy.due(case.overdue_days):
                    await self._do(campaign, case, self._day, step, planned)
            self._seen.add((campaign.id, case.case_id))

    async def _do(self, campaign: Campaign, case: CaseToday, day: dt.date, step: Step, planned: Planned) -> None:
        now = self._clock.now()
        at = max(beginning(step, day, SHANGHAI), now)
        if step.means is Means.CALL:
            planned.calls += await self._store.cadence.call(campaign, case.case_id, day, step, at, now)
            return
        until = dt.datetime.combine(day, step.hours[1] if step.hours else MESSAGES_UNTIL, SHANGHAI)
        if not self._in_writing or case.number is None or not case.number.startswith("+") or at >= until:
            return
        message = PlannedMessage(step.words, case.number, at, until)
        planned.messages += await self._store.cadence.message(campaign, case.case_id, day, step, message, now)
