"""Keeper: looks every minute after promises, tickets that are late, and cases whose rest is over."""

from __future__ import annotations

import asyncio
import datetime as dt
import logging
from typing import Final

from voicebot.campaign.care import FollowUp
from voicebot.campaign.follow_up import REMIND_AT
from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.messages.planning import due_message
from voicebot.store import DatabaseError, Store
from voicebot.store.promise_care import GivenUp

EVERY_S: Final = 60.0
MORNING: Final = dt.time(9, 0)
MISSED_AT: Final = dt.time(10, 0)
"""Shanghai time from which a broken promise is rung about."""

_log = logging.getLogger(__name__)


class PromiseKeeper:
    """Several may run: each promise and ticket is looked after once. `in_writing`: promises also come in writing."""

    def __init__(self, store: Store, care: FollowUp, clock: Clock, *, in_writing: bool = False) -> None:
        self._store, self._care, self._clock, self._in_writing = store, care, clock, in_writing

    async def run(self) -> None:
        """Look now and every minute, until cancelled; a database that is away is waited for."""
        while True:
            try:
                await self.once()
            except (DatabaseError, OSError) as error:
                _log.error("the database does not answer: %s", error)
            await asyncio.sleep(EVERY_S)

    async def once(self) -> list[GivenUp]:
        """One round; the promises that were given up."""
        now = self._clock.now()
        local = now.astimezone(SHANGHAI)
        for case_id in await self._store.tickets.rested(local.date(), now):
            _log.info("case %s is open again: its rest is over", case_id)
        for ticket_id in await self._store.tickets.escalate(now):
            _log.warning("ticket %s is late and was handed up", ticket_id)
        await self._remind(now, local)
        given_up: list[GivenUp] = []
        while found := await self._store.promise_care.give_up(self._care.promises, next_morning(now), now):
            given_up += found
        for promise in given_up:
            _log.info("promise %s is %s", promise.promise_id, promise.state.value)
        return given_up

    async def _remind(self, now: dt.datetime, local: dt.datetime) -> None:
        """Later parts of a plan, and promises whose reminder was withdrawn, are brought to mind on their day."""
        if not MORNING <= local.time() < REMIND_AT:
            return
        at = dt.datetime.combine(local.date(), REMIND_AT, SHANGHAI)
        message = due_message(local.date(), now) if self._in_writing else None
        await self._store.promise_care.remind(self._care.promises.day_script, at, message, now)


def next_morning(now: dt.datetime) -> dt.datetime:
    """When the bot may ring about a broken promise: at ten, today or tomorrow; the rulebook may put it off further."""
    at = dt.datetime.combine(now.astimezone(SHANGHAI).date(), MISSED_AT, SHANGHAI)
    return max(at, now)
