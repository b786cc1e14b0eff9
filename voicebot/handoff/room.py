"""Room: what all who serve the people of one call share: the conference, the phones, the journal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol

import structlog

from voicebot.domain.journal import FactKind
from voicebot.handoff.audibility import Floor, Part
from voicebot.handoff.conference import Conference
from voicebot.handoff.desk import Desk, Seat
from voicebot.handoff.hold import HoldLoop, ringback
from voicebot.handoff.phone import Clicked, Phone
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.transfer import release
from voicebot.telephony.leg import Answered, CallLeg, Ended, LegEvent, Line, UndiallableError

log = structlog.get_logger(__name__)


OnEvent = Callable[[Phone, LegEvent], None]


class Host(Protocol):
    """The call, as those who bring people into it see it."""

    @property
    def call_id(self) -> str: ...

    def journal(self, kind: FactKind, data: Mapping[str, object]) -> None: ...

    def taken_over(self) -> None:
        """A person talks with the debtor from now on: the bot falls silent."""
        ...

    def not_taken(self, why: str) -> None:
        """Nobody could be fetched."""
        ...

    def left_alone(self) -> None:
        """The agent's line broke while they talked: the debtor is there and nobody else."""
        ...

    def say(self, name: str) -> None:
        """Say a sentence that was left with the line; without its sound nothing happens."""
        ...

    async def hang_up(self) -> None:
        """End the call."""
        ...


class Room:
    """The people of one call. `leg` is the debtor's."""

    def __init__(self, host: Host, desk: Desk, line: Line, leg: CallLeg, rules: TransferRules) -> None:
        self.host = host
        self.desk = desk
        self.line = line
        self.leg = leg
        self.rules = rules
        self.conference = Conference()
        self.agent: Phone | None = None
        """Who talks with the debtor in the bot's place."""
        self._phones: dict[Phone, OnEvent] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._over)
        return task

    def hold(self, on: bool, *, three_way: bool = False) -> None:
        """The debtor hears the chime instead of the others, or hears them again."""
        self.conference.floor = Floor(held=on, three_way=three_way)
        self.conference.debtor.music = HoldLoop().next if on else None

    def admit(self, phone: Phone, on_event: OnEvent) -> None:
        """They are in the call now, or play another part in it; `on_event` hears what their phone does."""
        is_new = phone not in self._phones
        self._phones[phone] = on_event
        if is_new:
            self.spawn(self._watch(phone))

    async def ring(self, seat: Seat, listener: Phone | None = None) -> Phone | str:
        """Ring somebody and wait for the answer; else why not. `listener` hears it ring meanwhile."""
        try:
            leg = await self.line.dial(seat.sip_uri, ring_timeout_s=self.rules.ring_s)
        except UndiallableError as error:
            log.error("this phone can't be rung, correct its address", who=seat.id, error=str(error))
            await release(self.desk, seat, talked=False)
            return "unreachable"
        phone = Phone(leg, seat, self.conference.join(Part.BRIEFED, seat.id))
        if listener is not None:
            listener.party.music = HoldLoop(ringback()).next
        try:
            if await _answered(phone):
                return phone
        except BaseException:
            await asyncio.shield(self.dismiss(phone, talked=False))
            raise
        finally:
            if listener is not None:
                listener.party.music = None
        await self.dismiss(phone, talked=False)
        return "no_answer"

    async def dismiss(self, phone: Phone, *, talked: bool) -> None:
        """Somebody leaves: hang up their phone, give them back to the desk."""
        self._phones.pop(phone, None)
        self.conference.leave(phone.party)
        await phone.hang_up()
        await release(self.desk, phone.seat, talked=talked)

    async def close(self) -> None:
        """The debtor is gone: everybody is free at once."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.agent = None
        leaving = [self.dismiss(phone, talked=phone.party.part is Part.AGENT) for phone in list(self._phones)]
        await asyncio.gather(*leaving, return_exceptions=True)

    async def _watch(self, phone: Phone) -> None:
        while phone.ended is None or phone.has_news:
            event = await phone.next()
            if phone in self._phones and event is not None and not isinstance(event, Clicked):
                self._phones[phone](phone, event)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("bringing people together failed", call_id=self.host.call_id, exc_info=error)


async def _answered(phone: Phone) -> bool:
    while True:
        match await phone.next():
            case Answered():
                return True
            case Ended():
                return False
