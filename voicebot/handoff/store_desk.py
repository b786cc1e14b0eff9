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
        """Who has the skill and has waited longest, else whoever has: a person beats the right person."""
        now, excluded = self._clock.now(), sorted(exclude)
        agent = await self._agents.claim(skill, now, excluded, call_id=call_id) or await self._agents.claim(
            None, now, excluded, call_id=call_id
        )
        return Seat(agent.id, agent.name, agent.sip_uri, call_id) if agent else None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        """Ready at once, also after a conversation: wrap-up is no presence yet."""
        await self._agents.give_back(seat.id, seat.call_id, self._clock.now())
