"""DiallingData: what is dialled at this moment, how it goes, what holds it back; and the buttons that halt it."""

from __future__ import annotations

import datetime as dt
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from voicebot.campaign.dialler import PACING
from voicebot.campaign.pacing import UNLIMITED, allowance
from voicebot.console.line_view import TrunkView, line_view
from voicebot.domain.campaign import CampaignState
from voicebot.domain.clock import Clock
from voicebot.domain.pace import Share
from voicebot.domain.records import LoadFigures
from voicebot.store import Store
from voicebot.store.dialling import CampaignPulse, Halt


@dataclass(frozen=True, slots=True)
class CampaignView:
    """A campaign that runs or pauses; `room`: how many more calls its pace allows now, None: no limit but its most."""

    pulse: CampaignPulse
    room: int | None


@dataclass(frozen=True, slots=True)
class DiallingView:
    """One moment. `waiting_s`: how long the one who waits longest for a person does so."""

    at: dt.datetime
    load: LoadFigures = field(default_factory=lambda: LoadFigures(0, 0, 0, {}))
    halt: Halt | None = None
    campaigns: Sequence[CampaignView] = ()
    trunks: Sequence[TrunkView] = ()
    waiting: int = 0
    waiting_s: int = 0

    @property
    def answered(self) -> Share:
        """Of the latest calls of all these campaigns."""
        shares = [one.pulse.flow.answered for one in self.campaigns]
        return Share(sum(share.count for share in shares), sum(share.of for share in shares))


class DiallingData:
    """Unknown ids give LookupError from commands."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store, self._clock = store, clock

    async def view(self) -> DiallingView:
        now = self._clock.now()
        pulses = await self._store.dialling.pulses(now, PACING)
        queue = await self._store.waiting.all(now)
        return DiallingView(
            at=now,
            load=await self._store.load.now(now),
            halt=await self._store.dialling.halted(),
            campaigns=[_view(pulse) for pulse in pulses],
            trunks=line_view(await self._store.workers.all()).trunks,
            waiting=len(queue),
            waiting_s=max((int((now - call.since).total_seconds()) for call in queue), default=0),
        )

    async def halt(self, by: str, why: str = "") -> None:
        """Nothing is dialled any more until `go_on`; calls under way go on."""
        await self._store.dialling.halt(by, self._clock.now(), why)

    async def go_on(self) -> None:
        await self._store.dialling.go_on()

    async def pause(self, campaign_id: str) -> None:
        """LookupError where no such campaign runs."""
        if not await self._store.campaigns.pause(campaign_id, self._clock.now()):
            raise LookupError(f"campaign {campaign_id} does not run")

    async def resume(self, campaign_id: str) -> None:
        """LookupError where no such campaign is paused."""
        if not await self._store.campaigns.resume(campaign_id):
            raise LookupError(f"campaign {campaign_id} is not paused")

    async def changes(self) -> AsyncIterator[str]:
        """Wakes when somebody halts, pauses, starts or lets go on."""
        async for _ in self._store.dialling.listen():
            yield ""


def _view(pulse: CampaignPulse) -> CampaignView:
    room = allowance(pulse.flow) if pulse.state is CampaignState.RUNNING else 0
    return CampaignView(pulse, None if room >= UNLIMITED else room)
