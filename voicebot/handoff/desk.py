"""Desk: the people who can take a call, and the queue for them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from voicebot.domain.records import AlertKind


@dataclass(frozen=True, slots=True)
class Seat:
    """A person at a phone. `sip_uri` rings it. `call_id`: for which call they are reserved, if for one.

    `before`: their presence until then. `writes`: they have after-call time.
    """

    id: str
    name: str
    sip_uri: str
    call_id: str = ""
    before: str = "ready"
    writes: bool = True

    def presence_after(self, *, talked: bool) -> str:
        """What they are once they are given back."""
        return "wrap_up" if talked and self.writes else self.before


@dataclass(frozen=True, slots=True)
class Wanted:
    """A person for one call. `urgent`: at once, whoever there is."""

    call_id: str
    reason: str
    skill: str = "general"
    language: str = "zh"
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Place:
    """Still waiting: `before` calls are served first. `hopeless`: nobody is on duty who was not tried."""

    before: int
    hopeless: bool


class Desk(Protocol):
    """Reserves people. Each is reserved for one call at a time, on whatever machine it runs."""

    async def wait(self, wanted: Wanted) -> None:
        """Stand in the queue; who stands there keeps their place."""
        ...

    async def leave(self, call_id: str) -> None:
        """Stand in the queue no more."""
        ...

    async def claim(self, wanted: Wanted, tried: Collection[str]) -> Seat | Place:
        """The next person for a call that waits, none of `tried`; who got one has left the queue."""
        ...

    async def claim_supervisor(self, call_id: str, tried: Collection[str]) -> Seat | None:
        """A supervisor who is in no call, on a break or not; None when there is none left."""
        ...

    async def claim_agent(self, agent_id: str, call_id: str, presences: Collection[str] = ("ready",)) -> Seat | None:
        """This agent; None when there is no such agent, or they are in none of `presences`."""
        ...

    async def find(self, agent_id: str) -> Seat | None:
        """An agent without reserving them."""
        ...

    async def release(self, seat: Seat, *, talked: bool) -> None:
        """Give somebody back, see Seat.presence_after. Who went away meanwhile stays away."""
        ...

    async def news(self, within_s: float) -> None:
        """Return when somebody's presence or the queue may have changed, at the latest after `within_s`."""
        ...

    async def alert(self, kind: AlertKind, text: str, call_id: str, agent_id: str | None = None) -> None:
        """Tell the supervisors; what can't be told is logged."""
        ...

    def now(self) -> dt.datetime: ...
