"""Desk: the people who can take a call."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Seat:
    """An agent who was reserved for a call. `sip_uri` rings their phone."""

    id: str
    name: str
    sip_uri: str


class Desk(Protocol):
    """Reserves agents. An agent is reserved for one call at a time, on whatever machine it runs."""

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        """The agent idle longest who has `skill` and is not in `exclude`; None when nobody is free."""
        ...

    async def release(self, seat: Seat, *, talked: bool) -> None:
        """Give the agent back: ready again, or in wrap-up after a conversation."""
        ...


class EmptyDesk:
    """A desk at which nobody sits."""

    async def reserve(self, skill: str, call_id: str, exclude: Collection[str]) -> Seat | None:
        return None

    async def release(self, seat: Seat, *, talked: bool) -> None:
        return None
