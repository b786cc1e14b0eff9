"""Relay: a call of another worker rings an agent's telephone that only our line reaches; sound goes through unheard.

Nothing is recorded here: the worker that has the debtor records both.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import structlog

from voicebot.domain.records import AgentRecord
from voicebot.telephony.fellows import agent_of
from voicebot.telephony.leg import (
    Answered,
    CallLeg,
    EarlyMedia,
    Ended,
    Held,
    KeyPressed,
    LegEvent,
    Line,
    Resumed,
    Ringing,
    UndiallableError,
)

log = structlog.get_logger(__name__)

_DEPTH = 4
"""Frames kept per side; more means that one clock runs ahead, and the oldest is dropped."""
LOOKED_UP_WITHIN_S = 2.0
Find = Callable[[str], Awaitable[AgentRecord | None]]
"""Finds an agent by id."""


class _Side:
    """An AudioPort: what comes from one leg waits for the other."""

    def __init__(self) -> None:
        self.other: _Side | None = None
        self._waiting: deque[bytes] = deque(maxlen=_DEPTH)

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        if self.other is not None:
            self.other._waiting.append(received)
        return self._waiting.popleft() if self._waiting else None


class Relays:
    """All relayed calls of a line."""

    def __init__(self, line: Line, find: Find, ring_timeout_s: float = 60) -> None:
        self._line, self._find, self._ring_timeout_s = line, find, ring_timeout_s
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def running(self) -> int:
        return len(self._tasks)

    async def take(self, leg: CallLeg) -> None:
        """A fellow rings an extension of ours; returns at once."""
        task = asyncio.create_task(self._carry(leg))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def drain(self, timeout_s: float) -> None:
        """Wait for those that run, then end them."""
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=timeout_s)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _carry(self, fellow: CallLeg) -> None:
        agent = await self._agent(fellow)
        if agent is None:
            fellow.reject(404)
            return
        try:
            phone = await self._line.dial(agent.sip_uri, ring_timeout_s=self._ring_timeout_s)
        except UndiallableError as error:
            log.error("an agent's phone can't be rung, correct its address", agent=agent.id, error=str(error))
            fellow.reject(480)
            return
        try:
            await self._join(fellow, phone)
        finally:
            await asyncio.shield(asyncio.gather(phone.hang_up(), fellow.hang_up(), return_exceptions=True))

    async def _agent(self, fellow: CallLeg) -> AgentRecord | None:
        try:
            async with asyncio.timeout(LOOKED_UP_WITHIN_S):
                return await self._find(agent_of(fellow.local) or "")
        except Exception as error:
            log.warning("an extension can't be looked up", error=repr(error))
            return None

    async def _join(self, fellow: CallLeg, phone: CallLeg) -> None:
        """Until one of them ends."""
        _connect(fellow, phone)
        ends = [asyncio.create_task(self._follow(fellow, phone)), asyncio.create_task(self._await(phone, fellow))]
        try:
            await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
            await asyncio.gather(*ends, return_exceptions=True)

    async def _follow(self, fellow: CallLeg, phone: CallLeg) -> None:
        async for event in fellow.events():
            await _pass_on(event, phone)
            if isinstance(event, Ended):
                return

    async def _await(self, phone: CallLeg, fellow: CallLeg) -> None:
        """What the agent's telephone does, told to the fellow."""
        answered = False
        async for event in phone.events():
            match event:
                case Ringing() | EarlyMedia() if not answered:
                    fellow.ring()
                case Answered():
                    answered = True
                    await fellow.answer()
                case Ended(status=status):
                    if not answered:
                        fellow.reject(status if status is not None and 400 <= status < 700 else 480)
                    return
                case _:
                    await _pass_on(event, fellow)


async def _pass_on(event: LegEvent, other: CallLeg) -> None:
    match event:
        case KeyPressed(digit=digit):
            other.send_keys(digit)
        case Held():
            await other.hold()
        case Resumed():
            await other.resume()


def _connect(one: CallLeg, other: CallLeg) -> None:
    near, far = _Side(), _Side()
    near.other, far.other = far, near
    one.connect(near)
    other.connect(far)
