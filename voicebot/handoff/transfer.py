"""Warm transfer: ring an agent, brief them alone, join both legs; try the next one when it fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import structlog

from voicebot.domain.journal import FactKind
from voicebot.handoff.bridge import Bridge, Monologue
from voicebot.handoff.desk import Desk, Seat
from voicebot.telephony.leg import Answered, CallLeg, Ended, Line, UndiallableError

log = structlog.get_logger(__name__)

RING_TIMEOUT_S = 20.0
"""How long one agent's phone rings before the next agent is tried."""
MOST_AGENTS = 3
"""How many agents are tried before the callee gets an honest sentence instead."""

Journal = Callable[[FactKind, Mapping[str, object]], object]


@dataclass(frozen=True, slots=True)
class Joined:
    """The agent is on the line, briefed, and connected to the bridge."""

    seat: Seat
    leg: CallLeg
    bridge: Bridge


@dataclass(frozen=True, slots=True)
class Failed:
    """Nobody could be fetched; `why` is the last reason."""

    why: str


class WarmTransfer:
    """One attempt to fetch a person for one call.

    States: reserve -> ring -> brief -> join; from ring and brief back to reserve when the agent is lost.
    """

    def __init__(self, desk: Desk, line: Line, call_id: str, journal: Journal) -> None:
        self._desk = desk
        self._line = line
        self._call_id = call_id
        self._journal = journal

    async def run(self, *, skill: str, briefing_text: str, briefing: bytes) -> Joined | Failed:
        """Fetch an agent with `skill`. `briefing`: s16le 8 kHz, heard by the agent alone."""
        tried: set[str] = set()
        why = "no_agent"
        while len(tried) < MOST_AGENTS:
            seat = await self._reserve(skill, tried)
            if seat is None:
                return Failed(why)
            tried.add(seat.id)
            try:
                result = await self._try(seat, briefing_text, briefing)
            except BaseException:
                await asyncio.shield(self._desk.release(seat, talked=False))
                raise
            if isinstance(result, Joined):
                return result
            why = result.why
            self._journal(FactKind.TRANSFER_FAILED, {"agent": seat.id, "why": why})
            await self._desk.release(seat, talked=False)
        return Failed(why)

    async def _reserve(self, skill: str, tried: set[str]) -> Seat | None:
        """A free agent; a desk that can't be asked counts as an empty one, for the callee must not wait in vain."""
        try:
            return await self._desk.reserve(skill, self._call_id, tried)
        except Exception:
            log.exception("the desk can't be asked for an agent")
            return None

    async def _try(self, seat: Seat, briefing_text: str, briefing: bytes) -> Joined | Failed:
        try:
            leg = await self._line.dial(seat.sip_uri, ring_timeout_s=RING_TIMEOUT_S)
        except UndiallableError as error:
            log.error("an agent's phone can't be rung, correct its address", agent=seat.id, error=str(error))
            return Failed("agent_absent")
        self._journal(FactKind.AGENT_RINGING, {"agent": seat.id})
        try:
            failed = await self._ring(leg)
            if failed is not None:
                return failed
            self._journal(FactKind.AGENT_ANSWERED, {"agent": seat.id})
            if not await self._brief(leg, briefing):
                return Failed("agent_hung_up")
        except BaseException:
            await asyncio.shield(leg.hang_up())
            raise
        self._journal(FactKind.BRIEFED, {"agent": seat.id, "text": briefing_text})
        bridge = Bridge()
        leg.connect(bridge)
        self._journal(FactKind.JOINED, {"agent": seat.id})
        return Joined(seat, leg, bridge)

    async def _ring(self, leg: CallLeg) -> Failed | None:
        async for event in leg.events():
            if isinstance(event, Answered):
                return None
            if isinstance(event, Ended):
                return Failed("agent_busy" if event.status in (486, 600, 603) else "agent_absent")
        return Failed("agent_absent")

    async def _brief(self, leg: CallLeg, briefing: bytes) -> bool:
        """Play the briefing; False when the agent hangs up meanwhile."""
        monologue = Monologue(briefing)
        leg.connect(monologue)
        played = asyncio.ensure_future(monologue.played.wait())
        gone = asyncio.ensure_future(_until_ended(leg))
        try:
            await asyncio.wait((played, gone), return_when=asyncio.FIRST_COMPLETED)
            return not gone.done()
        finally:
            played.cancel()
            gone.cancel()


async def _until_ended(leg: CallLeg) -> None:
    async for event in leg.events():
        if isinstance(event, Ended):
            return
