"""Afterwards: looks at every call once it is over, all of them, and makes its words searchable."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import AsyncIterator

import structlog

from voicebot.domain.clock import Clock
from voicebot.quality.check import check_call, spoken_lines
from voicebot.store.database import is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

LOOK_S = 15.0
LATELY = dt.timedelta(days=2)
"""Calls that began earlier are looked for once, at the start."""


class Afterwards:
    """Checks calls that are over. `run` follows for ever; `catch_up` looks at what there is."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def run(self) -> None:
        """Look whenever a call is written as over, and every LOOK_S; until cancelled."""
        since: dt.datetime | None = None
        ended = asyncio.Event()
        listening = asyncio.create_task(_wake(self._store.calls.ends(), ended))
        try:
            while True:
                ended.clear()
                try:
                    await self.catch_up(since)
                    since = self._clock.now() - LATELY
                except Exception as error:
                    if not is_away(error):
                        log.exception("calls could not be looked at; see docs/reference/quality.md")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(ended.wait(), LOOK_S)
        finally:
            listening.cancel()

    async def catch_up(self, since: dt.datetime | None = None) -> int:
        """Look at all calls that nobody looked at yet; how many there were."""
        looked = 0
        while ids := await self._store.checks.unchecked(since):
            for call_id in ids:
                await self.look(call_id)
            looked += len(ids)
        return looked

    async def look(self, call_id: str) -> None:
        """Check one call and keep what was found."""
        facts = await self._store.facts.of(call_id)
        call = await self._store.calls.find(call_id)
        record = await self._store.cases.record(call.case_id) if call and call.case_id else None
        case = record.case if record else None
        check = await asyncio.to_thread(check_call, call_id, facts, case, self._clock.now())
        await self._store.checks.save(check, spoken_lines(facts))
        if check.findings:
            log.info("findings in a call", call_id=call_id, findings=len(check.findings), risk=check.risk)


async def _wake(ends: AsyncIterator[str], ended: asyncio.Event) -> None:
    async for _ in ends:
        ended.set()
