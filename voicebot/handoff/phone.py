"""Phone: one person's leg in a call, with all that happens on it and all that is clicked about it in one inbox."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass

from voicebot.handoff.conference import Party
from voicebot.handoff.desk import Seat
from voicebot.telephony.leg import CallLeg, Ended, LegEvent

ACCEPT_KEYS = "1#"
DECLINE_KEYS = "*"


@dataclass(frozen=True, slots=True)
class Clicked:
    """The person clicked: `accept` or decline."""

    accept: bool


class Phone:
    """`next` gives what happens, once each, in order."""

    def __init__(self, leg: CallLeg, seat: Seat, party: Party) -> None:
        self.leg = leg
        self.seat = seat
        self.party = party
        self.ended: Ended | None = None
        self._inbox: asyncio.Queue[LegEvent | Clicked] = asyncio.Queue()
        leg.connect(party)
        self._reader = asyncio.create_task(self._read())

    async def next(self, within_s: float | None = None) -> LegEvent | Clicked | None:
        """What happened next; None after `within_s` of nothing."""
        try:
            async with asyncio.timeout(within_s):
                return await self._inbox.get()
        except TimeoutError:
            return None

    def click(self, *, accept: bool) -> None:
        self._inbox.put_nowait(Clicked(accept))

    @property
    def has_news(self) -> bool:
        """Whether something happened that `next` has not given yet."""
        return not self._inbox.empty()

    async def hang_up(self) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.leg.hang_up()

    async def _read(self) -> None:
        async for event in self.leg.events():
            if isinstance(event, Ended):
                self.ended = event
            self._inbox.put_nowait(event)
