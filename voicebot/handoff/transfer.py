"""Warm transfer: find a person, ring them, brief them alone until they accept; then the next one, when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import structlog

from voicebot.domain.journal import FactKind
from voicebot.handoff.audibility import Part
from voicebot.handoff.conference import Conference
from voicebot.handoff.desk import Desk, Seat
from voicebot.handoff.finders import Finder
from voicebot.handoff.phone import ACCEPT_KEYS, DECLINE_KEYS, Clicked, Phone
from voicebot.handoff.rules import TransferRules
from voicebot.handoff.states import Event, State, after
from voicebot.telephony.leg import Answered, Ended, KeyPressed, LegEvent, Line, UndiallableError

log = structlog.get_logger(__name__)

Journal = Callable[[FactKind, Mapping[str, object]], object]
_BUSY = (486, 600)
_DECLINED = (603,)


@dataclass(frozen=True, slots=True)
class Briefing:
    """What is told to the agent alone: `pcm` s16le 8 kHz, `text` for the journal."""

    text: str = ""
    pcm: bytes = b""


@dataclass(frozen=True, slots=True)
class Accepted:
    """Somebody takes the call: their phone is in the conference, nobody hears them yet. `how`: key, click or auto."""

    phone: Phone
    how: str


@dataclass(frozen=True, slots=True)
class Failed:
    """Nobody could be fetched; `why` is the last reason, a value of Event."""

    why: str


class WarmTransfer:
    """One search for a person. What it may do next stands in the table of states.

    Cancel it and nobody is left ringing or reserved.
    """

    def __init__(
        self,
        finder: Finder,
        desk: Desk,
        line: Line,
        conference: Conference,
        journal: Journal,
        rules: TransferRules,
        *,
        ring_s: float | None = None,
    ) -> None:
        self._finder = finder
        self._desk = desk
        self._line = line
        self._conference = conference
        self._journal = journal
        self._rules = rules
        self._ring_s = ring_s or rules.ring_s
        self.state = State.QUEUED
        self.tried: list[str] = []
        self.phone: Phone | None = None
        self._seat: Seat | None = None
        self._how = ""
        self._why = Event.NOBODY

    async def run(self, briefing: Briefing) -> Accepted | Failed:
        """Search until somebody accepts or nobody is left."""
        steps: dict[State, Callable[[], Awaitable[Event]]] = {
            State.QUEUED: self._find,
            State.RINGING: self._ring,
            State.BRIEFING: lambda: self._brief(briefing),
        }
        try:
            while self.state in steps:
                await self._move(await steps[self.state]())
        except BaseException:
            await asyncio.shield(self.give_up())
            raise
        if self.state is State.JOINED and self.phone is not None:
            return Accepted(self.phone, self._how)
        return Failed(self._why.value)

    async def _move(self, event: Event) -> None:
        before, self.state = self.state, after(self.state, event)
        if before is not State.QUEUED and self.state is State.QUEUED:
            self._why = event
            seat = self._seat
            self._journal(FactKind.TRANSFER_FAILED, {"agent": seat.id if seat else None, "why": event.value})
            await self.give_up()
        elif self.state is State.BOT and not self.tried:
            self._why = event

    async def give_up(self) -> None:
        """Let the person go who was rung last."""
        phone, self.phone = self.phone, None
        seat, self._seat = self._seat, None
        if phone is not None:
            self._conference.leave(phone.party)
            await phone.hang_up()
        if seat is not None:
            await release(self._desk, seat, talked=False)

    # --- the states ----------------------------------------------------------------------------------------

    async def _find(self) -> Event:
        if len(self.tried) >= self._rules.most_agents:
            return Event.WAITED_OUT
        found = await self._finder.next(self.tried)
        if not isinstance(found, Seat):
            return found
        self._seat = found
        self.tried.append(found.id)
        return Event.AGENT_FREE

    async def _ring(self) -> Event:
        seat = self._seat
        if seat is None:
            return Event.ABSENT
        try:
            leg = await self._line.dial(seat.sip_uri, ring_timeout_s=self._ring_s)
        except UndiallableError as error:
            log.error("an agent's phone can't be rung, correct its address", agent=seat.id, error=str(error))
            return Event.ABSENT
        self.phone = Phone(leg, seat, self._conference.join(Part.BRIEFED, seat.id))
        self._journal(FactKind.AGENT_RINGING, {"agent": seat.id, "name": seat.name})
        return await self._until_answered(self.phone)

    async def _until_answered(self, phone: Phone) -> Event:
        while True:
            match await phone.next():
                case Answered():
                    self._journal(FactKind.AGENT_ANSWERED, {"agent": phone.seat.id})
                    return Event.ANSWERED
                case Ended(status=status):
                    return _refusal(status)
                case Clicked(accept=False):
                    return Event.DECLINED
                case Clicked(accept=True):
                    self._how = "click"

    async def _brief(self, briefing: Briefing) -> Event:
        """Brief the agent until they say yes or no; who clicked while it rang has said yes already."""
        phone = self.phone
        if phone is None:
            return Event.AGENT_LOST
        phone.party.play(briefing.pcm)
        event = Event.ACCEPTED if self._how == "click" else await self._decision(phone)
        phone.party.stop_playing()
        heard = {"agent": phone.seat.id, "text": briefing.text, "heard_ms": phone.party.heard_ms}
        self._journal(FactKind.BRIEFED, heard)
        if event is Event.ACCEPTED:
            self._journal(FactKind.AGENT_ACCEPTED, {"agent": phone.seat.id, "how": self._how})
        return event

    async def _decision(self, phone: Phone) -> Event:
        decided = await self._said_until(phone, phone.party.played.wait())
        if decided is not None:
            return decided
        if not self._rules.by_key:
            return self._accepted("auto")
        in_time = asyncio.sleep(self._rules.accept_within_s)
        return await self._said_until(phone, in_time) or Event.NOT_ACCEPTED

    async def _said_until(self, phone: Phone, end: Coroutine[Any, Any, object]) -> Event | None:
        """What the agent decided until `end`; None when they did not."""
        ending = asyncio.create_task(end)
        try:
            while not ending.done():
                happened = asyncio.create_task(phone.next())
                await asyncio.wait((happened, ending), return_when=asyncio.FIRST_COMPLETED)
                if not happened.done():
                    happened.cancel()
                elif (decided := self._decided(happened.result())) is not None:
                    return decided
            return None
        finally:
            ending.cancel()

    def _decided(self, event: LegEvent | Clicked | None) -> Event | None:
        match event:
            case Ended(by="remote"):
                return Event.AGENT_GONE
            case Ended():
                return Event.AGENT_LOST
            case KeyPressed(digit=digit) if digit in ACCEPT_KEYS:
                return self._accepted("key")
            case Clicked(accept=True):
                return self._accepted("click")
            case KeyPressed(digit=digit) if digit in DECLINE_KEYS:
                return Event.DECLINED
            case Clicked():
                return Event.DECLINED
            case _:
                return None

    def _accepted(self, how: str) -> Event:
        self._how = how
        return Event.ACCEPTED


async def release(desk: Desk, seat: Seat, *, talked: bool) -> None:
    """Give somebody back; housekeeping does it later where the desk can't be reached."""
    try:
        await desk.release(seat, talked=talked)
    except Exception:
        log.exception("an agent can't be given back now; housekeeping will", agent=seat.id)


def _refusal(status: int | None) -> Event:
    if status in _DECLINED:
        return Event.DECLINED
    return Event.BUSY if status in _BUSY else Event.ABSENT
