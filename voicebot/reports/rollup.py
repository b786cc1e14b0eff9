"""RollUp: calls are counted as they end; all figures can be made anew from the journals and come out the same."""

from __future__ import annotations

import asyncio
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

import structlog

from voicebot.domain.clock import Clock
from voicebot.domain.counted import CallSetting
from voicebot.domain.journal import Fact
from voicebot.evidence.reading import read_journal
from voicebot.reports.counting import count_call
from voicebot.store.database import is_away
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

COUNT_S = 5.0
LATELY = dt.timedelta(days=2)


class RollUp:
    """`recordings`: where the bundles lie."""

    def __init__(self, store: Store, recordings: Path, clock: Clock) -> None:
        self._store = store
        self._recordings = recordings
        self._clock = clock

    async def run(self) -> None:
        """Count what has ended every COUNT_S, and keep the portfolio's months; until cancelled."""
        since: dt.datetime | None = None
        while True:
            try:
                await self.catch_up(since)
                since = self._clock.now() - LATELY
                await self._store.report_money.keep_month(self._clock.now())
            except Exception as error:
                if not is_away(error):
                    log.exception("calls could not be counted; `voicebot reports rebuild` makes the figures anew")
            await asyncio.sleep(COUNT_S)

    async def catch_up(self, since: dt.datetime | None = None) -> int:
        """Count all calls that were looked at and not counted; how many there were."""
        counted = 0
        while settings := await self._store.report_calls.uncounted(since):
            calls = [count_call(setting, await self._store.facts.of(setting.call_id)) for setting in settings]
            await self._store.report_calls.put(calls)
            counted += len(calls)
        return counted

    async def rebuild(self) -> int:
        """Count every call anew from its journal on the disk, and make all sums anew; how many calls there were.

        Calls without a bundle are counted from the copy of their journal in the database. The figures can be read
        meanwhile: every call gives way to itself, and the sums to the new ones at once.
        """
        last, counted = "", 0
        while settings := await self._store.report_calls.after(last):
            done = [setting for setting in settings if setting.checked]
            await self._store.report_calls.put([count_call(setting, await self._journal(setting)) for setting in done])
            counted += len(done)
            last = settings[-1].call_id
        await self._store.report_calls.sum_anew()
        return counted

    async def _journal(self, setting: CallSetting) -> Sequence[Fact]:
        if setting.bundle:
            try:
                return await asyncio.to_thread(read_journal, self._recordings / setting.bundle)
            except (OSError, ValueError) as error:
                log.warning("a journal can't be read, its copy is counted", call_id=setting.call_id, error=str(error))
        return await self._store.facts.of(setting.call_id)
