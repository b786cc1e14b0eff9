"""FloorData: what a supervisor's wall reads and commands, answered by the database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

from voicebot.domain.clock import SHANGHAI, Clock
from voicebot.domain.desk import AgentFigures
from voicebot.domain.records import AgentRecord, Alert, WaitingCall
from voicebot.store import Store

Mode = Literal["listen", "whisper", "barge", "take_over", "leave"]


class FloorData:
    """LookupError for calls that are over and agents that do not exist."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def agents(self) -> Sequence[AgentRecord]:
        return await self._store.agents.all()

    async def queue(self) -> Sequence[WaitingCall]:
        """Who waits for a person, in the order in which they are served."""
        return await self._store.waiting.all(self._clock.now())

    async def alerts(self) -> Sequence[Alert]:
        """What nobody acknowledged, newest first."""
        return await self._store.alerts.open()

    async def figures(self) -> Mapping[str, AgentFigures]:
        """Today's, by agent."""
        return await self._store.figures.of_day(self._clock.now().astimezone(SHANGHAI).date())

    async def acknowledge(self, alert_id: int, by: str) -> bool:
        """False when somebody else had."""
        return await self._store.alerts.acknowledge(alert_id, by, self._clock.now())

    async def set_presence(self, agent_id: str, presence: str) -> None:
        if not await self._store.agents.set_presence(agent_id, presence, self._clock.now()):
            raise LookupError(f"there is no agent {agent_id}")

    async def supervise(self, call_id: str, agent_id: str, mode: Mode, by: str) -> None:
        """Join a running call in a role, change it or leave; `agent_id` is whose phone is rung."""
        await self._order(call_id, "supervise", by, {"agent": agent_id, "mode": mode})

    async def fetch_person(self, call_id: str, skill: str, by: str) -> None:
        """Hand a call that the bot conducts to a person."""
        await self._order(call_id, "fetch_person", by, {"reason": "supervisor", "skill": skill})

    async def _order(self, call_id: str, verb: str, by: str, payload: Mapping[str, object]) -> None:
        call = await self._store.calls.find(call_id)
        if call is None or not call.running:
            raise LookupError(f"the call {call_id} is not running")
        await self._store.commands.issue(call_id, verb, self._clock.now(), by=by, payload=payload)
