"""Channel: the seam behind which a way to send messages lives."""

from __future__ import annotations

from typing import Protocol


class Undeliverable(Exception):
    """The gateway refuses this message for good: trying again would not help."""


class GatewayAway(Exception):
    """The gateway can't be reached or is busy: the same message may go through later."""


class Channel(Protocol):
    """A gateway for short messages."""

    async def send(self, key: str, to: str, text: str) -> str | None:
        """Hand a message over; the gateway's id for it, if it tells one.

        `key` names the message and stays the same when it is sent again after a crash: a gateway that knows it does
        not send twice. Raises Undeliverable, GatewayAway.
        """
        ...

    async def close(self) -> None: ...
