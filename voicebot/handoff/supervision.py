"""Supervision: a supervisor listens, whispers to the agent, barges in, or takes over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import structlog

from voicebot.domain.journal import FactKind
from voicebot.handoff.audibility import Part
from voicebot.handoff.phone import Phone
from voicebot.handoff.room import Room
from voicebot.telephony.leg import Ended, LegEvent

log = structlog.get_logger(__name__)

LISTEN: Final = "listen"
WHISPER: Final = "whisper"
BARGE: Final = "barge"
TAKE_OVER: Final = "take_over"
LEAVE: Final = "leave"
_PARTS = {LISTEN: Part.LISTENER, WHISPER: Part.WHISPERER, BARGE: Part.BARGER}


class Supervision:
    """`take` puts a phone into the agent's place."""

    def __init__(self, room: Room, take: Callable[[Phone, str], None]) -> None:
        self._room = room
        self._take = take
        self._present: dict[str, tuple[Phone, str]] = {}
        self._asked: dict[str, str] = {}

    def supervise(self, agent_id: str, mode: str) -> None:
        """Ring the supervisor and join them, or change what they do; `leave` lets them go."""
        if mode not in (*_PARTS, TAKE_OVER, LEAVE):
            log.warning("unknown mode of supervision", mode=mode)
        elif agent_id in self._present:
            self._change(agent_id, mode)
        elif agent_id in self._asked:
            self._asked[agent_id] = mode  # what they shall do once they answer
        elif mode != LEAVE:
            self._asked[agent_id] = mode
            self._room.spawn(self._fetch(agent_id))

    def barging(self) -> Phone | None:
        """A supervisor who talks with the debtor already."""
        return next((phone for phone, mode in self._present.values() if mode == BARGE), None)

    def give_up(self, phone: Phone) -> None:
        """They are no supervisor of this call any more, but its agent."""
        self._present.pop(phone.seat.id, None)

    async def _fetch(self, agent_id: str) -> None:
        try:
            call_id, desk = self._room.host.call_id, self._room.desk
            seat = await desk.claim_agent(agent_id, call_id) or await desk.find(agent_id)
            rung = await self._room.ring(seat) if seat is not None else "unknown"
        finally:
            mode = self._asked.pop(agent_id, LEAVE)
        if isinstance(rung, str):
            log.warning("a supervisor could not be rung", agent=agent_id, why=rung)
        elif mode == LEAVE:
            await self._room.dismiss(rung, talked=False)
        else:
            self._room.admit(rung, self._left)
            self._join(rung, mode)

    def _join(self, phone: Phone, mode: str) -> None:
        self._room.host.journal(FactKind.SUPERVISOR_JOINED, {"agent": phone.seat.id, "mode": mode})
        if mode == TAKE_OVER or (mode == BARGE and self._room.agent is None):
            self._present.pop(phone.seat.id, None)
            self._take(phone, mode)
        else:
            phone.party.part = _PARTS[mode]
            self._present[phone.seat.id] = phone, mode

    def _change(self, agent_id: str, mode: str) -> None:
        phone, before = self._present[agent_id]
        if mode == LEAVE:
            self._gone(phone, before)
            self._room.spawn(self._room.dismiss(phone, talked=False))
        elif mode != before:
            self._join(phone, mode)

    def _left(self, phone: Phone, event: LegEvent) -> None:
        present = self._present.get(phone.seat.id)
        if present is not None and isinstance(event, Ended):
            self._gone(*present)
            self._room.spawn(self._room.dismiss(phone, talked=False))

    def _gone(self, phone: Phone, mode: str) -> None:
        self._present.pop(phone.seat.id, None)
        self._room.host.journal(FactKind.SUPERVISOR_LEFT, {"agent": phone.seat.id, "mode": mode})
