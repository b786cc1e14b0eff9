"""Desk: the people who can take a call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent who was reserved for the call `call_id`. `sip_uri` rings their phone."""

    id: str
    name: str
    sip_uri: str
    call_id: str = ""


class Desk(Protocol):
    """Reserves agents. An agent is reserved for one call at a time, on whatever machine it runs."""

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        """Somebody free who is not in `exclude`, best one who has `skill`; None when nobody is free."""
        ...

    async def release(self, seat: Seat, *, talked: bool) -> None:
        """Give the agent back, `talked` after a conversation; who went away meanwhile stays away."""
        ...


class EmptyDesk:
    """A desk at which nobody sits."""

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        return None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        return None
