"""Channel: the seam behind which a way to send messages lives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from voicebot.domain.message import MessageChannel


class Undeliverable(Exception):
    """The gateway refuses this message for good: trying again would not help."""


class Unsubscribed(Undeliverable):
    """The reader has told the gateway that they want no more of it."""


class GatewayAway(Exception):
    """The gateway can't be reached or is busy: the same message may go through later."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A message as a channel gets it. `values` are what its template was filled in with.

    `key` names the message and stays the same when it is sent again after a crash: a gateway that knows it does not
    send twice.
    """

    key: str
    to: str
    text: str
    kind: str
    values: Mapping[str, str] = field(default_factory=dict)


class Channel(Protocol):
    """A gateway for one kind of messages."""

    def wording(self, letter: Letter) -> str:
        """What the reader will really see; held against the speech gate before it is sent. Raises Undeliverable."""
        ...

    async def send(self, letter: Letter) -> str | None:
        """Hand a message over; the gateway's id for it, if it tells one. Raises Undeliverable, GatewayAway."""
        ...

    async def close(self) -> None: ...


Channels = Mapping[MessageChannel, Channel]
"""What this installation can send by."""
