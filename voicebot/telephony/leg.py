"""CallLeg and Line: one party on the phone, and the thing that rings parties. Engines implement these."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol


class AudioPort(Protocol):
    """What a leg's sound is connected to."""

    def exchange(self, received: bytes, tick: int) -> bytes | None:
        """Take 20 ms of received sound (320 bytes, s16le, 8 kHz), give 20 ms to send or None for silence."""
        ...


@dataclass(frozen=True, slots=True)
class Ringing:
    status: int


@dataclass(frozen=True, slots=True)
class EarlyMedia:
    """Sound before the answer: ringback or a carrier's announcement."""


@dataclass(frozen=True, slots=True)
class Answered:
    pass


@dataclass(frozen=True, slots=True)
class KeyPressed:
    digit: str


@dataclass(frozen=True, slots=True)
class Ended:
    """The leg is over. `by`: local, remote or error; `status`: final SIP status if there was one."""

    by: str
    status: int | None
    reason: str
    q850: int | None = None


LegEvent = Ringing | EarlyMedia | Answered | KeyPressed | Ended


class CallLeg(Protocol):
    """One party's leg."""

    @property
    def id(self) -> str:
        """The Call-ID on the wire."""
        ...

    @property
    def remote(self) -> str:
        """The other party's URI."""
        ...

    @property
    def local(self) -> str:
        """The URI we ring with, or are rung at."""
        ...

    @property
    def media_gap(self) -> bool:
        """True when the sound of the last tick had to be concealed or was absent."""
        ...

    def connect(self, port: AudioPort) -> None:
        """From now on the leg's sound goes through `port`."""
        ...

    def events(self) -> AsyncIterator[LegEvent]: ...

    def ring(self) -> None:
        """Tell the caller that the phone rings here (180)."""
        ...

    async def answer(self) -> None: ...

    def reject(self, status: int, retry_after_s: int | None = None) -> None: ...

    async def hang_up(self) -> None: ...

    def send_keys(self, digits: str) -> None: ...


class UndiallableError(ValueError):
    """A number or address that this line can't ring; the message says who must do what about it."""


IncomingHandler = Callable[[CallLeg], Awaitable[None]]


class Line(Protocol):
    """The phone line of a worker."""

    @property
    def address(self) -> tuple[str, int]: ...

    async def dial(self, target: str, *, ring_timeout_s: float = 45) -> CallLeg:
        """Ring `target`, a sip: URI or a number for the trunk; returns at once, events tell the rest.

        UndiallableError when there is no way to ring it from here.
        """
        ...

    async def close(self) -> None: ...
