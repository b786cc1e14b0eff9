"""Consultation: the agent asks somebody while the debtor waits, then talks with both, or hands the call on."""

from __future__ import annotations

import asyncio

from voicebot.domain.journal import FactKind
from voicebot.handoff.audibility import Part
from voicebot.handoff.desk import Seat
from voicebot.handoff.phone import Phone
from voicebot.handoff.room import Room
from voicebot.telephony.leg import Ended, LegEvent


class Consultation:
    """At most one at a time."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._ringing: asyncio.Task[None] | None = None
        self._target = ""
        self.phone: Phone | None = None
        """Who was asked, once they answered."""

    def hold(self, on: bool) -> None:
        """The agent puts the debtor on hold, or takes them back."""
        if self._room.agent is not None and self.phone is None and on != self._room.conference.floor.held:
            self._room.hold(on)
            self._room.host.journal(FactKind.AGENT_HOLD, {"on": on})

    def start(self, target: str) -> None:
        """Ask an agent, a number or a sip: URI; the debtor hears the chime meanwhile."""
        if self._room.agent is None or self._ringing is not None or self.phone is not None:
            return
        self._target = target
        self._room.hold(True)
        self._room.host.journal(FactKind.CONSULT_STARTED, {"target": target})
        self._ringing = self._room.spawn(self._ring(target))

    def three_way(self) -> None:
        """All three talk."""
        if self.phone is not None:
            self._room.hold(False, three_way=True)
            self._room.host.journal(FactKind.CONSULT_STARTED, {"target": self._target, "three_way": True})

    def end(self) -> None:
        """Whoever was asked leaves; the debtor is back."""
        ringing, self._ringing = self._ringing, None
        phone, self.phone = self.phone, None
        if ringing is not None:
            ringing.cancel()
        if phone is not None:
            self._room.spawn(self._room.dismiss(phone, talked=False))
        if ringing is not None or phone is not None:
            self._ended("")

    def hand_over(self) -> Phone | None:
        """Who was asked, for the agent's place; the consultation is over."""
        phone, self.phone = self.phone, None
        if phone is not None:
            self._ended("transfer")
        return phone

    async def _ring(self, target: str) -> None:
        seat = await seat_of(self._room, target)
        rung = await self._room.ring(seat, self._room.agent) if seat is not None else "busy"
        self._ringing = None
        if isinstance(rung, str):
            self._ended(rung)
            return
        rung.party.part = Part.CONSULT
        self.phone = rung
        self._room.admit(rung, self._left)

    def _left(self, phone: Phone, event: LegEvent) -> None:
        if phone is self.phone and isinstance(event, Ended):
            self.end()

    def _ended(self, why: str) -> None:
        data: dict[str, object] = {"target": self._target}
        self._room.host.journal(FactKind.CONSULT_ENDED, data | ({"why": why} if why else {}))
        self._room.hold(False)


async def seat_of(room: Room, target: str) -> Seat | None:
    """An agent by id, reserved; else whatever `target` rings. None when the agent is not free."""
    if await room.desk.find(target) is None:
        return Seat(target, target, target)
    return await room.desk.claim_agent(target, room.host.call_id)
