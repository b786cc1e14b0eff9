"""For tests: an office whose people are in memory, with the matching of the real one."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from voicebot.domain.records import AgentRecord, AlertKind, WaitingCall
from voicebot.handoff.desk import Place, Seat, Wanted
from voicebot.handoff.matching import match, on_duty


def agent(name: str, *skills: str, presence: str = "ready") -> AgentRecord:
    """Somebody at a phone, with the skill `general` unless told otherwise."""
    return AgentRecord(name, f"客服{name}", f"sip:{name}@office", skills or ("general",), presence)


class Office:
    """A Desk. `people` by id; `supervisors` are ids among them. `released` tells who was given back, and how."""

    def __init__(
        self, people: Sequence[AgentRecord], now: Callable[[], dt.datetime], supervisors: Collection[str] = ()
    ) -> None:
        self.people = {agent.id: agent for agent in people}
        self.queue: dict[str, WaitingCall] = {}
        self.alerts: list[tuple[AlertKind, str]] = []
        self.released: list[tuple[str, bool]] = []
        self.broken = False
        self._now = now
        self._supervisors = supervisors
        self._changed = asyncio.Event()

    @classmethod
    def of(cls, agents: int, now: Callable[[], dt.datetime]) -> Office:
        """So many ready agents, a0, a1 …, with one skill."""
        return cls([agent(f"a{number}") for number in range(agents)], now)

    def set_presence(self, agent_id: str, presence: str) -> None:
        self.people[agent_id] = replace(self.people[agent_id], presence=presence, presence_at=self._now(), call_id=None)
        self._wake()

    # --- Desk ----------------------------------------------------------------------------------------------

    async def wait(self, wanted: Wanted) -> None:
        if self.broken:
            raise ConnectionError("the database is away")
        call = WaitingCall(
            wanted.call_id, wanted.skill, wanted.reason, self._now(), wanted.language, wanted.urgent
        )
        self.queue.setdefault(wanted.call_id, call)

    async def leave(self, call_id: str) -> None:
        self.queue.pop(call_id, None)

    async def claim(self, wanted: Wanted, tried: Collection[str]) -> Seat | Place:
        self.queue[wanted.call_id] = replace(self.queue[wanted.call_id], tried=tuple(tried))
        order = sorted(self.queue.values(), key=lambda call: (not call.urgent, call.since, call.call_id))
        agent_id = match(order, list(self.people.values()), self._now()).get(wanted.call_id)
        if agent_id is None:
            before = [call.call_id for call in order].index(wanted.call_id)
            return Place(before, hopeless=not on_duty(self.people.values(), tried))
        del self.queue[wanted.call_id]
        return self._reserve(agent_id, wanted.call_id)

    async def claim_supervisor(self, call_id: str, tried: Collection[str]) -> Seat | None:
        free = [one for one in self._supervisors if one not in tried and self.people[one].presence != "busy"]
        return replace(self._reserve(free[0], call_id), writes=False) if free else None

    async def claim_agent(self, agent_id: str, call_id: str, presences: Collection[str] = ("ready",)) -> Seat | None:
        agent = self.people.get(agent_id)
        return self._reserve(agent_id, call_id) if agent is not None and agent.presence in presences else None

    async def find(self, agent_id: str) -> Seat | None:
        agent = self.people.get(agent_id)
        return Seat(agent.id, agent.name, agent.sip_uri) if agent is not None else None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        self.released.append((seat.id, talked))
        agent = self.people.get(seat.id)
        if agent is not None and agent.presence == "busy" and agent.call_id == seat.call_id:
            self.set_presence(seat.id, seat.presence_after(talked=talked))

    async def news(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):  # wait_for would lose a cancellation that comes with the news
                await self._changed.wait()

    async def alert(self, kind: AlertKind, text: str, call_id: str, agent_id: str | None = None) -> None:
        self.alerts.append((kind, text))

    def now(self) -> dt.datetime:
        return self._now()

    def _reserve(self, agent_id: str, call_id: str) -> Seat:
        agent = self.people[agent_id]
        self.people[agent_id] = replace(agent, presence="busy", presence_at=self._now(), call_id=call_id)
        return Seat(agent.id, agent.name, agent.sip_uri, call_id, agent.presence)

    def _wake(self) -> None:
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
