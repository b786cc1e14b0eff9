"""Escalation: after each call the strategy's rules move the risk of the case and say what comes next, and when."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging

from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.message import PlannedMessage
from voicebot.domain.strategy import AfterCall, Hand, Means, Then, beginning
from voicebot.store import DatabaseError, Store
from voicebot.store.escalations import Conclusion, Settled
from voicebot.strategy.cadence import MESSAGES_UNTIL
from voicebot.strategy.policies import Policies, PolicyShelf

EVERY_S = 5.0
BATCH = 500
LOOK_BACK = dt.timedelta(days=7)
"""After a start; a control that was away longer left calls that nobody needs conclusions from any more."""
OVERLAP = dt.timedelta(hours=1)
"""What is looked at again, so that a call settled late is not missed."""
_RISK_WORDS = {1: "风险上调", -1: "风险下调", 0: ""}
_log = logging.getLogger(__name__)


class Escalator:
    """Draws each call's conclusions once, whoever crashes in between."""

    def __init__(self, store: Store, shelf: PolicyShelf, clock: Clock, *, in_writing: bool = False) -> None:
        self._store, self._shelf, self._clock, self._in_writing = store, shelf, clock, in_writing
        self._since = clock.now() - LOOK_BACK

    async def run(self) -> None:
        """For ever; a database that is away is waited for."""
        while True:
            try:
                while await self.once() == BATCH:
                    pass
            except (DatabaseError, OSError, ValueError) as error:
                _log.error("no conclusions can be drawn: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> int:
        """One round; how many calls were looked at."""
        now = self._clock.now()
        settled = await self._store.escalations.open(self._since, BATCH)
        if settled:
            policies = await self._shelf.current()
            for one in settled:
                conclusion = conclude(one, policies, self._clock.now(), self._in_writing)
                await self._store.escalations.conclude(one, conclusion, policies.scorecard.tiers, self._clock.now())
        if len(settled) < BATCH:
            self._since = now - OVERLAP
        return len(settled)


def conclude(settled: Settled, policies: Policies, now: dt.datetime, in_writing: bool) -> Conclusion:
    """What the strategy's rules make of the latest call. Pure."""
    strategy = policies.strategies.get(settled.strategy)
    rule = strategy.follows(settled.outcomes) if strategy is not None else None
    if rule is None:
        return Conclusion()
    if rule.then is None:
        return Conclusion(rule.name, rule.risk, _RISK_WORDS[rule.risk])
    return _with_step(settled, rule, rule.then, now, in_writing)


def _with_step(settled: Settled, rule: AfterCall, then: Then, now: dt.datetime, in_writing: bool) -> Conclusion:
    day = now.astimezone(SHANGHAI).date() + dt.timedelta(days=then.in_days)
    at = max(beginning(then, day, SHANGHAI), now)
    risk, number = _RISK_WORDS[rule.risk], settled.attempt.number
    if then.means is Means.MESSAGE:
        until = dt.datetime.combine(day, then.hours[1] if then.hours else MESSAGES_UNTIL, SHANGHAI)
        fits = in_writing and number.startswith("+") and at < until
        message = PlannedMessage(then.words, number, at, until) if fits else None
        told = _told(risk, f"短信 {then.words}") if message else risk
        return Conclusion(rule.name, rule.risk, told, at if message else None, message=message)
    if then.by is Hand.HUMAN:
        reason = f"通话结果「{settled.outcomes[0].value}」后请人工跟进（话术 {then.words}）"
        return Conclusion(rule.name, rule.risk, _told(risk, f"人工致电 {then.words}"), at, reason=reason)
    return Conclusion(rule.name, rule.risk, _told(risk, f"致电 {then.words}"), at, script=then.words)


def _told(risk: str, step: str) -> str:
    return "，".join(filter(None, (risk, step)))
