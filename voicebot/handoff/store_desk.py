"""StoreDesk: the desk of all machines, kept in the database so that no agent is reserved twice."""

from __future__ import annotations

from collections.abc import Collection

from voicebot.domain.clock import Clock
from voicebot.handoff.desk import Seat
from voicebot.store.agents import Agents


class StoreDesk:
    """A Desk over the agents' table."""

    def __init__(self, agents: Agents, clock: Clock) -> None:
        self._agents = agents
        self._clock = clock

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        """Somebody with the skill, else anybody who is ready: a person beats the right person."""
        now, excluded = self._clock.now(), sorted(exclude)
        agent = await self._agents.claim(skill, now, excluded) or await self._agents.claim(None, now, excluded)
        return Seat(agent.id, agent.name, agent.sip_uri) if agent else None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        await self._agents.set_presence(seat.id, "ready", self._clock.now())
