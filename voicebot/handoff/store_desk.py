"""StoreDesk: the desk of all machines, kept in the database so that nobody is reserved twice."""

from __future__ import annotations

import asyncio
import contextlib
import datetime as dt
from collections.abc import Callable, Collection

import structlog

from voicebot.domain.clock import Clock
from voicebot.domain.records import AgentRecord, AlertKind, WaitingCall
from voicebot.handoff.desk import Place, Seat, Wanted
from voicebot.handoff.matching import match, on_duty
from voicebot.store.store import Store

log = structlog.get_logger(__name__)

WayTo = Callable[[str, str | None], str | None]
"""The URI that rings an agent whose telephone another worker reaches; None where our own line does."""
ANY_BUT_BUSY = ("ready", "wrap_up", "away", "offline")


class StoreDesk:
    """A Desk over the tables of agents, waiting calls and alerts. `run` hears of changes for all calls of a line."""

    def __init__(self, store: Store, clock: Clock, way_to: WayTo = lambda agent_id, worker: None) -> None:
        """`way_to`: see Fellows.way_to."""
        self._way_to = way_to
        self._store = store
        self._clock = clock
        self._changed = asyncio.Event()

    async def run(self) -> None:
        """Listen until cancelled; without it waiting calls look every second."""
        async for _ in self._store.agents.changes():
            changed, self._changed = self._changed, asyncio.Event()
            changed.set()

    async def wait(self, wanted: Wanted) -> None:
        now = self._clock.now()
        await self._store.waiting.enter(
            WaitingCall(
                wanted.call_id,
                wanted.skill,
                wanted.reason,
                now,
                wanted.language,
                wanted.urgent,
                await self._store.waiting.usual_agent(wanted.call_id),
            )
        )

    async def leave(self, call_id: str) -> None:
        await self._store.waiting.leave(call_id)

    async def claim(self, wanted: Wanted, tried: Collection[str]) -> Seat | Place:
        now = self._clock.now()
        agent, before = await self._store.waiting.claim(wanted.call_id, sorted(tried), now, match)
        if agent is not None:
            return self._seat(agent, wanted.call_id)
        return Place(before, hopeless=not on_duty(await self._store.agents.all(), tried))

    async def claim_supervisor(self, call_id: str, tried: Collection[str]) -> Seat | None:
        ids = [agent.id for agent in await self._store.agents.supervisors() if agent.id not in tried]
        for presences in (("ready",), ANY_BUT_BUSY):
            agent = await self._store.agents.claim(ids, self._clock.now(), call_id=call_id, presences=presences)
            if agent is not None:
                return self._seat(agent, call_id, agent.presence, writes=False)
        return None

    async def claim_agent(self, agent_id: str, call_id: str, presences: Collection[str] = ("ready",)) -> Seat | None:
        agent = await self._store.agents.claim([agent_id], self._clock.now(), call_id=call_id, presences=presences)
        return self._seat(agent, call_id, agent.presence) if agent else None

    async def find(self, agent_id: str) -> Seat | None:
        agent = await self._store.agents.find(agent_id)
        return self._seat(agent, "") if agent else None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        if seat.call_id:
            to = seat.presence_after(talked=talked)
            await self._store.agents.give_back(seat.id, seat.call_id, self._clock.now(), to=to)

    async def news(self, within_s: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(within_s):  # wait_for would lose a cancellation that comes with the news
                await self._changed.wait()

    async def alert(self, kind: AlertKind, text: str, call_id: str | None, agent_id: str | None = None) -> None:
        try:
            await self._store.alerts.ring(kind, text, self._clock.now(), call_id=call_id, agent_id=agent_id)
        except Exception:
            log.exception("supervisors can't be alerted, see to the database", kind=kind.value, call_id=call_id)

    def now(self) -> dt.datetime:
        return self._clock.now()

    def _seat(self, agent: AgentRecord, call_id: str, before: str = "ready", *, writes: bool = True) -> Seat:
        address = self._way_to(agent.id, agent.via) or agent.sip_uri
        return Seat(agent.id, agent.name, address, call_id, before, writes)
